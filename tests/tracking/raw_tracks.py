"""Raw tracks for tests of linking and smoothing: what a first pass might return."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from typing import TYPE_CHECKING

import hypothesis.strategies as st
import numpy as np

from tests.tracking.fakes import PARAMETERS
from tracker_blur.core.box import Box
from tracker_blur.core.tracks import Face, Origin, Track, Tracks
from tracker_blur.core.tracks_builder import TracksBuilder
from tracker_blur.tracking.appearance import Appearance
from tracker_blur.tracking.evidence import Evidence
from tracker_blur.tracking.first_pass import RawTracks
from tracker_blur.tracking.hidden_faces import SceneMemory, hidden_faces
from tracker_blur.tracking.plausibility import unconditional_score
from tracker_blur.tracking.smoothing import smooth_face

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from tracker_blur.core.parameters import TrackingParameters

CONFIDENCE = 0.5
SIZE = (640, 360)
BOX = Box.from_xywh(200, 100, 40, 50)
BODY = Box.around((220, 160), 140, 180)
HEAD = Box.around((220, 100), 36, 44)
CHIN = Box(205, 104, 233, 126)
LIMITS = PARAMETERS.plausibility
UNCONDITIONAL = unconditional_score(CONFIDENCE, LIMITS)
MILLISECOND = Fraction(1, 1000)
RED, BLUE = (bytes([255 if index == bin_ else 0 for index in range(24)]) for bin_ in (3, 20))

Row = tuple[int, Face, bytes]
"""A frame, a face in it, and its colors."""


def raw_tracks(
    rows: Iterable[Row],
    frame_count: int = 60,
    *,
    times: Sequence[int] | None = None,
    cuts: tuple[int, ...] = (),
    links: tuple[tuple[int, int], ...] = (),
    evidence: Evidence | None = None,
) -> RawTracks:
    """Return the raw tracks of a first pass; 25 frames a second, unless there are times."""
    builder, appearance = TracksBuilder(), Appearance()
    for frame, face, colors in rows:
        builder.add(frame, face)
        if face.origin is Origin.DETECTED:
            appearance.add(face.track_id, frame, colors)
    stamps = np.array([40 * i for i in range(frame_count)] if times is None else times, np.int64)
    detection_frames = np.arange(len(stamps), dtype=np.int32)
    tracks = Tracks(SIZE, MILLISECOND, stamps, cuts, builder.tracks())
    return RawTracks(tracks, detection_frames, links, appearance, evidence or Evidence())


def face_rows(
    frames: Iterable[int],
    track_id: int = 0,
    *,
    box: Box = BOX,
    score: float = 0.9,
    origin: Origin = Origin.DETECTED,
    colors: bytes = RED,
    speed: float = 0.0,
) -> list[Row]:
    """Return rows of a face that moves `speed` pixels a frame from where it is in frame 0."""
    return [
        (frame, Face(track_id, box.moved(speed * frame, 0), score, origin), colors)
        for frame in frames
    ]


def refine(
    raw: RawTracks, confidence: float, margin_seconds: float, parameters: TrackingParameters
) -> Tracks:
    """Return what is hidden of a video that is refined as a whole."""
    faces, _ = hidden_faces(raw, confidence, parameters, SceneMemory())
    smooth = (smooth_face(face, raw.tracks, margin_seconds, parameters.smoothing) for face in faces)
    return replace(raw.tracks, tracks=tuple(track for track in smooth if track is not None))


def hidden_tracks(raw: RawTracks, margin_seconds: float = 0.0) -> tuple[Track, ...]:
    return refine(raw, CONFIDENCE, margin_seconds, PARAMETERS).tracks


def spans(tracks: Sequence[Track]) -> list[tuple[int, int]]:
    """Return the first and the last frame of each track."""
    return [(track.first, track.last) for track in tracks]


@st.composite
def any_raw_tracks(draw: st.DrawFn, highest_score: float = 1.0) -> RawTracks:
    """Draw raw tracks; no track and no link crosses a cut."""
    steps = draw(st.lists(st.sampled_from([1, 33, 40, 40, 40, 200, 5000]), min_size=1, max_size=50))
    count = len(steps)
    cuts = tuple(sorted(draw(st.sets(st.integers(1, count), max_size=2)) - {count}))
    edges = [0, *cuts, count]
    scenes: dict[int, int] = {}
    rows: list[Row] = []
    chance = np.random.default_rng(draw(st.integers(0, 2**32)))  # drawing each box takes too long
    origins = [*[Origin.DETECTED] * 3, Origin.TRACKED, Origin.HELD]
    for track_id in range(draw(st.integers(0, 5))):
        scenes[track_id] = scene = draw(st.integers(0, len(edges) - 2))
        density, jitter = draw(st.sampled_from([0.1, 0.5, 1.0])), draw(st.sampled_from([0, 5, 40]))
        center = chance.uniform((-50, -50), SIZE)
        for frame in range(edges[scene], edges[scene + 1]):
            if chance.random() <= density:
                x, y = center + chance.normal(0, jitter + 1e-9, 2)
                width, height = 40 + chance.uniform(-0.9, 2, 2) * jitter
                score = chance.uniform(0, highest_score)
                origin = origins[chance.integers(len(origins))]
                face = Face(track_id, Box.from_xywh(x, y, width, height), score, origin)
                rows.append((frame, face, RED if chance.random() < 0.8 else BLUE))
    together = [(a, b) for a in scenes for b in scenes if a < b and scenes[a] == scenes[b]]
    links = tuple(draw(st.lists(st.sampled_from(together), max_size=4))) if together else ()
    start = draw(st.sampled_from([0, -7000, 2**40]))
    times = np.cumsum([start, *steps[1:]], dtype=np.int64).tolist()
    return raw_tracks(rows, times=times, cuts=cuts, links=links)
