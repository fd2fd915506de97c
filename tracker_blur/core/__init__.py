"""What everything else is built on: boxes, frames, tracks, parameters."""
