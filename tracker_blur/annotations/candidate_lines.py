"""Candidates in track files: places that may show a face, for people to look at."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np

from tracker_blur.annotations.rows import LARGEST_ID, outward, track_box
from tracker_blur.annotations.values import (
    InvalidValueError,
    items,
    name_text,
    number,
    whole_number,
)
from tracker_blur.core.candidates import Candidate

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

KEYS = ("candidate", "label", "score", "log_odds", "boxes")
MAX_CANDIDATES = 100_000

_MAX_LOG_ODDS = 1000.0
_PLACE = "[frame, left, top, right, bottom]"


def candidate_lines(candidates: Sequence[Candidate]) -> Iterator[dict[str, Any]]:
    """Yield a line for each candidate, as data for JSON; raises ValueError as `outward` does."""
    for count, candidate in enumerate(candidates, 1):
        edges = outward(np.array([box.as_tuple() for _, box in candidate.boxes], np.float32))
        yield {
            "candidate": count,
            "label": candidate.label,
            "score": round(candidate.score, 4),
            "log_odds": round(candidate.log_odds, 2),
            "boxes": [
                [frame, *row]
                for (frame, _), row in zip(candidate.boxes, edges.tolist(), strict=True)
            ],
        }


def candidate_of(line: Mapping[str, Any], frame_count: int) -> tuple[int, Candidate]:
    """Return the number of a candidate and the candidate, from a line that has all keys.

    Args:
        line: The line.
        frame_count: How many frames the video has.

    Raises:
        InvalidValueError: A value makes no sense.
    """
    boxes = []
    for place in items(line["boxes"], "boxes", expected=f"[{_PLACE}, ...]"):
        frame, *edges = items(place, "an item of boxes", 5, _PLACE)
        boxes.append((whole_number(frame, "frame", 0, frame_count - 1), track_box(edges)))
    if not boxes or any(one >= other for (one, _), (other, _) in pairwise(boxes)):
        raise InvalidValueError("boxes needs one place at least, and frames that ascend")
    return whole_number(line["candidate"], "candidate", 1, LARGEST_ID), Candidate(
        tuple(boxes),
        number(line["score"], "score", 0.0, 1.0),
        number(line["log_odds"], "log_odds", -_MAX_LOG_ODDS, _MAX_LOG_ODDS),
        name_text(line["label"], "label"),
    )
