"""Still and animated images in files."""
