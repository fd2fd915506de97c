"""What `refine.py` is made of: pieces of tracks, and which of them are one face; no files."""
