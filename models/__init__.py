"""Weight files that come with the package; see README.md."""
