"""Tracks and embeddings of people who do not exist, for tests without networks."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from typing import TYPE_CHECKING

import numpy as np

from tracker_blur.core.box import Box
from tracker_blur.core.tracks import Face, Origin, Track, Tracks
from tracker_blur.core.tracks_builder import TracksBuilder
from tracker_blur.people.embedders import Thresholds
from tracker_blur.people.gallery import KnownPerson
from tracker_blur.people.samples import TrackFaces

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from tracker_blur.people.embedders import Vectors

RATE = 25
THRESHOLDS = Thresholds(
    same=0.5,
    keep=0.6,
    keep_second=0.55,
    keep_still=0.65,
    margin=0.1,
    changed=0.35,
    other=0.2,
    min_length=0.0,
)


def face_of(person: int, likeness: float = 1.0) -> Vectors:
    """Return an embedding whose cosine to that of a person is `likeness`; people have nothing
    in common."""
    vector = np.zeros(128, np.float32)
    vector[person] = likeness
    vector[100 + person % 28] = np.sqrt(1 - likeness**2)
    return vector


def faces_in(frames: Iterable[int], *vectors: Vectors) -> TrackFaces:
    """Return good faces in these frames; the last vector continues."""
    at = np.array(list(frames), np.int32)
    rows = [vectors[min(number, len(vectors) - 1)] for number in range(len(at))]
    return TrackFaces(at, np.array(rows, np.float32).reshape(-1, 128), np.ones(len(at), np.float32))


def known(name: str, *vectors: Vectors) -> KnownPerson:
    """Return a person of a gallery."""
    return KnownPerson(name, np.stack(vectors))


def track(track_id: int, frames: Iterable[int], x: float = 50, label: str = "face") -> Track:
    """Return a track that stays at a place, with a detection in each frame."""
    builder = TracksBuilder()
    for frame in frames:
        builder.add(frame, Face(track_id, Box(x, 50, x + 60, 120), 0.9, Origin.DETECTED))
    return replace(builder.tracks()[0], label=label)


def video(*tracks: Track, frames: int = 250, cuts: Sequence[int] = ()) -> Tracks:
    """Return the tracks of a video of 25 frames a second."""
    times = np.arange(frames, dtype=np.int64)
    return Tracks((640, 360), Fraction(1, RATE), times, tuple(cuts), tracks)
