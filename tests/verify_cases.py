"""Finished videos with and without faults, and a detector that finds what it is told to."""

from __future__ import annotations

import csv
from collections import defaultdict
from collections.abc import Callable, Sequence
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest

from tracker_blur.core.box import Box
from tracker_blur.core.frame import Image
from tracker_blur.core.tracks import Face, Origin, Tracks, TracksBuilder
from tracker_blur.redaction.redactor import Redactor
from tracker_blur.settings import Settings
from tracker_blur.verification.probes import Probe, ProbeDetection
from tracker_blur.video.reader import VideoReader
from tracker_blur.video.writer import VideoWriter

SAMPLES = Path(__file__).resolve().parents[1] / "samples"
FRAMES = 10

Truth = dict[int, list[tuple[int, Box]]]
"""By frame: the faces in it, as (track, box)."""


def read_truth(path: Path, frames: int) -> Truth:
    truth: Truth = defaultdict(list)
    with path.open(newline="", encoding="utf-8") as file:
        for row in csv.DictReader(file):
            if int(row["frame"]) < frames:
                box = Box.from_xywh(*(float(row[name]) for name in "xywh"))
                truth[int(row["frame"])].append((int(row["track"]), box))
    return truth


def rendered(
    source: Path,
    target: Path,
    truth: Truth,
    *,
    method: str = "pixelated",
    shown: Callable[[int, int], bool] = lambda frame, track: False,
    frames: int | None = None,
    image: Path | None = None,
    quality: float | None = None,
) -> Path:
    """Hide all faces but those that are `shown`, of which frame and track are given."""
    settings = Settings(method=method, overwrite=True, image=image, quality=quality)
    redactor = Redactor(settings)
    with VideoReader(source) as video, VideoWriter(target, source, video, settings) as sink:
        for frame in video:
            if frame.index == frames:
                break
            faces = [
                Face(track, box, 1.0, Origin.DETECTED)
                for track, box in truth.get(frame.index, ())
                if not shown(frame.index, track)
            ]
            sink.write(redactor.redact(frame, faces))
    return target


def tracks_of(
    truth: Truth,
    size: tuple[int, int],
    frames: int,
    shown: Callable[[int, int], bool] = lambda frame, track: False,
) -> Tracks:
    builder = TracksBuilder()
    for frame, faces in truth.items():
        for track, box in faces:
            if not shown(frame, track):
                builder.add(frame, Face(track, box, 1.0, Origin.DETECTED))
    times = np.arange(frames, dtype=np.int64)
    return Tracks(size, Fraction(1, 25), times, (), builder.tracks())


class ToldLooker(Probe):
    """Finds in its nth look what it was told, and nothing in closer looks."""

    def __init__(self, finds: Sequence[Sequence[ProbeDetection]], name: str = "told") -> None:
        self.name = name
        self.label = "face"
        self.close_looks: list[Box] = []
        self._finds = list(finds)
        self._looks = 0

    def look(self, picture: Image, pixel_aspect: Fraction) -> list[ProbeDetection]:
        self._looks += 1
        return list(self._finds[self._looks - 1]) if self._looks <= len(self._finds) else []

    def detect_multiscale(self, picture: Image, box: Box) -> list[ProbeDetection]:
        self.close_looks.append(box)
        return []


def told(
    monkeypatch: pytest.MonkeyPatch, finds: Sequence[Sequence[ProbeDetection]] = ()
) -> ToldLooker:
    """Put a ToldLooker in the place of all detectors."""
    looker = ToldLooker(finds)
    monkeypatch.setattr(
        "tracker_blur.verification.verifier.probes", lambda settings, weights: (looker,)
    )
    return looker


def own_weights_only(monkeypatch: pytest.MonkeyPatch, cache: Path) -> None:
    """Let nothing be found but the weights that travel with the package; `cache` is empty."""
    monkeypatch.delenv("TRACKBLUR_MODELS", raising=False)
    monkeypatch.setattr("tracker_blur.weights.store.cache_folder", lambda: cache)


def finds_of(truth: Truth, frames: int = FRAMES, score: float = 0.9) -> list[list[ProbeDetection]]:
    return [
        [ProbeDetection(box, score, "told") for _, box in truth.get(i, ())] for i in range(frames)
    ]
