"""Tracks in files: the track file, edits, and exchange with annotation programs."""
