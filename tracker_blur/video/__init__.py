"""Video files by way of PyAV: read, redacted pictures written, the rest copied."""
