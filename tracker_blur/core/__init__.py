"""The words all else is said in: boxes, frames, tracks; no files, windows or clocks."""
