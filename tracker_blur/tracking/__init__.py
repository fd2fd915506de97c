"""Where every face is, frame by frame; no files, windows or clocks."""
