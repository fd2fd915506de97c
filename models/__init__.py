"""Weight files that travel with the package; see README.md."""
