"""Clips of people with a number in each frame and known faces.

The people are those of samples/make.py.
"""

from __future__ import annotations

import sys
from dataclasses import dataclass, replace
from fractions import Fraction
from pathlib import Path

import av
from frame_numbers import draw

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "samples"))
from typing import TYPE_CHECKING

from make import crowd
from scene import TrueFace, render

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy as np
    import numpy.typing as npt

_KEY_SECONDS = 1


@dataclass(frozen=True, slots=True)
class NumberedFrame:
    """A frame with its true faces.

    Attributes:
        planes: yuv420p as one array, shape (height * 3 / 2, width).
        faces: The true faces.
    """

    planes: npt.NDArray[np.uint8]
    faces: tuple[TrueFace, ...]

    @property
    def luma(self) -> npt.NDArray[np.uint8]:
        """The luma plane."""
        return self.planes[: self.planes.shape[0] * 2 // 3]


def people(
    faces: int, size: tuple[int, int], seconds: float, rate: int, seed: int = 0
) -> list[NumberedFrame]:
    """Return the frames of a clip of that many people, each with its index drawn into it."""
    scene = replace(crowd(faces, size, seconds, seed), rate=rate)
    frames = []
    for number, (image, truth) in enumerate(render(scene)):
        frame = av.VideoFrame.from_ndarray(image, format="bgr24").reformat(
            format="yuv420p", dst_colorspace="ITU709", dst_color_range="MPEG"
        )
        numbered = NumberedFrame(frame.to_ndarray(), tuple(truth))
        draw(numbered.luma, number)
        frames.append(numbered)
    return frames


def encode(
    frames: Sequence[NumberedFrame], path: Path, rate: int, size: tuple[int, int] | None = None
) -> None:
    """Write frames as H.264, scaled to a size if given; the file's suffix is the container."""
    height, width = frames[0].luma.shape
    with av.open(str(path), "w") as container:
        stream = container.add_stream(
            "libx264",
            rate=rate,
            options={"crf": "18", "preset": "veryfast", "g": str(rate * _KEY_SECONDS), "bf": "0"},
        )
        stream.width, stream.height = size or (width, height)
        stream.pix_fmt = "yuv420p"
        for number, numbered in enumerate(frames):
            frame = av.VideoFrame.from_ndarray(numbered.planes, format="yuv420p")
            frame = frame.reformat(stream.width, stream.height)
            frame.pts, frame.time_base = number, Fraction(1, rate)
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
