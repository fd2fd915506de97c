"""Video files by way of PyAV: what the video source and the video sink share."""
