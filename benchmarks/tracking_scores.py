"""Scores tracks with TrackEval, for tracking.py, in an environment that has `trackeval`.

Reads JSON from stdin: for each clip the truth and the boxes of each contender. Both have for each
frame the faces (identity, left, top, right, bottom). Writes JSON: for each contender the scores of
each clip, and of all clips as one under the name "all".
"""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
from trackeval.metrics import CLEAR, HOTA, Identity

if TYPE_CHECKING:
    from collections.abc import Sequence

METRICS = (
    HOTA(),
    CLEAR({"THRESHOLD": 0.5, "PRINT_CONFIG": False}),
    Identity({"THRESHOLD": 0.5, "PRINT_CONFIG": False}),
)
SHARES = ("HOTA", "DetA", "AssA", "LocA", "MOTA", "IDF1")  # HOTA's are means over its thresholds
COUNTS = ("CLR_TP", "CLR_FN", "CLR_FP", "IDSW", "Frag")

Rows = list[tuple[int, float, float, float, float]]
Table = npt.NDArray[np.float64]


def sequence(truth: Sequence[Rows], shown: Sequence[Rows]) -> dict[str, Any]:
    """Return the input of TrackEval's metrics: identities from 0, and the overlaps of all boxes."""
    true_ids, true_count = numbered(truth)
    shown_ids, shown_count = numbered(shown)
    return {
        "num_timesteps": len(truth),
        "num_gt_ids": true_count,
        "num_tracker_ids": shown_count,
        "num_gt_dets": sum(map(len, truth)),
        "num_tracker_dets": sum(map(len, shown)),
        "gt_ids": true_ids,
        "tracker_ids": shown_ids,
        "similarity_scores": [
            iou(boxes(true), boxes(faces)) for true, faces in zip(truth, shown, strict=True)
        ],
    }


def numbered(frames: Sequence[Rows]) -> tuple[list[npt.NDArray[np.int64]], int]:
    """Return each frame's identities, numbered from 0, and how many there are."""
    numbers = {name: index for index, name in enumerate(sorted({r[0] for f in frames for r in f}))}
    return [np.array([numbers[row[0]] for row in rows], np.int64) for rows in frames], len(numbers)


def boxes(rows: Rows) -> Table:
    """Return the boxes of one frame, shape (n, 4)."""
    return np.array([row[1:] for row in rows], np.float64).reshape(-1, 4)


def iou(ours: Table, theirs: Table) -> Table:
    """Return the intersection over union of all pairs of boxes, shape (n, m)."""
    first, second = ours[:, None], theirs[None]
    sides = np.minimum(first[..., 2:], second[..., 2:]) - np.maximum(
        first[..., :2], second[..., :2]
    )
    shared = np.clip(sides, 0, None).prod(axis=-1)
    areas = [(table[..., 2:] - table[..., :2]).prod(axis=-1) for table in (first, second)]
    return np.asarray(shared / np.maximum(areas[0] + areas[1] - shared, 1e-9))


def summary(results: dict[str, Any]) -> dict[str, float]:
    """Return the scores of interest."""
    return {name: float(np.mean(results[name])) for name in (*SHARES, *COUNTS)}


def main() -> None:
    """Answer the request on stdin."""
    clips = json.load(sys.stdin)
    contenders = next(iter(clips.values()))["shown"]
    answer: dict[str, dict[str, dict[str, float]]] = {}
    for contender in contenders:
        sequences = {
            name: sequence(clip["truth"], clip["shown"][contender]) for name, clip in clips.items()
        }
        results: dict[str, dict[str, Any]] = {name: {} for name in (*clips, "all")}
        for metric in METRICS:
            by_clip = {name: metric.eval_sequence(data) for name, data in sequences.items()}
            for name, result in by_clip.items():
                results[name] |= result
            results["all"] |= metric.combine_sequences(by_clip)
        answer[contender] = {name: summary(result) for name, result in results.items()}
    json.dump(answer, sys.stdout)


if __name__ == "__main__":
    main()
