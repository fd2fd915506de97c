"""The queue of doubts: where a reviewer should look, most risky first.

They come from the tracks alone, and from the report of `verify` if there is one. A risk, 0 to 1,
says how likely a face can be seen there, or may be seen that must not; it compares places, and is
no probability. What is certain is left out: ends at the border and at cuts, and those where another
track continues.
"""

from __future__ import annotations

import hashlib
import json
import math
from dataclasses import dataclass, replace
from itertools import islice
from typing import TYPE_CHECKING

import numpy as np

from tracker_blur.core.box import Box
from tracker_blur.core.box_arrays import ious
from tracker_blur.review.doubt import Doubt
from tracker_blur.review.doubt_context import DoubtContext, runs
from tracker_blur.review.occupied_places import OccupiedPlaces
from tracker_blur.review.parameters import DoubtParameters
from tracker_blur.review.track_doubts import track_doubts
from tracker_blur.review.uncovered import uncovered

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Sequence
    from typing import Any

    from tracker_blur.core.tracks import Tracks

_ALWAYS = {"verify", "kept_stretch", "crossing", "uncovered", "zone_shows", "limit_shows"}


@dataclass(frozen=True, slots=True)
class Queue:
    """The doubts of a video.

    Attributes:
        doubts: those to look at, most risky first.
        left_out: how many less risky ones there are.
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
        decided: tracks that a person has said to hide or keep: that decision is not doubtful.
        report: what `verify` found: its runs and places to look at, as in its JSON report.
        parameters: tuning parameters.
        before: the tracks before any edit; None: nothing was edited.
    """
    limits = parameters or DoubtParameters()
    context = DoubtContext(tracks, limits)
    found = [
        *verify_doubts(report, tracks),
        *(() if before is None else _shown(before, tracks, decided)),
        *_kept(context, decided),
        *_crossings(context),
        *_candidates(context),
        *(doubt for track in tracks.tracks for doubt in track_doubts(context, track)),
    ]
    known: dict[str, Doubt] = {}
    for doubt in sorted(found, key=_rank):
        known.setdefault(doubt.doubt_id, doubt)
    risky = [doubt for doubt in known.values() if doubt.risk >= limits.least_risk]
    kept = _spread(risky, context)
    return Queue(tuple(kept), len(risky) - len(kept))


def _kept(context: DoubtContext, decided: Collection[int]) -> Iterator[Doubt]:
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
            _exactly(track.last, track.box(middle)),
        )


def _candidates(context: DoubtContext) -> Iterator[Doubt]:
    """Yield what may be a face but became no track, unless a track is there by now."""
    candidates = context.tracks.candidates
    frames = {frame for candidate in candidates for frame, _ in candidate.boxes}
    occupied = OccupiedPlaces(context.tracks, frames, context.limits)
    held = iter(occupied.hold([place for candidate in candidates for place in candidate.boxes]))
    for candidate in candidates:
        here = list(islice(held, len(candidate.boxes)))
        if sum(here) * 2 > len(here):
            continue
        share = context.size_share(candidate.boxes[0][1])
        large = min(1.0, share / context.limits.large_share)
        chance = (1 + math.tanh(candidate.log_odds / 2)) / 2  # the logistic function
        risk = context.limits.candidate_risk * large * chance
        span, box = (candidate.first, candidate.last), candidate.boxes[0][1]
        which = _exactly(candidate.last, box)
        doubt = Doubt.at("low_confidence", span, None, box, risk, context.tracks.size, which)
        yield replace(doubt, boxes=candidate.boxes)


def _exactly(last: int, box: Box) -> str:
    """Return what distinguishes places that begin in one frame, close together."""
    return f"{last}:{box.as_tuple()}"


def _crossings(context: DoubtContext) -> Iterator[Doubt]:
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

    Places of another search are other places, even at the same position: someone must look again.
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


def _spread(doubts: Sequence[Doubt], context: DoubtContext) -> list[Doubt]:
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
