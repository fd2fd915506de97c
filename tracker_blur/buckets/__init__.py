"""Files in buckets: found, fetched into a private folder, and stored again when they are whole."""
