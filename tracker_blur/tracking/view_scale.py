"""How large the views of a video are: as large as its smallest faces need, and no larger.

A detector sees faces from about 10 pixels, and those of 20 pixels far better. In the usual view of
a large frame, faces far away are smaller; in a small video, all of them may be. So the first frame
of each scene, and one now and then, is also seen at a large size, and the smallest faces there
decide the size of the views that follow: until the next large view, and for long if that shows such
a face, too. A doubtful face decides only when the next frame that is detected in shows it, too: a
pattern rarely looks like a face twice. Views of small frames may be enlarged.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from itertools import pairwise, product
from typing import TYPE_CHECKING

import numpy as np

from tracker_blur.core.box_arrays import suppress_overlaps
from tracker_blur.core.frame import default_view_px, view_size
from tracker_blur.core.times import slot_of

if TYPE_CHECKING:
    from fractions import Fraction

    from tracker_blur.classifiers import Classifier
    from tracker_blur.core.box import Box, Detection
    from tracker_blur.core.frame import Frame, Image
    from tracker_blur.core.parameters import TrackingParameters, ViewScaleParameters
    from tracker_blur.core.state import State
    from tracker_blur.detectors import Detector
    from tracker_blur.tracking.scene_cuts import Change


@dataclass(frozen=True)
class FixedViews:
    """Views of one size.

    Attributes:
        longest_px: Longest side; None: the default of the frame's size.
        pixel_aspect: Width of a frame's pixel over its height.
    """

    longest_px: int | None
    pixel_aspect: Fraction

    def view(self, frame: Frame, _change: Change) -> Image:
        """Return the view of a frame, as `ScaledViews.view` does."""
        return frame.view(view_size(frame.size, self.longest_px, self.pixel_aspect))

    def state(self) -> State:
        """Return what the next views depend on, besides the next frames: nothing."""
        return ()


class ScaledViews:
    """Views whose size follows the smallest faces.

    Args:
        detector: Sees the large views; used for nothing else, so that its input size never changes.
        classifier: Tells faces from what the detector takes for one.
        confidence: Score from which a detection is a face.
        pixel_aspect: Width of a frame's pixel over its height.
        parameters: Tuning parameters.
    """

    def __init__(
        self,
        detector: Detector,
        classifier: Classifier,
        confidence: float,
        pixel_aspect: Fraction,
        parameters: TrackingParameters,
    ) -> None:
        self._detector = detector
        self._classifier = classifier
        self._confidence = confidence
        self._pixel_aspect = pixel_aspect
        self._parameters = parameters.view_scale
        self._same_face_iou = parameters.same_face_iou
        self._longest_px = 0  # 0: the default
        self._next_large_seconds = -math.inf
        self._needed_until: dict[int, float] = {}  # by longest side, in seconds
        self._wanted_until: dict[int, float] = {}  # by what high-confidence faces wanted
        self._doubtful: tuple[Box, ...] = ()  # those that the next large view is to show again
        self._doubtful_seconds = 0.0  # when they were seen
        self._confirmed_px = 0  # what doubtful faces need that were seen twice

    def view(self, frame: Frame, change: Change) -> Image:
        """Return the view of a video's next frame; frames may be left out.

        Args:
            frame: The frame.
            change: What it is to the frame before.
        """
        default_px = min(default_view_px(frame.size), self._most_px(frame, 1.0))
        self._longest_px = max(self._longest_px, default_px)
        image = self._view(frame, self._longest_px)
        is_cut = change.is_cut
        is_due = is_cut or frame.seconds >= self._next_large_seconds
        if not is_due and not self._doubtful:
            return image
        limits = self._parameters
        if is_cut or self._next_large_seconds == -math.inf:
            self._next_large_seconds = frame.seconds + limits.first_interval_seconds
        elif is_due:  # by the clock: a tracker that begins later soon sees the same large views
            interval = limits.interval_seconds
            self._next_large_seconds = ((slot_of(frame.seconds, interval) or 0) + 1) * interval
        needed_px = self._needed_px(frame, default_px, is_cut=is_cut)
        if needed_px != self._longest_px:
            self._longest_px = needed_px
            image = self._view(frame, needed_px)
        return image

    def _needed_px(self, frame: Frame, default_px: int, *, is_cut: bool) -> int:
        """Return the longest side that the views have from this frame on, which is seen large."""
        if is_cut:
            self._needed_until.clear()
            self._wanted_until.clear()
            self._doubtful, self._confirmed_px = (), 0
        before, self._doubtful = self._doubtful, ()
        high_confidence_px, doubtful = self._wanted_px(frame)
        self._note_high_confidence(high_confidence_px, frame.seconds, is_again=bool(before))
        if before:
            travel = self._parameters.doubtful_travel_sizes * (
                frame.seconds - self._doubtful_seconds
            )
            again = [
                px for box, px in doubtful if any(_is_near(box, one, travel) for one in before)
            ]
            self._confirmed_px = max(self._confirmed_px, *again, 0)
        else:  # one look is enough to keep a size
            self._confirmed_px = min(self._confirmed_px, max((px for _, px in doubtful), default=0))
        needed_px = max(default_px, self._confirmed_px, *self._needed_until)
        if not before:
            self._doubtful = tuple(box for box, px in doubtful if px > needed_px)
            self._doubtful_seconds = frame.seconds
        is_waiting = bool(self._doubtful) and not is_cut
        return max(needed_px, self._longest_px) if is_waiting else needed_px

    def _note_high_confidence(self, wanted_px: int, seconds: float, *, is_again: bool) -> None:
        """Note how large a view the smallest high-confidence face of a large view wants.

        What was wanted once lasts until the next large view, and long if that wants it again.

        Args:
            wanted_px: Its longest side; 0: there is no such face.
            seconds: When the large view was seen.
            is_again: Whether it is seen only for a doubtful face just before, so that both may show
                the same false alarm.
        """
        wanted, needed = (
            {px: end for px, end in ends.items() if end > seconds}
            for ends in (self._wanted_until, self._needed_until)
        )
        if wanted_px:
            until = seconds + self._parameters.hold_seconds
            needed[wanted_px] = max(needed.get(wanted_px, 0.0), self._next_large_seconds)
            if not is_again:
                if again_px := min(wanted_px, max(wanted, default=0)):
                    needed[again_px] = until
                wanted[wanted_px] = until
        self._wanted_until, self._needed_until = wanted, needed

    def state(self) -> State:
        """Return what the next views depend on, besides the next frames and their changes."""
        needed = tuple(sorted(self._needed_until.items()))
        wanted = tuple(sorted(self._wanted_until.items()))
        doubtful = tuple((*box.as_tuple(), self._doubtful_seconds) for box in self._doubtful)
        return (
            self._longest_px,
            self._next_large_seconds,
            needed,
            wanted,
            doubtful,
            self._confirmed_px,
        )

    def _wanted_px(self, frame: Frame) -> tuple[int, list[tuple[Box, int]]]:
        """Return how large a view must be to show the smallest high-confidence face well.

        That is its longest side; 0: there is no such face. Then the boxes of doubtful faces, in a
        large view, and the longest sides that they want.
        """
        limits = self._parameters
        full_px, most_px = self._most_px(frame, 1.0), self._most_px(frame, limits.max_enlargement)
        large_px = max(full_px, min(most_px, limits.enlarged_view_px))
        large = self._view(frame, large_px)
        smallest = limits.smallest_px * large_px / full_px
        found = [one for one in self._detect(large) if one.box.size >= smallest]
        found.sort(key=lambda detection: detection.box.size)
        doubtful: list[tuple[Box, int]] = []
        for number, detection in enumerate(found[: limits.max_detections + 1]):
            is_unknown = number == limits.max_detections  # so it counts as a high-confidence face
            log_odds = limits.min_log_odds
            if not is_unknown:
                (log_odds,) = self._classifier.log_odds(large, [detection.box]).tolist()
            if log_odds < limits.min_log_odds:
                continue
            needed_px = large_px * limits.wanted_px / detection.box.size
            is_high_confidence = log_odds >= limits.high_confidence_log_odds
            most = most_px if is_high_confidence and needed_px > full_px else full_px
            wanted_px = next((px for px in limits.steps_px if px >= needed_px), most)
            wanted_px = min(most, wanted_px)
            if is_high_confidence or is_unknown:  # larger faces want no larger view
                return wanted_px, doubtful
            doubtful.append((detection.box, wanted_px))
        return 0, doubtful

    def _detect(self, large: Image) -> list[Detection]:
        """Return the detections in a large view, which is seen tile by tile."""
        found: list[Detection] = []
        for tile in tiles((large.shape[1], large.shape[0]), self._parameters):
            left, top, right, bottom = tile.area
            image = np.ascontiguousarray(large[top:bottom, left:right])
            for one in self._detector.detect(image, self._confidence):
                box = one.box.moved(left, top)
                if tile.owns(box):
                    found.append(replace(one, box=box))
        return suppress_overlaps(found, self._same_face_iou)

    def _most_px(self, frame: Frame, enlargement: float) -> int:
        """Return the longest side of the largest view that is enlarged so many times at most."""
        every = self._parameters.large_view_px
        return max(view_size(frame.size, every, self._pixel_aspect, enlargement))

    def _view(self, frame: Frame, longest_px: int) -> Image:
        most = self._parameters.max_enlargement
        return frame.view(view_size(frame.size, longest_px, self._pixel_aspect, most))


def _is_near(box: Box, other: Box, travel: float) -> bool:
    """Return whether a face may have moved to another place, by `travel` of its sizes."""
    return math.dist(box.center, other.center) <= max(1.0, travel) * max(box.size, other.size)


@dataclass(frozen=True, slots=True)
class Tile:
    """A part of an image, in pixels.

    Attributes:
        area: (left, top, right, bottom); tiles overlap.
        core: The part of it that is nearer to its center than to any other tile's.
    """

    area: tuple[int, int, int, int]
    core: tuple[float, float, float, float]

    def owns(self, box: Box) -> bool:
        """Return whether this tile shows more of a box than its neighbors do."""
        (x, y), (left, top, right, bottom) = box.center, self.core
        return left <= x < right and top <= y < bottom


def tiles(size: tuple[int, int], parameters: ViewScaleParameters) -> list[Tile]:
    """Return tiles of one size that cover an image of this (width, height)."""
    columns, rows = (_parts(side, parameters) for side in size)
    return [
        Tile((left, top, right, bottom), (core_left, core_top, core_right, core_bottom))
        for (top, bottom, core_top, core_bottom), (left, right, core_left, core_right) in product(
            rows, columns
        )
    ]


def _parts(side: int, parameters: ViewScaleParameters) -> list[tuple[int, int, float, float]]:
    """Return as few parts of a side as their limit allows: start, end, and those of the core."""
    overlap = parameters.tile_overlap_px
    count = max(1, math.ceil((side - overlap) / (parameters.tile_px - overlap)))
    length = min(side, math.ceil((side + (count - 1) * overlap) / count))
    starts = [round(number * (side - length) / max(1, count - 1)) for number in range(count)]
    middles = [(later + start + length) / 2 for start, later in pairwise(starts)]
    cores = pairwise([-math.inf, *middles, math.inf])
    return [(start, start + length, *core) for start, core in zip(starts, cores, strict=True)]
