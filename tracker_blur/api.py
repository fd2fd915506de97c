"""The library's functions: hide faces in a video, a picture, an array, or frames of your own."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterable, Iterator
from fractions import Fraction
from pathlib import Path

import cv2
import numpy as np

from tracker_blur.core.frame import Image, VideoInfo
from tracker_blur.core.report import Progress, Report
from tracker_blur.errors import SettingsError
from tracker_blur.files.jobs import Job
from tracker_blur.images.frame import ImageFrame
from tracker_blur.pipeline import Engine
from tracker_blur.settings import Settings


def redact_video(
    source: str | Path,
    target: str | Path,
    settings: Settings | None = None,
    progress: Progress | None = None,
) -> Report:
    """Write `target`: the video `source` with every face hidden, all else as it was.

    progress  called with the report so far after each frame; raise in it to stop the run

    Raises TrackerBlurError, see `tracker_blur.errors`; then there is no target.
    """
    job = Job(Path(source), Path(target), "video")
    return Engine(settings or Settings()).redact_file(job, progress)


def redact_picture(
    source: str | Path, target: str | Path, settings: Settings | None = None
) -> Report:
    """Write `target`: the picture `source`, still or animated, with every face hidden.

    Raises TrackerBlurError, see `tracker_blur.errors`; then there is no target.
    """
    job = Job(Path(source), Path(target), "picture")
    return Engine(settings or Settings()).redact_file(job)


def redact_array(image: Image, settings: Settings | None = None) -> Image:
    """Return a copy of a picture, shape (height, width, 3), BGR, uint8, with its faces hidden."""
    info = _info(image, Fraction(1), is_moving=False)
    return next(_redact([image], info, settings))


def redact_frames(
    images: Iterable[Image], rate: float, settings: Settings | None = None
) -> Iterator[Image]:
    """Give a copy of each frame of one video with its faces hidden, as the frames come.

    images  pictures of one size, shape (height, width, 3), BGR, uint8
    rate    frames per second

    Raises SettingsError for a rate that is none, ValueError for a picture that is none.
    """
    if not (math.isfinite(rate) and rate > 0):
        raise SettingsError(f"rate is {rate}: give the frames per second, a number above 0")
    exact = Fraction(rate).limit_denominator(100_000)
    return _redact_all(iter(images), exact, settings)


def _redact_all(
    images: Iterator[Image], rate: Fraction, settings: Settings | None
) -> Iterator[Image]:
    try:
        first = next(images)  # the size is known from the first
    except StopIteration:
        return
    yield from _redact(itertools.chain([first], images), _info(first, rate), settings)


def _redact(images: Iterable[Image], info: VideoInfo, settings: Settings | None) -> Iterator[Image]:
    engine = Engine(settings or Settings())
    frames = (_frame(image, index, info.rate) for index, image in enumerate(images))
    for frame, faces in engine.watch(info)(frames):
        engine.redact(frame, faces)
        yield np.asarray(cv2.merge([plane.samples for plane in frame.planes()][::-1]), np.uint8)


def _info(image: Image, rate: Fraction, is_moving: bool = True) -> VideoInfo:
    _check(image)
    height, width = image.shape[:2]
    return VideoInfo((width, height), Fraction(1), rate, None, is_moving)


def _frame(image: Image, index: int, rate: Fraction) -> ImageFrame:
    _check(image)
    blue, green, red = cv2.split(image)
    return ImageFrame((red, green, blue), index=index, pts=index, time_base=1 / rate)


def _check(image: Image) -> None:
    if not isinstance(image, np.ndarray):  # cv2.imread gives None where it cannot read
        raise ValueError(f"the picture is {image!r}: give a BGR array; could its file be read?")
    if image.dtype != np.uint8 or image.ndim != 3 or image.shape[2] != 3 or image.size == 0:
        raise ValueError(
            f"the picture has shape {image.shape} and samples of {image.dtype}: "
            "give a BGR array of shape (height, width, 3) and type uint8"
        )
