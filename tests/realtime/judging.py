"""A target that compares each delivered frame with the true faces of the clip."""

from __future__ import annotations

import csv
import threading
from collections import defaultdict
from typing import TYPE_CHECKING, Any

import av
import cv2
import numpy as np
import numpy.typing as npt

from tests.clips import swinging_index
from tests.waiting import PATIENCE_SECONDS
from tracker_blur import Settings
from tracker_blur.realtime.controls import Controls
from tracker_blur.realtime.session import Session
from tracker_blur.realtime.settings import LiveSettings
from tracker_blur.realtime.sources import LiveSource, open_source

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from tracker_blur.realtime.delivery import AudioChunk, Delivery, Format
    from tracker_blur.realtime.status import Status
    from tracker_blur.realtime.targets import Target

DARK_LUMA = 40
EXPOSED_RATIO = 0.5  # a face of which less is black was not hidden, or hidden elsewhere


class Judge:
    """A target that keeps what it is given, and quits when `until` says so."""

    name = "judge"
    is_reached = True

    def __init__(self, until: Callable[[Judge], bool] | None = None) -> None:
        self.format: Format | None = None
        self.deliveries: list[Delivery] = []
        self.audio: list[AudioChunk] = []
        self.closed = 0
        self._until = until
        self.controls: Controls | None = None
        self.session: Session | None = None

    def open(self, format: Format) -> None:
        self.format = format

    def show(self, delivery: Delivery) -> None:
        self.deliveries.append(delivery)
        if self._until is not None and self._until(self) and self.controls is not None:
            self.controls.quit()

    def play(self, audio: AudioChunk) -> None:
        self.audio.append(audio)

    def close(self) -> None:
        self.closed += 1

    @property
    def status(self) -> Status:
        assert self.session is not None
        return self.session.status

    @property
    def blank_count(self) -> int:
        return sum(delivery.is_blank for delivery in self.deliveries)

    @property
    def redacted_count(self) -> int:
        return len(self.deliveries) - self.blank_count


def run_session(
    clip: Path,
    shared: Path,
    judge: Judge,
    live: LiveSettings | None = None,
    warn: Callable[[str], None] = lambda text: None,
    source: LiveSource | None = None,
    others: Sequence[Target] = (),
    **settings: Any,
) -> Status:
    """Play a clip through a session to its end, or until the judge quits; return the status."""
    live = live or LiveSettings()
    chosen = Settings(
        models_folder=shared / "models",
        **{"method": "solid", "one_pass": True, "detect_every_frames": "auto", **settings},
    )
    controls = Controls(["solid", "pixelated"], hide_all=live.hide_all, timing=live.timing)
    source = source or open_source(str(clip), live, realtime=True)
    session = Session(source, chosen, live, controls, warn, warn)
    judge.controls, judge.session = controls, session
    session.add([judge, *others])
    watchdog = threading.Timer(PATIENCE_SECONDS, controls.quit)  # a test that hangs fails
    watchdog.start()
    try:
        with session:
            session.run()
            return session.status
    finally:
        watchdog.cancel()


def true_faces(clip: Path) -> dict[int, list[tuple[float, ...]]]:
    """Return the faces of a clip, (x, y, width, height), by frame index."""
    faces = defaultdict(list)
    with clip.with_suffix(".csv").open(newline="") as rows:
        for row in csv.DictReader(rows):
            faces[int(row["frame"])].append(tuple(float(row[key]) for key in ("x", "y", "w", "h")))
    return faces


def exposed_faces(judge: Judge, clip: Path) -> list[tuple[int, float]]:
    """Return (frame index, hidden ratio) of each true face that can be seen.

    Blank frames must be coarse. What was played is the clip or its swinging version.
    """
    faces = true_faces(clip)
    with av.open(str(clip)) as container:
        count = sum(packet.size > 0 for packet in container.demux(video=0))
    exposed = []
    for delivery in judge.deliveries:
        if delivery.is_blank:
            assert is_coarse(delivery)
            continue
        gray = luma(delivery)
        index = swinging_index(delivery.redacted.frame.index, count)
        for x, y, width, height in faces.get(index, ()):
            mask = np.zeros(gray.shape, np.uint8)
            cv2.ellipse(mask, ((x + width / 2, y + height / 2), (width, height), 0), 1, -1)
            if mask.any():
                hidden = float((gray < DARK_LUMA)[mask.astype(bool)].mean())
                if hidden < EXPOSED_RATIO:
                    exposed.append((index, hidden))
    return exposed


def luma(delivery: Delivery) -> npt.NDArray[np.uint8]:
    """Return the luma plane of a delivered frame."""
    return np.asarray(delivery.redacted.frame.planes()[0].samples)


def is_coarse(delivery: Delivery) -> bool:
    """Return whether a frame consists of at most 5 by 5 blocks."""
    samples = luma(delivery)
    across = 1 + int((np.diff(samples.astype(int), axis=1) != 0).any(axis=0).sum())
    down = 1 + int((np.diff(samples.astype(int), axis=0) != 0).any(axis=1).sum())
    return across <= 5 and down <= 5
