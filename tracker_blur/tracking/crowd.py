"""Gives what one detection in the whole view shows to the faces of a crowd, instead of crops."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from tracker_blur.core.box_arrays import edges, ious, touching

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tracker_blur.core.box import Box, Detection


def matches(
    expected: Sequence[Box], seen: Sequence[Detection], min_iou: float
) -> list[Detection | None]:
    """Return for each box the detection that overlaps most with it; None if none does enough.

    A detection is given to one box only, to the one that it overlaps most with.

    Args:
        expected: Where faces should be.
        seen: Detections, in pixels of the same view.
        min_iou: Least overlap.
    """
    boxes, others = edges(expected), edges(one.box for one in seen)
    rows, columns = touching(boxes, others)
    overlaps = ious(boxes[rows], others[columns])
    found: list[Detection | None] = [None] * len(boxes)
    given: set[int] = set()
    for pair in np.argsort(-overlaps, kind="stable").tolist():
        row, column = int(rows[pair]), int(columns[pair])
        if overlaps[pair] < min_iou:
            break
        if found[row] is None and column not in given:
            found[row] = seen[column]
            given.add(column)
    return found
