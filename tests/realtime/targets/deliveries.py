"""Deliveries for targets: the sample clip, redacted, with a beep."""

from __future__ import annotations

import csv
import functools
import time
from fractions import Fraction
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

import av
import numpy as np

from tests.waiting import PATIENCE_SECONDS
from tracker_blur.core.box import Box
from tracker_blur.core.frame import Image, Orientation
from tracker_blur.core.tracks import Face, Origin
from tracker_blur.realtime.controls import Controls
from tracker_blur.realtime.delivery import AUDIO_RATE, TIME_BASE, AudioChunk, Delivery, Format
from tracker_blur.realtime.settings import LiveSettings
from tracker_blur.realtime.status import Status
from tracker_blur.realtime.targets import Target, TargetContext
from tracker_blur.redaction.redactor import FrameRedactor
from tracker_blur.settings import Settings
from tracker_blur.video.frame import DecodedFrame, Scaler
from tracker_blur.video.stream_info import ColorTags

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

SAMPLES = Path(__file__).resolve().parents[3] / "samples"
SIZE = (640, 360)
RATE = Fraction(25)
COLOR = ColorTags(primaries=5, transfer=6, matrix=1, range=1)
"""Not what a player assumes for such a small frame."""

FORMAT = Format(SIZE, RATE, AUDIO_RATE, COLOR)
SILENT = Format(SIZE, RATE, color=COLOR)
COUNT = 30
BEEP_SECONDS = 0.6
BEGIN = 12.0
"""Time of the first frame on the session's clock: a target may join late."""

_CHUNK_SAMPLES = 1000


def make_context(
    settings: Settings | None = None,
    status: Callable[[], Status] = Status,
    controls: Controls | None = None,
    inform: Callable[[str], None] = lambda text: None,
    announce: Callable[[str], None] = lambda text: None,
    **live: Any,
) -> TargetContext:
    """Return the context of a session with these `LiveSettings`."""
    return TargetContext(
        settings or Settings(one_pass=True),
        LiveSettings(**{"timeout_seconds": PATIENCE_SECONDS, **live}),
        controls or Controls(("pixelated", "solid")),
        status,
        inform,
        announce,
    )


@functools.cache
def redacted_frames(count: int = COUNT) -> tuple[DecodedFrame, ...]:
    """Return the sample's first frames with their faces hidden."""
    redactor, scaler = FrameRedactor(Settings()), Scaler()
    frames = []
    with av.open(str(SAMPLES / "crossing.mp4")) as container:
        stream = container.streams.video[0]
        faces = _true_faces(SIZE[0] / stream.width)
        for index, decoded in enumerate(islice(container.decode(stream), count)):
            small = decoded.reformat(*SIZE, "yuv420p")
            small.color_primaries, small.color_trc = COLOR.primaries, COLOR.transfer
            small.colorspace, small.color_range = COLOR.matrix, COLOR.range
            small.pts, small.time_base = round(index / RATE / TIME_BASE), TIME_BASE
            frame = DecodedFrame(small, index, Orientation.UPRIGHT, scaler)
            redactor.redact(frame, faces.get(index, []))
            frames.append(frame)
    return tuple(frames)


def _true_faces(ratio: float) -> dict[int, list[Face]]:
    """Return the sample's faces by frame index, their boxes scaled by a ratio."""
    faces: dict[int, list[Face]] = {}
    with (SAMPLES / "crossing.csv").open() as file:
        for row in csv.DictReader(file):
            box = Box.from_xywh(*(float(row[name]) * ratio for name in ("x", "y", "w", "h")))
            face = Face(0, box, 1.0, Origin.DETECTED)
            faces.setdefault(int(row["frame"]), []).append(face)
    return faces


def make_deliveries(count: int = COUNT, begin: float = BEGIN) -> list[Delivery]:
    """Return the redacted frames, the first one due at `begin` seconds."""
    redactor = FrameRedactor(Settings())
    return [
        Delivery(redactor.redact(frame, []), begin + index / float(RATE), time.monotonic(), False)
        for index, frame in enumerate(redacted_frames(count))
    ]


def make_audio(
    count: int = COUNT, begin: float = BEGIN, beep: float = BEEP_SECONDS
) -> Iterator[AudioChunk]:
    """Yield as much silence as `count` frames last, with a beep at `beep` seconds."""
    length = round(count / float(RATE) * AUDIO_RATE)
    times = np.arange(length) / AUDIO_RATE
    tone = 0.5 * np.sin(2 * np.pi * 1000 * times) * (times >= beep) * (times < beep + 0.2)
    stereo = np.stack([tone, tone]).astype(np.float32)
    for start in range(0, length, _CHUNK_SAMPLES):
        yield AudioChunk(stereo[:, start : start + _CHUNK_SAMPLES], begin + start / AUDIO_RATE)


def send(
    target: Target,
    deliveries: list[Delivery],
    audio: Iterator[AudioChunk] | None = None,
    speed: float = 0,
) -> None:
    """Send frames and audio to a target in the order of their times.

    Args:
        target: An open target.
        deliveries: The frames.
        audio: The audio, if any.
        speed: 1 for real time; 0: as fast as the target takes them.
    """
    chunk = next(audio, None) if audio else None
    began = time.monotonic()
    for delivery in deliveries:
        if speed:
            due = began + (delivery.seconds - deliveries[0].seconds) / speed
            time.sleep(max(0.0, due - time.monotonic()))
        target.show(delivery)
        while audio and chunk is not None and chunk.seconds <= delivery.seconds:
            target.play(chunk)
            chunk = next(audio, None)


def psnr(one: Image, other: Image) -> float:
    """Return the peak signal-to-noise ratio of two images, in dB."""
    error = float(np.mean((one.astype(np.float64) - other.astype(np.float64)) ** 2))
    return float(10 * np.log10(255**2 / max(error, 1e-9)))
