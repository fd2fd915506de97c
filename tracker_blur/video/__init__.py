"""Video files, read and written with FFmpeg (PyAV)."""
