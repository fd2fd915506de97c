"""From an input to an output: `Engine` for files, `FrameEngine` for frames as they come."""

from tracker_blur.pipeline.engine import Engine
from tracker_blur.pipeline.frame_engine import FrameEngine

__all__ = ["Engine", "FrameEngine"]
