"""Weight files: which ones trackblur knows, where it finds them, and how it downloads them."""
