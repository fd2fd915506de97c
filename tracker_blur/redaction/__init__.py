"""What `redact.py` and the methods share: outlines, colors and arrays of samples."""
