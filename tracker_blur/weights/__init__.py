"""Weight files: what is known, where it is kept, how it is fetched."""
