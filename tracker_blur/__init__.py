"""trackblur: hides every face in videos and pictures, and keeps everything else."""
