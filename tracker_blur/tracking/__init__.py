"""Tracking: where every face is, frame by frame; no files or windows."""
