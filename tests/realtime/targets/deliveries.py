"""What targets are given in tests: a real clip, redacted, with a beep."""

from __future__ import annotations

import csv
import functools
import time
from collections.abc import Callable, Iterator
from fractions import Fraction
from itertools import islice
from pathlib import Path
from typing import Any

import av
import numpy as np

from tests.waiting import PATIENCE_SECONDS
from tracker_blur.core.box import Box
from tracker_blur.core.frame import Image, Orientation
from tracker_blur.core.tracks import Face, Origin
from tracker_blur.realtime.controls import Controls
from tracker_blur.realtime.delivery import SOUND_RATE, TIME_BASE, AudioChunk, Delivery, Format
from tracker_blur.realtime.settings import LiveSettings
from tracker_blur.realtime.status import Status
from tracker_blur.realtime.targets import Context, Target
from tracker_blur.redaction.redactor import Redactor
from tracker_blur.settings import Settings
from tracker_blur.video.frame import DecodedFrame, Scaler

SAMPLES = Path(__file__).resolve().parents[3] / "samples"
SIZE = (640, 360)
RATE = Fraction(25)
FORMAT = Format(SIZE, RATE, SOUND_RATE)
SILENT = Format(SIZE, RATE)
COUNT = 30
BEEP_SECONDS = 0.6
BEGIN = 12.0
"""When the first picture is due on the session's clock: a target may join late."""

_STRETCH = 1000  # samples that come at once


def context(
    settings: Settings | None = None,
    status: Callable[[], Status] = Status,
    controls: Controls | None = None,
    tell: Callable[[str], None] = lambda text: None,
    **live: Any,
) -> Context:
    return Context(
        settings or Settings(one_pass=True),
        LiveSettings(**{"timeout_seconds": PATIENCE_SECONDS, **live}),
        controls or Controls(("pixelated", "solid")),
        status,
        tell,
    )


@functools.cache
def frames(count: int = COUNT) -> tuple[DecodedFrame, ...]:
    """Return the sample's first pictures, faces hidden."""
    redactor, scaler = Redactor(Settings()), Scaler()
    made = []
    with av.open(str(SAMPLES / "crossing.mp4")) as container:
        stream = container.streams.video[0]
        ratio = SIZE[0] / stream.width
        faces = _faces(ratio)
        for index, picture in enumerate(islice(container.decode(stream), count)):
            small = picture.reformat(*SIZE, "yuv420p")
            small.pts, small.time_base = round(index / RATE / TIME_BASE), TIME_BASE
            frame = DecodedFrame(small, index, Orientation.UPRIGHT, scaler)
            redactor.redact(frame, faces.get(index, []))
            made.append(frame)
    return tuple(made)


def _faces(ratio: float) -> dict[int, list[Face]]:
    found: dict[int, list[Face]] = {}
    with (SAMPLES / "crossing.csv").open() as file:
        for row in csv.DictReader(file):
            box = Box.from_xywh(*(float(row[name]) * ratio for name in ("x", "y", "w", "h")))
            face = Face(0, box, 1.0, Origin.DETECTED)
            found.setdefault(int(row["frame"]), []).append(face)
    return found


def deliveries(count: int = COUNT, begin: float = BEGIN) -> list[Delivery]:
    redactor = Redactor(Settings())
    return [
        Delivery(redactor.redact(frame, []), begin + index / float(RATE), time.monotonic(), False)
        for index, frame in enumerate(frames(count))
    ]


def sounds(
    count: int = COUNT, begin: float = BEGIN, beep: float = BEEP_SECONDS
) -> Iterator[AudioChunk]:
    """Yield silence with a beep that starts so many seconds after the first picture."""
    length = round(count / float(RATE) * SOUND_RATE)
    times = np.arange(length) / SOUND_RATE
    tone = 0.5 * np.sin(2 * np.pi * 1000 * times) * (times >= beep) * (times < beep + 0.2)
    both = np.stack([tone, tone]).astype(np.float32)
    for start in range(0, length, _STRETCH):
        yield AudioChunk(both[:, start : start + _STRETCH], begin + start / SOUND_RATE)


def send(
    target: Target,
    pictures: list[Delivery],
    sound: Iterator[AudioChunk] | None = None,
    pace: float = 0,
) -> None:
    """Show pictures and play sound in the order of their times; pace: of the true speed."""
    waiting = next(sound, None) if sound else None
    began = time.monotonic()
    for picture in pictures:
        if pace:
            due = began + (picture.seconds - pictures[0].seconds) / pace
            time.sleep(max(0.0, due - time.monotonic()))
        target.show(picture)
        while sound and waiting is not None and waiting.seconds <= picture.seconds:
            target.play(waiting)
            waiting = next(sound, None)


def likeness(one: Image, other: Image) -> float:
    """Return the peak signal-to-noise ratio of two pictures, in dB."""
    error = np.mean((one.astype(np.float64) - other.astype(np.float64)) ** 2)
    return float(10 * np.log10(255**2 / max(error, 1e-9)))
