"""The page's files, as a browser gets them."""
