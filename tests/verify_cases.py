"""Finished videos with and without exposed faces, and a probe that detects what a test gives it."""

from __future__ import annotations

import csv
from collections import defaultdict
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from tracker_blur.core.box import Box
from tracker_blur.core.tracks import Face, Origin, Tracks
from tracker_blur.core.tracks_builder import TracksBuilder
from tracker_blur.redaction.redactor import FrameRedactor
from tracker_blur.settings import Settings
from tracker_blur.verification.probes import Probe, ProbeDetection
from tracker_blur.video.reader import VideoReader
from tracker_blur.video.writer import VideoWriter

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    import pytest

    from tracker_blur.core.frame import Image

SAMPLES = Path(__file__).resolve().parents[1] / "samples"
FRAMES = 10

Truth = dict[int, list[tuple[int, Box]]]
"""The faces of each frame, as (track, box)."""


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
    visible: Callable[[int, int], bool] = lambda frame, track: False,
    frames: int | None = None,
    image: Path | None = None,
    quality: float | None = None,
) -> Path:
    """Write the source with all faces hidden, except those for which `visible(frame, track)`."""
    settings = Settings(method=method, overwrite=True, image=image, quality=quality)
    redactor = FrameRedactor(settings)
    with VideoReader(source) as video, VideoWriter(target, source, video, settings) as sink:
        for frame in video:
            if frame.index == frames:
                break
            faces = [
                Face(track, box, 1.0, Origin.DETECTED)
                for track, box in truth.get(frame.index, ())
                if not visible(frame.index, track)
            ]
            sink.write(redactor.redact(frame, faces))
    return target


def tracks_of(
    truth: Truth,
    size: tuple[int, int],
    frames: int,
    visible: Callable[[int, int], bool] = lambda frame, track: False,
) -> Tracks:
    builder = TracksBuilder()
    for frame, faces in truth.items():
        for track, box in faces:
            if not visible(frame, track):
                builder.add(frame, Face(track, box, 1.0, Origin.DETECTED))
    times = np.arange(frames, dtype=np.int64)
    return Tracks(size, Fraction(1, 25), times, (), builder.tracks())


class FakeProbe(Probe):
    """Returns the nth detections for the nth frame, and none in crops."""

    def __init__(self, detections: Sequence[Sequence[ProbeDetection]], name: str = "fake") -> None:
        self.name = name
        self.label = "face"
        self.crops: list[Box] = []
        self.turned = 0
        self._detections = iter(detections)

    def detect_turned(self, image: Image, pixel_aspect: Fraction) -> list[ProbeDetection]:
        self.turned += 1
        return []

    def detect(self, image: Image, pixel_aspect: Fraction) -> list[ProbeDetection]:
        return list(next(self._detections, ()))

    def detect_in_crop(self, image: Image, box: Box) -> list[ProbeDetection]:
        self.crops.append(box)
        return []


class FakeClassifier:
    """Gives every place the same log odds, and remembers the frames that it was asked about."""

    def __init__(self, log_odds: float) -> None:
        self.images: list[Image] = []
        self._log_odds = log_odds

    def log_odds(self, image: Image, boxes: Sequence[Box]) -> npt.NDArray[np.float64]:
        self.images.append(image)
        return np.full(len(boxes), self._log_odds)


def use_fake_probe(
    monkeypatch: pytest.MonkeyPatch,
    detections: Sequence[Sequence[ProbeDetection]] = (),
    log_odds: float | None = None,
) -> FakeProbe:
    """Replace all probes with a FakeProbe, and the classifiers with one that says `log_odds`."""
    probe = FakeProbe(detections)
    verifier = "tracker_blur.verification.verifier"
    monkeypatch.setattr(f"{verifier}.load_probes", lambda *_: (probe,))
    classifiers = {} if log_odds is None else {"face": FakeClassifier(log_odds)}
    monkeypatch.setattr(f"{verifier}.load_classifiers", lambda *_: classifiers)
    return probe


def own_weights_only(monkeypatch: pytest.MonkeyPatch, cache: Path) -> None:
    """Make only the weights that come with the package available; `cache` is an empty folder."""
    monkeypatch.delenv("TRACKBLUR_MODELS", raising=False)
    monkeypatch.setattr("tracker_blur.weights.store.cache_folder", lambda: cache)


def true_detections(
    truth: Truth, frames: int = FRAMES, score: float = 0.9
) -> list[list[ProbeDetection]]:
    return [
        [ProbeDetection(box, score, "fake") for _, box in truth.get(i, ())] for i in range(frames)
    ]
