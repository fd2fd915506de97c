"""Stands where targets stand, and judges every picture that leaves against the truth."""

from __future__ import annotations

import csv
import threading
from collections import defaultdict
from collections.abc import Callable, Sequence
from pathlib import Path

import av
import cv2
import numpy as np
import numpy.typing as npt

from tests.clips import place
from tests.waiting import PATIENCE_SECONDS
from tracker_blur import Settings
from tracker_blur.realtime.controls import Controls
from tracker_blur.realtime.delivery import AudioChunk, Delivery, Format
from tracker_blur.realtime.session import Session
from tracker_blur.realtime.settings import LiveSettings
from tracker_blur.realtime.sources import LiveSource, open_source
from tracker_blur.realtime.status import Status
from tracker_blur.realtime.targets import Target

DARK = 40
RAW_SHARE = 0.5  # a face of which less is black was not hidden at all, or elsewhere


class Judge:
    """A target that keeps what it is shown."""

    name = "judge"
    is_reached = True

    def __init__(self, until: Callable[[Judge], bool] | None = None) -> None:
        self.format: Format | None = None
        self.deliveries: list[Delivery] = []
        self.sounds: list[AudioChunk] = []
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

    def play(self, sound: AudioChunk) -> None:
        self.sounds.append(sound)

    def close(self) -> None:
        self.closed += 1

    @property
    def status(self) -> Status:
        """How the session fares."""
        assert self.session is not None
        return self.session.status

    @property
    def covers(self) -> int:
        return sum(delivery.is_cover for delivery in self.deliveries)

    @property
    def open_frames(self) -> int:
        return len(self.deliveries) - self.covers


def watched(
    clip: Path,
    shared: Path,
    judge: Judge,
    live: LiveSettings | None = None,
    tell: Callable[[str], None] = lambda text: None,
    source: LiveSource | None = None,
    others: Sequence[Target] = (),
    **settings: object,
) -> Status:
    """Play a clip through a session to its end, or until the judge has seen enough."""
    live = live or LiveSettings()
    chosen = Settings(
        models_folder=shared / "models",
        method="solid",
        one_pass=True,
        detect_every_frames="auto",
        **settings,  # type: ignore[arg-type]  # any of them
    )
    controls = judge.controls = Controls(["solid", "pixelated"], hide_all=live.hide_all)
    source = source or open_source(str(clip), live, realtime=True)
    session = Session(source, chosen, live, controls, tell, tell)
    judge.session = session
    session.add([judge, *others])
    watch = threading.Timer(PATIENCE_SECONDS, controls.quit)  # a test that hangs fails
    watch.start()
    try:
        with session:
            session.run()
            return session.status
    finally:
        watch.cancel()


def truth_of(clip: Path) -> dict[int, list[tuple[float, ...]]]:
    """Return where a clip's faces are, by index of the frame."""
    truth = defaultdict(list)
    with clip.with_suffix(".csv").open(newline="") as rows:
        for row in csv.DictReader(rows):
            truth[int(row["frame"])].append(tuple(float(row[key]) for key in ("x", "y", "w", "h")))
    return truth


def raw_faces(judge: Judge, clip: Path) -> list[tuple[int, float]]:
    """Return the (frame, hidden share) of true faces left to see in what is no cover.

    Frames of a file that is played in real time are numbered as they come; it may be the clip, or
    one in which that swings.
    """
    truth = truth_of(clip)
    with av.open(str(clip)) as container:
        count = sum(packet.size > 0 for packet in container.demux(video=0))
    raw = []
    for delivery in judge.deliveries:
        if delivery.is_cover:
            assert is_coarse(delivery)
            continue
        gray = luma(delivery)
        index = place(delivery.redacted.frame.index, count)
        for x, y, width, height in truth.get(index, ()):
            face = np.zeros(gray.shape, np.uint8)
            cv2.ellipse(face, ((x + width / 2, y + height / 2), (width, height), 0), 1, -1)
            if face.any():
                hidden = float((gray < DARK)[face.astype(bool)].mean())
                if hidden < RAW_SHARE:
                    raw.append((index, hidden))
    return raw


def luma(delivery: Delivery) -> npt.NDArray[np.uint8]:
    """Return the luma of a picture that left."""
    return np.asarray(delivery.redacted.frame.planes()[0].samples)


def is_coarse(delivery: Delivery) -> bool:
    """Return whether a picture is all in blocks, a few across."""
    samples = luma(delivery)
    across = 1 + int((np.diff(samples.astype(int), axis=1) != 0).any(axis=0).sum())
    down = 1 + int((np.diff(samples.astype(int), axis=0) != 0).any(axis=1).sum())
    return across <= 5 and down <= 5
