"""Frames of an output, each with the source's frame of the same time and what probes detect."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import cv2
import numpy as np
import numpy.typing as npt

if TYPE_CHECKING:
    from collections.abc import Iterator
    from fractions import Fraction

    from tracker_blur.core.frame import Frame, Image
    from tracker_blur.verification.frame_comparison import CellErrors, Gray
    from tracker_blur.verification.probes import ProbeDetection


@dataclass(slots=True)
class ProbedFrame:
    """One frame on its way through the probes.

    Attributes:
        index: number of the frame, from 0.
        time: seconds since the first frame, exact.
        is_detection_frame: whether the probes see the whole frame.
        is_turned_frame: whether the best probes see it turned as well.
        image: the output's frame, upright, at full size.
        gray: its brightness.
        source_image: the source's frame of the same time, at the same size; None without a source,
            or if it shows something else.
        source_gray: its brightness.
        cell_errors: how much of each cell changed.
        shown_cells: the cells that nothing hides, where no tracks say so and most of the frame has
            changed, shape (rows, columns); None: these are not known.
        detections: of all probes so far.
    """

    index: int
    time: Fraction
    is_detection_frame: bool
    image: Image
    gray: Gray
    is_turned_frame: bool = False
    source_image: Image | None = None
    source_gray: Gray | None = None
    cell_errors: CellErrors | None = None
    shown_cells: npt.NDArray[np.bool_] | None = None
    detections: list[ProbeDetection] = field(default_factory=list)

    @property
    def size(self) -> tuple[int, int]:
        """(width, height) in pixels."""
        return self.gray.shape[1], self.gray.shape[0]


def paired_by_time(
    frames: Iterator[Frame], others: Iterator[Frame]
) -> Iterator[tuple[Frame, Frame | None]]:
    """Pair each frame with the other video's frame of the nearest time; both start together.

    All other frames are consumed, also those after the last pair.
    """
    other, upcoming = next(others, None), next(others, None)
    other_start = 0.0 if other is None else other.seconds
    start: float | None = None
    for frame in frames:
        start = frame.seconds if start is None else start
        seconds = frame.seconds - start + other_start
        while other is not None and upcoming is not None:
            if abs(upcoming.seconds - seconds) > abs(other.seconds - seconds):
                break
            other, upcoming = upcoming, next(others, None)
        yield frame, other
    while upcoming is not None:  # the frames of both videos are counted
        upcoming = next(others, None)


def gray(image: Image) -> Gray:
    """Return the brightness of an image."""
    return np.asarray(cv2.cvtColor(image, cv2.COLOR_BGR2GRAY), np.uint8)
