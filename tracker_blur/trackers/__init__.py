"""Trackers: one file each; a file's name is the value of `--tracker`.

A tracker module holds `load(weights) -> Callable[[], Tracker]`, a factory of fresh trackers. To
add a tracker, add a file; the contract tests in `tests/trackers/test_contract.py` run over all.
"""

from __future__ import annotations

from typing import Protocol

from tracker_blur.core.box import Box
from tracker_blur.core.frame import Image


class Tracker(Protocol):
    """Follows one face from picture to picture; used for one face, then thrown away."""

    def start(self, image: Image, box: Box) -> None:
        """Learn the face that `box`, in the image's pixels, holds in this picture."""
        ...

    def update(self, image: Image) -> Box | None:
        """Return where the face is in the next picture, of the same size; None when it is lost."""
        ...
