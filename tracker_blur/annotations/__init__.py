"""Tracks in files: the track file, its edits, and what exports share with it."""
