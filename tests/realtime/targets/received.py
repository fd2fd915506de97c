"""What came out of a target, decoded."""

from __future__ import annotations

from contextlib import nullcontext, suppress
from dataclasses import dataclass
from pathlib import Path

import av
import numpy as np
from av.video.reformatter import Colorspace

from tests.realtime.targets.deliveries import BEEP_SECONDS, SIZE, frames, likeness
from tracker_blur.core.frame import Image

_LOUD = 0.1


@dataclass(frozen=True)
class Received:
    """Pictures with their times, and when a beep starts; both in seconds of the file."""

    times: list[float]
    pictures: list[Image]
    beep: float | None
    sound_seconds: float = 0.0

    @property
    def intervals(self) -> list[float]:
        return [round(time - self.times[0], 4) for time in self.times]


def read(path: Path | str, *, is_cut: bool = False) -> Received:
    """Decode a file; one that is cut may end with a picture that is not whole."""
    times, pictures = [], []
    beep: float | None = None
    samples = 0
    ignored = suppress(av.error.InvalidDataError) if is_cut else nullcontext()
    with av.open(str(path)) as container, ignored:
        for packet in container.demux():
            for frame in packet.decode():
                if isinstance(frame, av.VideoFrame):
                    times.append(float(frame.pts * frame.time_base))
                    matrix = Colorspace.ITU601 if frame.height < 720 else Colorspace.ITU709
                    view = frame.reformat(format="bgr24", src_colorspace=matrix)
                    pictures.append(view.to_ndarray())
                elif isinstance(frame, av.AudioFrame):
                    loud = np.abs(frame.to_ndarray().astype(np.float64).reshape(-1))
                    data = frame.to_ndarray()
                    if frame.format.is_planar:
                        loud = np.abs(data[0].astype(np.float64))
                    samples += frame.samples
                    where = np.flatnonzero(loud > _LOUD)
                    if beep is None and where.size:
                        start = where[0] if frame.format.is_planar else where[0] // 2
                        beep = float(frame.pts * frame.time_base) + start / frame.sample_rate
    return Received(times, pictures, beep, samples / 48_000)


def check_pictures(got: Received, first: int = 0, least_db: float = 27.0) -> None:
    """Compare pictures, in order, with those that were sent over and over, from `first` on."""
    sent = frames()
    for number, picture in enumerate(got.pictures, first):
        assert likeness(picture, sent[number % len(sent)].view(SIZE)) > least_db, number


def check_step(got: Received) -> None:
    """Check that the beep comes with the right picture."""
    assert got.beep is not None
    assert abs(got.beep - got.times[0] - BEEP_SECONDS) < 0.04
