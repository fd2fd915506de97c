"""The queue of doubts: where a reviewer should look, most risky first.

They come from the tracks alone, and from the report of `verify` if there is one. A risk, 0 to 1,
says how likely a face can be seen there, or may be seen that must not; it compares places, and is
no probability. What is certain is left out: ends at the border and at cuts, and those where another
track goes on.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, TypeAlias

import numpy as np
import numpy.typing as npt

from tracker_blur.core.box import Box
from tracker_blur.core.box_arrays import intersection_areas, ious
from tracker_blur.core.timeline import split
from tracker_blur.core.tracks import ORIGINS, Origin, Track, Tracks
from tracker_blur.review.parameters import DoubtParameters
from tracker_blur.review.uncovered import uncovered

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Sequence
    from typing import Any

Rows: TypeAlias = npt.NDArray[np.intp]
"""Rows of a track."""

_GRID = 64  # places are told apart by this many columns and rows of the frame
_DRAWN = ORIGINS.index(Origin.DRAWN)
_ALWAYS = {"verify", "kept_stretch", "crossing", "uncovered", "zone_shows", "limit_shows"}
_TRUSTED = (ORIGINS.index(Origin.DETECTED), _DRAWN)


@dataclass(frozen=True, slots=True)
class Doubt:
    """A place to look at.

    Attributes:
        kind: "track_end", "gap", "low_confidence", "short_track", "unsure_join", "crossing",
            "verify", "kept_stretch", "uncovered", "zone_shows" or "limit_shows".
        frame: where to look first.
        last: the last frame of it.
        track: the track concerned; None: none.
        box: where, in pixels of the upright frame; None: all of it.
        risk: 0 to 1.
        doubt_id: the same for the same place, whatever is edited elsewhere.
        boxes: where it is in each frame, if that is known of what `verify` found.
    """

    kind: str
    frame: int
    last: int
    track: int | None
    box: Box | None
    risk: float
    doubt_id: str
    boxes: tuple[tuple[int, Box], ...] = ()

    @classmethod
    def at(
        cls,
        kind: str,
        frames: tuple[int, int],
        track: int | None,
        box: Box | None,
        risk: float,
        size: tuple[int, int],
        found_in: str = "",
    ) -> Doubt:
        """Return a doubt, named by its kind, its frames, its place and what it was found in."""
        place = "" if box is None else _place(box, size)
        text = f"{kind}:{frames[0]}:{place}:{found_in}"
        doubt_id = f"{kind}-{hashlib.sha256(text.encode()).hexdigest()[:12]}"
        return cls(kind, *frames, track, box, round(min(max(risk, 0.0), 1.0), 3), doubt_id)

    def to_dict(self) -> dict[str, Any]:
        """Return it as data for JSON."""
        return {
            "id": self.doubt_id,
            "kind": self.kind,
            "frame": self.frame,
            "last": self.last,
            "track": self.track,
            "box": None if self.box is None else [round(edge, 1) for edge in self.box.as_tuple()],
            "risk": self.risk,
            "boxes": [
                [frame, *(round(edge, 1) for edge in box.as_tuple())] for frame, box in self.boxes
            ],
        }


@dataclass(frozen=True, slots=True)
class Queue:
    """The doubts of a video.

    Attributes:
        doubts: those to look at, most risky first.
        left_out: how many less risky ones there are besides.
    """

    doubts: tuple[Doubt, ...]
    left_out: int = 0


def doubts_of(
    tracks: Tracks,
    decided: Collection[int] = (),
    report: Iterable[dict[str, Any]] = (),
    parameters: DoubtParameters | None = None,
    before: Tracks | None = None,
) -> list[Doubt]:
    """Return the doubts of a video, most risky first; see `queue_of`."""
    return list(queue_of(tracks, decided, report, parameters, before).doubts)


def queue_of(
    tracks: Tracks,
    decided: Collection[int] = (),
    report: Iterable[dict[str, Any]] = (),
    parameters: DoubtParameters | None = None,
    before: Tracks | None = None,
) -> Queue:
    """Return the doubts of a video.

    Args:
        tracks: its tracks.
        decided: tracks that a person has said to hide or keep: whether to is no doubt any more.
        report: what `verify` found: its runs and places to look at, as in its JSON report.
        parameters: tuning parameters.
        before: the tracks before any edit; None: nothing was edited.
    """
    limits = parameters or DoubtParameters()
    context = _Context(tracks, limits)
    found = [
        *verify_doubts(report, tracks),
        *(() if before is None else _shown(before, tracks, decided)),
        *_kept(context, decided),
        *_crossings(context),
        *(doubt for track in tracks.tracks for doubt in _of_track(context, track)),
    ]
    known: dict[str, Doubt] = {}
    for doubt in sorted(found, key=_rank):
        known.setdefault(doubt.doubt_id, doubt)
    risky = [doubt for doubt in known.values() if doubt.risk >= limits.least_risk]
    kept = _spread(risky, context)
    return Queue(tuple(kept), len(risky) - len(kept))


class _Context:
    """A video's tracks, with what all kinds of doubts need to know of them."""

    def __init__(self, tracks: Tracks, limits: DoubtParameters) -> None:
        self.tracks = tracks
        self.limits = limits
        self.seconds = tracks.seconds - (tracks.seconds[0] if tracks.frame_count else 0.0)
        # Frames that begin a scene; the video's ends are such, too.
        self.cuts = np.array([0, *tracks.cuts, tracks.frame_count])
        self.hidden, _ = split(tracks)
        spans = [(self.seconds[one.first], self.seconds[one.last]) for one in self.hidden]
        self.spans = np.array(spans, np.float64).reshape(-1, 2)

    def time_between(self, first: int, last: int) -> float:
        """Return the seconds between two frames."""
        return float(abs(self.seconds[last] - self.seconds[first]))

    def shot(self, frame: int) -> range:
        """Return the frames of the scene that a frame is in."""
        place = int(np.searchsorted(self.cuts, frame, side="right"))
        return range(int(self.cuts[place - 1]), int(self.cuts[min(place, len(self.cuts) - 1)]))

    def is_at_border(self, box: Box) -> bool:
        """Return whether a face is about to leave the frame, or has just come into it."""
        reach = self.limits.border_sizes * box.size
        width, height = self.tracks.size
        return (
            box.left <= reach
            or box.top <= reach
            or box.right >= width - reach
            or box.bottom >= height - reach
        )

    def size_share(self, box: Box) -> float:
        """Return the size of a box as a share of the frame's shorter side."""
        return box.size / min(self.tracks.size)

    def goes_on(self, track: Track, frame: int, box: Box, step: int) -> bool:
        """Return whether another hidden track is at the place where one ends.

        Args:
            track: the track.
            frame: its last frame, or its first one.
            box: where it is there.
            step: 1 after an end, -1 before a start.
        """
        reach = self.limits.near_seconds
        low, high = sorted((self.seconds[frame], self.seconds[frame] + step * reach))
        near = np.flatnonzero((self.spans[:, 0] <= high) & (self.spans[:, 1] >= low))
        for index in near.tolist():
            other = self.hidden[index]
            if other.track_id == track.track_id:
                continue
            times = self.seconds[other.frames]
            rows = np.flatnonzero((times >= low) & (times <= high) & (other.frames != frame))
            here = np.array([box.as_tuple()] * len(rows)).reshape(-1, 4)
            shared = intersection_areas(other.boxes[rows].astype(np.float64), here)
            if len(rows) and shared.max() >= self.limits.near_share * box.area:
                return True
        return False


def _of_track(context: _Context, track: Track) -> Iterator[Doubt]:
    """Yield the doubts about one track that is hidden: where it may not be, but should."""
    if not track.hide:
        return
    limits, size = context.limits, context.tracks.size
    trusted = np.flatnonzero(np.isin(track.origins, _TRUSTED))
    if not len(trusted):
        trusted = np.arange(len(track))
    first, last = int(trusted[0]), int(trusted[-1])
    weight = _weight(context, track, trusted)
    seconds = context.time_between(int(track.frames[first]), int(track.frames[last]))
    best = float(track.scores[trusted].max())
    ends = list(_open_ends(context, track, first, last))
    middle = int(trusted[np.argmax(track.scores[trusted])])
    at = (int(track.frames[middle]), track.last)
    if best < limits.face_score:
        risk = 0.05 + 0.5 * weight
        yield Doubt.at("low_confidence", at, track.track_id, track.box(middle), risk, size)
        ends = []
    elif seconds < limits.short_seconds and ends and not track.is_drawn:
        risk = 0.1 + 0.5 * weight
        yield Doubt.at("short_track", at, track.track_id, track.box(middle), risk, size)
        ends = []
    for step in ends:
        row = len(track) - 1 if step > 0 else 0
        beyond = int(track.frames[row]) + step  # within the video: its ends are no open ones
        risk = weight * _abruptness(track, trusted, step, limits)
        yield Doubt.at("track_end", (beyond, beyond), track.track_id, track.box(row), risk, size)
    yield from _holes(context, track, weight)


def _weight(context: _Context, track: Track, trusted: Rows) -> float:
    """Return how much a face matters, 0 to 1: large, long and surely seen ones do most."""
    limits = context.limits
    sizes = np.sqrt(np.prod(track.boxes[trusted, 2:] - track.boxes[trusted, :2], axis=1))
    share = float(np.median(sizes)) / min(context.tracks.size)
    large = min(1.0, share / limits.large_share)
    seconds = context.time_between(int(track.frames[trusted[0]]), int(track.frames[trusted[-1]]))
    long = 0.5 + 0.5 * min(1.0, seconds / limits.long_seconds)
    # Of a face that turns, most detections are weak; the best ones say whether it is one.
    return large * long * _sureness(float(np.quantile(track.scores[trusted], 0.9)), limits)


def _sureness(score: float, limits: DoubtParameters) -> float:
    """Return how surely a score is that of a face, 0 to 1."""
    share = (score - limits.low_score) / (limits.sure_score - limits.low_score)
    return min(1.0, max(0.1, share))


def _open_ends(context: _Context, track: Track, first: int, last: int) -> Iterator[int]:
    """Yield the ends of a track that nothing explains: -1 for the first one, 1 for the last.

    Args:
        context: the video.
        track: the track.
        first: the row of its first detection.
        last: that of its last one.
    """
    limits = context.limits
    for row, end, step in ((first, 0, -1), (last, len(track) - 1, 1)):
        frame = int(track.frames[end])
        shot = context.shot(frame)
        edge = shot.start if step < 0 else shot.stop - 1
        if context.time_between(frame, edge) <= limits.cut_seconds:
            continue
        boxes = [track.box(row), track.box(end)]
        if any(context.is_at_border(box) for box in boxes):
            continue
        if context.goes_on(track, frame, boxes[1], step):
            continue
        yield step


def _abruptness(track: Track, trusted: Rows, step: int, limits: DoubtParameters) -> float:
    """Return how sudden a track ends, 0 to 1: surely seen, then gone, or slowly less sure."""
    ends = trusted[-3:] if step > 0 else trusted[:3]
    return 0.5 + 0.5 * _sureness(float(track.scores[ends].mean()), limits)


def _holes(context: _Context, track: Track, weight: float) -> Iterator[Doubt]:
    """Yield gaps without boxes within a scene, and long ones that were filled."""
    limits, size = context.limits, context.tracks.size
    for row in np.flatnonzero(np.diff(track.frames) > 1).tolist():
        before, after = int(track.frames[row]), int(track.frames[row + 1])
        seconds = context.time_between(before, after)
        if after not in context.shot(before) or seconds < limits.gap_seconds:
            continue
        box = track.box(row).union(track.box(row + 1))
        if context.is_at_border(track.box(row)) and context.is_at_border(track.box(row + 1)):
            continue
        risk = weight * (0.3 + 0.5 * min(1.0, seconds))
        yield Doubt.at("gap", (before + 1, after - 1), track.track_id, box, risk, size)
    between = track.has(Origin.BETWEEN) | track.has(Origin.HELD)
    for first, last in runs(between):
        if first == 0 or last == len(track) - 1:
            continue
        frames = int(track.frames[first]), int(track.frames[last])
        seconds = context.time_between(*frames)
        one, other = track.box(first - 1), track.box(last + 1)
        way = np.hypot(*np.subtract(one.center, other.center)) / max(1.0, one.size)
        grown = max(one.size, other.size) / max(1.0, min(one.size, other.size))
        if seconds < limits.join_seconds or (way < 0.5 and grown < 1.3):
            continue
        risk = weight * min(1.0, 0.15 + 0.2 * seconds + 0.1 * way)
        middle = (frames[0] + frames[1]) // 2
        box = one.union(other)
        yield Doubt.at("unsure_join", (middle, frames[1]), track.track_id, box, risk, size)


def _kept(context: _Context, decided: Collection[int]) -> Iterator[Doubt]:
    """Yield the tracks that stay visible without a person having said so on this page."""
    for track in context.tracks.tracks:
        if track.hide or track.track_id in decided:
            continue
        middle = len(track) // 2
        yield Doubt.at(
            "kept_stretch",
            (track.first, track.last),
            track.track_id,
            track.box(middle),
            0.6,
            context.tracks.size,
        )


def _crossings(context: _Context) -> Iterator[Doubt]:
    """Yield where a visible face crosses a hidden one: the two may have been swapped."""
    visible = [track for track in context.tracks.tracks if not track.hide]
    for track in visible:
        for other in context.hidden:
            if other.first > track.last or other.last < track.first:
                continue
            _, here, there = np.intersect1d(track.frames, other.frames, True, return_indices=True)
            one, two = (
                boxes.astype(np.float64) for boxes in (track.boxes[here], other.boxes[there])
            )
            meets = ious(one, two) >= context.limits.crossing_iou
            for first, last in runs(meets):
                frames = int(track.frames[here[first]]), int(track.frames[here[last]])
                box = track.box(int(here[first])).union(other.box(int(there[first])))
                yield Doubt.at("crossing", frames, track.track_id, box, 0.8, context.tracks.size)


def _shown(before: Tracks, now: Tracks, decided: Collection[int]) -> Iterator[Doubt]:
    """Yield what can be seen because of edits, zones and limits, without being meant."""
    kinds = {None: "uncovered", "zone": "zone_shows", "size": "limit_shows", "time": "limit_shows"}
    for place in uncovered(before, now, decided):
        frames, kind = (place.first, place.last), kinds.get(place.reason, "uncovered")
        yield Doubt.at(kind, frames, place.track_id, place.box, 0.9, now.size)


def verify_doubts(report: Iterable[dict[str, Any]], tracks: Tracks) -> Iterator[Doubt]:
    """Yield what `verify` found; what is in no frame of the video is left out.

    What another search finds are other places, even where they lie: someone must look again.
    """
    runs = list(report)
    found_in = hashlib.sha256(json.dumps(runs, sort_keys=True).encode()).hexdigest()
    for run in runs:
        try:
            first, last = int(run["first_frame"]), int(run["last_frame"])
            boxes = tuple(
                (int(frame["frame"]), Box(*(float(edge) for edge in frame["box"])))
                for frame in run["frames"]
            )
        except (KeyError, TypeError, ValueError):
            continue
        if not boxes or not 0 <= first <= last < tracks.frame_count:
            continue
        risk = 1.0 if run.get("is_exposed") else 0.6
        doubt = Doubt.at("verify", (first, last), None, boxes[0][1], risk, tracks.size, found_in)
        yield replace(doubt, boxes=boxes)


def _spread(doubts: Sequence[Doubt], context: _Context) -> list[Doubt]:
    """Return as many doubts as a person can look at, the least risky ones left out."""
    minutes = float(context.seconds[-1]) / 60 if len(context.seconds) else 0.0
    most = round(context.limits.most_a_minute * max(1.0, minutes))
    sure = [one for one in doubts if one.kind in _ALWAYS]
    others = [one for one in doubts if one not in sure]
    kept = [*sure, *others[: max(0, most - len(sure))]]
    return sorted(kept, key=_rank)


def _rank(doubt: Doubt) -> tuple[float, bool, int, str]:
    """Return the key that sorts doubts: the most risky first, and what was found before a guess."""
    return -doubt.risk, doubt.kind != "verify", doubt.frame, doubt.kind


def runs(which: np.ndarray[Any, np.dtype[np.bool_]]) -> list[tuple[int, int]]:
    """Return (first, last) of each stretch of True."""
    edges = np.flatnonzero(np.diff(np.concatenate([[False], which, [False]]).astype(np.int8)))
    return [(int(start), int(stop) - 1) for start, stop in edges.reshape(-1, 2).tolist()]


def _place(box: Box, size: tuple[int, int]) -> str:
    x, y = box.center
    return f"{int(x * _GRID // size[0])},{int(y * _GRID // size[1])}"
