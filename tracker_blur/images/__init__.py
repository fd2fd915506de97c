"""Still and animated pictures in files."""
