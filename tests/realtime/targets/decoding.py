"""Decodes what a target wrote, and compares it with what was sent."""

from __future__ import annotations

from contextlib import AbstractContextManager, nullcontext, suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import av
import numpy as np
from av.video.reformatter import Colorspace

from tests.realtime.targets.deliveries import BEEP_SECONDS, COLOR, SIZE, psnr, redacted_frames
from tracker_blur.realtime.delivery import AUDIO_RATE

if TYPE_CHECKING:
    from pathlib import Path

    from tracker_blur.core.frame import Image

_LOUD = 0.1


@dataclass(frozen=True)
class Decoded:
    """Decoded frames with their times, and when the beep starts; in seconds of the file.

    The colors are read as the tags (primaries, transfer, matrix) say.
    """

    times: list[float]
    images: list[Image]
    beep: float | None
    audio_seconds: float = 0.0
    tags: set[tuple[int, int, int]] = field(default_factory=set)

    @property
    def intervals(self) -> list[float]:
        """Times of the frames, in seconds after the first."""
        return [round(time - self.times[0], 4) for time in self.times]


def decode(path: Path | str, *, is_truncated: bool = False) -> Decoded:
    """Decode a file; a truncated one may end within a frame."""
    times: list[float] = []
    images: list[Image] = []
    beep: float | None = None
    samples = 0
    tags: set[tuple[int, int, int]] = set()
    ignored: AbstractContextManager[object] = nullcontext()
    if is_truncated:
        ignored = suppress(av.error.InvalidDataError)
    with av.open(str(path)) as container, ignored:
        for packet in container.demux():
            for frame in packet.decode():
                if isinstance(frame, av.VideoFrame):
                    times.append(_seconds(frame))
                    tags.add((frame.color_primaries, frame.color_trc, frame.colorspace))
                    matrix = Colorspace.ITU709 if frame.colorspace == 1 else Colorspace.ITU601
                    view = frame.reformat(format="bgr24", src_colorspace=matrix)
                    images.append(np.asarray(view.to_ndarray(), np.uint8))
                elif isinstance(frame, av.AudioFrame):
                    samples += frame.samples
                    data = frame.to_ndarray().astype(np.float64)
                    left = data[0] if frame.format.is_planar else data.reshape(-1)[::2]
                    loud = np.flatnonzero(np.abs(left) > _LOUD)
                    if beep is None and loud.size:
                        beep = _seconds(frame) + loud[0] / frame.sample_rate
    return Decoded(times, images, beep, samples / AUDIO_RATE, tags)


def _seconds(frame: av.VideoFrame | av.AudioFrame) -> float:
    assert frame.time is not None
    return frame.time


def check_images(decoded: Decoded, first: int = 0, min_psnr: float = 27.0) -> None:
    """Compare the frames, in order, with the ones sent in a loop, from index `first` on."""
    assert decoded.tags == {(COLOR.primaries, COLOR.transfer, COLOR.matrix)}
    sent = redacted_frames()
    for number, image in enumerate(decoded.images, first):
        assert psnr(image, sent[number % len(sent)].view(SIZE)) > min_psnr, number


def check_sync(decoded: Decoded) -> None:
    """Check that the beep comes with the right frame."""
    assert decoded.beep is not None
    assert abs(decoded.beep - decoded.times[0] - BEEP_SECONDS) < 0.04
