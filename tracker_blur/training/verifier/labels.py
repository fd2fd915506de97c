"""Which candidates show an object, which do not, and which no one can tell.

People leave objects unlabeled: small faces in the background, above all. To learn that these are
none would teach a verifier to uncover them. So where people labeled objects, what a second detector
sees, too, is no false alarm: it gives no crop at all. The first detector's own score proves
nothing: its high-confidence false alarms are what a verifier is for. Without a second one,
it must do.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from tracker_blur.settings import FACE
from tracker_blur.training.recipe import HEAD

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from tracker_blur.core.box import Box
    from tracker_blur.training.candidates import Candidates
    from tracker_blur.training.datasets import AnnotatedImage

Boxes = npt.NDArray[np.float64]
"""Rows of left, top, right, bottom in the image's pixels."""

TOO_LARGE = 6.0
"""Times an object's area that is more than any box of it: a body, or the whole image."""

_SMALLEST_PX = 6.0  # shorter side of an object; no one can recognize smaller ones
_SAME_IOU = 0.45
_SEEN_IOU = 0.3
_SEEN_BY_SECOND, _HIGH_CONFIDENCE = 0.22, 0.6  # scores
_WHOLE_SHARE = 0.8  # of an object that lies in a box
_TOUCHED_SHARE, _TOUCHED_IOU = 0.15, 0.1
_IGNORED_SHARE = 0.2
_WEIGHT_PER_SCORE = 4.0  # false alarms with high scores matter most


@dataclass(frozen=True, slots=True)
class LabeledCandidates:
    """What a verifier learns of an image.

    Attributes:
        objects: Labeled objects, and detections of them.
        false_alarms: Detections of anything else.
        weights: How often each of the false alarms is drawn, relative to others; shape (n,).
        labeled: Labeled objects alone.
        undecided: Regions in which there may be objects that no one labeled.
        is_empty: There is no object in the image.
        is_complete: All of the image's objects are labeled.
    """

    objects: Boxes
    false_alarms: Boxes
    weights: npt.NDArray[np.float64]
    labeled: Boxes
    undecided: Boxes
    is_empty: bool
    is_complete: bool

    def scaled(self, ratio: float) -> LabeledCandidates:
        """Return the same in an image that is `ratio` times as large."""
        return replace(
            self,
            objects=self.objects * ratio,
            false_alarms=self.false_alarms * ratio,
            labeled=self.labeled * ratio,
            undecided=self.undecided * ratio,
        )


def label_candidates(
    image: AnnotatedImage, candidates: Candidates, label: str, partly_labelled: Sequence[str] = ()
) -> LabeledCandidates:
    """Return which candidates are objects and which are false alarms.

    Args:
        image: The image and its labels.
        candidates: What detectors take for objects in it.
        label: The class; heads count as faces.
        partly_labelled: Folders whose images may show more objects than are labeled.
    """
    wanted = {label, HEAD} if label == FACE else {label}
    labeled = _array(box for name, box in image.objects if name in wanted)
    has_heads = any(name == HEAD for name, _ in image.objects)
    others = (box for name, box in image.objects if name not in wanted)
    ignored = _array([*image.ignored, *others])
    is_complete = image.path.parent.name not in partly_labelled
    offers_none = len(labeled) > 0 and (has_heads or not is_complete)
    boxes, scores = candidates[:, :4].astype(np.float64), candidates[:, 4].astype(np.float64)
    if len(labeled) or not is_complete:
        possible = _may_be_object(boxes, scores, candidates[:, 5])
    else:
        possible = np.zeros(len(boxes), bool)
    ious, of_box, of_object = overlaps(boxes, labeled)
    is_object = ious.max(1, initial=0) >= _SAME_IOU
    is_large = _is_too_large(boxes, labeled, of_object)
    touches = (of_box.max(1, initial=0) > _TOUCHED_SHARE) | (ious.max(1, initial=0) > _TOUCHED_IOU)
    is_unclear = possible | (overlaps(boxes, ignored)[1].max(1, initial=0) > _IGNORED_SHARE)
    is_false = ~is_object & (is_large | ~(touches | is_unclear)) & (not offers_none)
    visible = (labeled[:, 2:] - labeled[:, :2]).min(1, initial=np.inf) >= _SMALLEST_PX
    return LabeledCandidates(
        np.concatenate((labeled[visible], boxes[is_object])),
        boxes[is_false],
        1.0 + _WEIGHT_PER_SCORE * scores[is_false],
        labeled,
        np.concatenate((ignored, boxes[possible & ~is_object])),
        not len(labeled) and not len(ignored) and is_complete,
        is_complete and not has_heads,
    )


def _array(boxes: Iterable[Box]) -> Boxes:
    return np.array([box.as_tuple() for box in boxes], np.float64).reshape(-1, 4)


def _may_be_object(
    boxes: Boxes, scores: npt.NDArray[np.float64], sources: npt.NDArray[np.float32]
) -> npt.NDArray[np.bool_]:
    """Return which candidates a second detector sees, too; without one, high-confidence ones."""
    is_second = sources >= 2  # each detector has two: upright, and turned
    judges, least = (is_second, _SEEN_BY_SECOND) if is_second.any() else (None, _HIGH_CONFIDENCE)
    rivals, rated = (boxes, scores) if judges is None else (boxes[judges], scores[judges])
    same = overlaps(boxes, rivals)[0] > _SEEN_IOU
    return np.asarray(np.where(same, rated, 0.0).max(1, initial=0) >= least, bool)


def _is_too_large(
    boxes: Boxes, labeled: Boxes, of_object: npt.NDArray[np.float64]
) -> npt.NDArray[np.bool_]:
    """Return which boxes hold a whole object and are many times larger than each they hold."""
    areas = np.where(of_object > _WHOLE_SHARE, _areas(labeled), 0.0).max(1, initial=0)
    return np.asarray((areas > 0) & (_areas(boxes) > TOO_LARGE * areas), bool)


def overlaps(
    boxes: Boxes, others: Boxes
) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64], npt.NDArray[np.float64]]:
    """Return IoU, and shared area as a share of the box and of the other; shape (boxes, others)."""
    low = np.maximum(boxes[:, None, :2], others[:, :2])
    high = np.minimum(boxes[:, None, 2:], others[:, 2:])
    shared = np.clip(high - low, 0, None).prod(-1)
    own, theirs = _areas(boxes)[:, None], _areas(others)
    tiny = 1e-6
    return (
        shared / np.maximum(own + theirs - shared, tiny),
        shared / np.maximum(own, tiny),
        shared / np.maximum(theirs, tiny),
    )


def _areas(boxes: Boxes) -> npt.NDArray[np.float64]:
    return np.asarray(np.clip(boxes[:, 2:] - boxes[:, :2], 0, None).prod(1), np.float64)
