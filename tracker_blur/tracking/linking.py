"""Links tracklets that are one face; no pixels."""

from __future__ import annotations

import math
from bisect import bisect_left, bisect_right
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from tracker_blur.core.tracks import ORIGINS, Face, Origin, Track
from tracker_blur.core.tracks_builder import TracksBuilder
from tracker_blur.tracking.appearance import Appearance, common_color_share
from tracker_blur.tracking.association import FAR, assign_sparse, distance
from tracker_blur.tracking.tracklets import ROUNDING_SECONDS, Tracklet

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tracker_blur.core.box import Box
    from tracker_blur.core.parameters import LinkingParameters
    from tracker_blur.tracking.first_pass import RawTracks
    from tracker_blur.tracking.scene_cuts import Scenes

_ROUNDING_PX = 1e-6


@dataclass(frozen=True)
class LinkedTrack:
    """One face.

    Attributes:
        track: Its rows, with gaps.
        unsupported: What trackers report within the gaps; None if nothing.
        parts: The parts of raw tracks that it was made of, in order.
    """

    track: Track
    unsupported: Track | None
    parts: tuple[Track, ...]

    @property
    def raw_ids(self) -> frozenset[int]:
        """Identifiers of the raw tracks that it was made of."""
        return frozenset(part.track_id for part in self.parts)


@dataclass(frozen=True, slots=True)
class _End:
    """The first or last detection of a tracklet.

    Attributes:
        frame: Its frame.
        box: Its box.
        velocity: How the face moves there, pixels per second.
        histogram: Its colors.
        max_seconds: For how long the velocity holds.
    """

    frame: int
    box: Box
    velocity: tuple[float, float]
    histogram: bytes
    max_seconds: float

    @property
    def reach_px(self) -> float:
        """How far it may have moved, at most."""
        return math.hypot(*self.velocity) * self.max_seconds

    def at(self, elapsed: float) -> Box:
        elapsed = max(-self.max_seconds, min(self.max_seconds, elapsed))
        return self.box.moved(self.velocity[0] * elapsed, self.velocity[1] * elapsed)


def link_tracklets(
    tracklets: Sequence[Tracklet], raw: RawTracks, scenes: Scenes, parameters: LinkingParameters
) -> list[LinkedTrack]:
    """Return one track for each face, numbered in the order in which they appear."""
    successors = _successors(tracklets, raw, scenes, parameters)
    later = set(successors.values())
    faces = []
    for head in range(len(tracklets)):
        if head in later:
            continue
        chain = [head]
        while chain[-1] in successors:
            chain.append(successors[chain[-1]])
        faces.append(_merged([tracklets[index] for index in chain]))
    faces.sort(key=lambda face: (face.track.first, face.track.track_id))
    return [
        replace(face, track=replace(face.track, track_id=index)) for index, face in enumerate(faces)
    ]


def _successors(
    tracklets: Sequence[Tracklet], raw: RawTracks, scenes: Scenes, parameters: LinkingParameters
) -> dict[int, int]:
    """Return which tracklet continues which, by index; each is in at most one pair as either.

    Links that backtracking found come first, then the assignment of least total cost.
    """
    seconds = raw.tracks.seconds
    cores = [tracklet.core for tracklet in tracklets]
    ends = [_ends(core, seconds, raw.appearance, parameters.velocity_seconds) for core in cores]
    pairs = _backtracked_pairs(cores, ends, raw, parameters)
    taken = set(pairs.values())
    later_ones = [index for index in range(len(cores)) if index not in taken]
    later_ones.sort(key=lambda index: ends[index][0].frame)
    start_frames = [ends[index][0].frame for index in later_ones]
    near = _Starts(later_ones, [ends[index][0] for index in later_ones], seconds, parameters).near
    longest = parameters.longest_gap_seconds
    candidates: list[tuple[int, int, float]] = []
    for earlier, (_, end) in enumerate(ends):
        if earlier in pairs:
            continue
        _, scene_end = scenes.of(end.frame)
        latest = np.searchsorted(seconds, seconds[end.frame] + longest, "right")
        low = bisect_right(start_frames, end.frame)
        high = bisect_left(start_frames, min(scene_end, int(latest)))
        for later in near(end, low, high):
            start = ends[later][0]
            gap = float(seconds[start.frame] - seconds[end.frame])
            is_same_track = cores[earlier].track_id == cores[later].track_id
            cost = _cost(end, start, gap, is_same_track, parameters)
            if cost < FAR:
                candidates.append((earlier, later, cost))
    return pairs | dict(assign_sparse(candidates))


class _Starts:
    """The starts of tracklets, in arrays: of a crowd, most are too far away to be compared.

    Args:
        numbers: The tracklets' indices.
        starts: Their starts.
        seconds: Time of each frame.
        parameters: Tuning parameters.
    """

    def __init__(
        self,
        numbers: Sequence[int],
        starts: Sequence[_End],
        seconds: npt.NDArray[np.float64],
        parameters: LinkingParameters,
    ) -> None:
        self._numbers = numbers
        self._parameters = parameters
        self._all_seconds = seconds
        self._centers = np.array([one.box.center for one in starts]).reshape(-1, 2)
        self._sizes = np.array([one.box.size for one in starts])
        self._seconds = seconds[[one.frame for one in starts]]
        self._reach = np.array([one.reach_px for one in starts])

    def near(self, end: _End, low: int, high: int) -> list[int]:
        """Return which of the tracklets from `low` to `high` may continue one that ends here.

        The others are farther away than any gate, even if both moved towards each other.
        """
        part, limits = slice(low, high), self._parameters
        gaps = self._seconds[part] - self._all_seconds[end.frame]
        gates = np.maximum(
            limits.max_still_sizes, limits.gate_sizes + limits.gate_growth_sizes_per_second * gaps
        )
        sizes = (self._sizes[part] + end.box.size) / 2
        reach = gates * sizes + self._reach[part] + end.reach_px + _ROUNDING_PX
        way = self._centers[part] - end.box.center
        is_near = (way * way).sum(1) <= reach * reach
        return [self._numbers[low + row] for row in np.flatnonzero(is_near).tolist()]


def _backtracked_pairs(
    cores: Sequence[Track],
    ends: Sequence[tuple[_End, _End]],
    raw: RawTracks,
    parameters: LinkingParameters,
) -> dict[int, int]:
    """Return the pairs that backtracking found: one track's last tracklet, another's first.

    The gap between them is no longer than any other that is filled.
    """
    longest = parameters.longest_gap_seconds + ROUNDING_SECONDS
    seconds, detection_frames = raw.tracks.seconds, raw.detection_frames
    lasts = {core.track_id: index for index, core in enumerate(cores)}
    firsts = {core.track_id: len(cores) - 1 - i for i, core in enumerate(reversed(cores))}
    pairs: dict[int, int] = {}
    taken: set[int] = set()
    for earlier_id, later_id in raw.links:
        earlier, later = lasts.get(earlier_id), firsts.get(later_id)
        if earlier is None or later is None or earlier in pairs or later in taken:
            continue
        end, start = ends[earlier][1].frame, ends[later][0].frame
        missed = np.searchsorted(detection_frames, start) - np.searchsorted(
            detection_frames, end, "right"
        )
        is_short = seconds[start] - seconds[end] <= longest
        if end < start and (is_short or missed < parameters.min_missed_detections):
            pairs[earlier] = later
            taken.add(later)
    return pairs


def _cost(
    end: _End, start: _End, gap: float, is_same_track: bool, parameters: LinkingParameters
) -> float:
    """Return how unlike the end of a tracklet and the start of another are; FAR if too unlike.

    Colors are no veto within one raw track: the face may have turned.
    """
    apart = distance(end.box, start.box)
    small, large = sorted((end.box.size, start.box.size))
    shared = common_color_share(end.histogram, start.histogram)
    is_other_color = shared < parameters.min_color_share and not is_same_track
    if large > parameters.max_size_ratio * small or is_other_color:
        return FAR
    if apart <= parameters.max_still_sizes:
        is_near = gap <= parameters.max_still_gap_seconds + ROUNDING_SECONDS
        return apart + 1 - shared if is_near else FAR
    if gap > parameters.max_moving_gap_seconds:
        return FAR
    is_long = gap > parameters.velocity_seconds
    apart = distance(end.at(gap), start.at(-gap) if is_long else start.box)
    if apart > parameters.gate_sizes + parameters.gate_growth_sizes_per_second * gap:
        return FAR
    return apart + 1 - shared


def _ends(
    track: Track, seconds: npt.NDArray[np.float64], appearance: Appearance, velocity_seconds: float
) -> tuple[_End, _End]:
    rows = np.flatnonzero(track.has(Origin.DETECTED))
    return (
        _end(track, rows, seconds, appearance, velocity_seconds),
        _end(track, rows[::-1], seconds, appearance, velocity_seconds),
    )


def _end(
    track: Track,
    rows: npt.NDArray[np.intp],
    seconds: npt.NDArray[np.float64],
    appearance: Appearance,
    velocity_seconds: float,
) -> _End:
    """Return the end at the first of these rows."""
    times = seconds[track.frames[rows]]
    near = rows[np.abs(times - times[0]) <= velocity_seconds]
    end, inner = int(near[0]), int(near[-1])
    box = track.box(end)
    elapsed = float(seconds[track.frames[end]] - seconds[track.frames[inner]])
    velocity = (0.0, 0.0)
    if elapsed:
        (x, y), (u, v) = track.box(inner).center, box.center
        velocity = (u - x) / elapsed, (v - y) / elapsed
    frame = int(track.frames[end])
    histogram = appearance.at(track.track_id, frame)
    return _End(frame, box, velocity, histogram, velocity_seconds)


def _merged(chain: Sequence[Tracklet]) -> LinkedTrack:
    """Return several tracklets as one track; where two have a box, it covers both."""
    parts = tuple(tracklet.core for tracklet in chain)
    if len(chain) == 1:
        return LinkedTrack(parts[0], None, parts)
    head = chain[0].core.track_id
    cores, unsupported = TracksBuilder(), TracksBuilder()
    for tracklet in chain:
        _add(cores, head, tracklet.core, range(tracklet.core.first, tracklet.core.last + 1))
    for earlier, later in pairwise(chain):
        gap = range(earlier.core.last + 1, later.core.first)
        for tracklet in (earlier, later):
            if tracklet.unsupported is not None:
                _add(unsupported, head, tracklet.unsupported, gap)
    (track,) = cores.tracks()
    return LinkedTrack(track, next(iter(unsupported.tracks()), None), parts)


def _add(builder: TracksBuilder, track_id: int, track: Track, frames: range) -> None:
    for row, frame in enumerate(track.frames.tolist()):
        if frame in frames:
            origin = ORIGINS[track.origins[row]]
            face = Face(track_id, track.box(row), float(track.scores[row]), origin)
            builder.add(frame, face)
