"""Rules for frames that come one after the other: still images, one pass, live video.

What a track does later is not known. So a face stays visible as long as its track has only been
where, or as large as, the rules leave faces visible; from then on it is hidden.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import replace
from typing import TYPE_CHECKING, TypeVar

import numpy as np
import numpy.typing as npt

from tracker_blur.core.frame import Frame
from tracker_blur.core.tracks import Face
from tracker_blur.core.zones import within

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from fractions import Fraction

    from tracker_blur.core.rules import Reason, Rules

F = TypeVar("F", bound=Frame)

_LAST_TICK = np.iinfo(np.int64).max


class RuleFilter:
    """Leaves out the faces that stay visible, and adds the zones that are hidden.

    Args:
        rules: the rules of the run.

    """

    def __init__(self, rules: Rules) -> None:
        self._rules = rules
        self._of_usual_size: set[int] = set()
        self._outside: defaultdict[int, set[int]] = defaultdict(set)  # by number of the zone
        self._left_visible: defaultdict[Reason, set[int]] = defaultdict(set)

    @property
    def counts(self) -> dict[Reason, int]:
        """How many tracks have been left visible so far, by reason."""
        return {reason: len(ids) for reason, ids in self._left_visible.items()}

    def still(self, faces: Sequence[Face], size: tuple[int, int]) -> tuple[Face, ...]:
        """Return what to hide in a still image of this (width, height), which has no time."""
        rules = replace(self._rules, start=None, end=None)
        return self._chosen(rules, faces, size, 0, _LAST_TICK, None)

    def frame(
        self, faces: Sequence[Face], frame: Frame, first_pts: int, next_pts: int | None
    ) -> tuple[Face, ...]:
        """Return what to hide in a frame.

        Args:
            faces: what was detected, in pixels of the frame.
            frame: the frame.
            first_pts: when the first frame begins, in units of the frame's time base.
            next_pts: when the next one begins; None: it is not known, or there is none.
        """
        end = _LAST_TICK if next_pts is None else next_pts - first_pts
        return self._chosen(
            self._rules, faces, frame.size, frame.pts - first_pts, end, frame.time_base
        )

    def frames(
        self, frames: Iterable[tuple[F, tuple[Face, ...]]]
    ) -> Iterator[tuple[F, tuple[Face, ...]]]:
        """Yield each frame of a video with what to hide in it, as soon as the next one is known."""
        waiting: tuple[F, tuple[Face, ...]] | None = None
        first = 0
        for frame, faces in frames:
            if waiting is None:
                first = frame.pts
            else:
                yield waiting[0], self.frame(waiting[1], waiting[0], first, frame.pts)
            waiting = frame, faces
        if waiting is not None:
            yield waiting[0], self.frame(waiting[1], waiting[0], first, None)

    def _chosen(
        self,
        rules: Rules,
        faces: Sequence[Face],
        size: tuple[int, int],
        tick: int,
        end: int,
        time_base: Fraction | None,
    ) -> tuple[Face, ...]:
        times = np.array([tick], np.int64), np.array([end], np.int64)
        seconds = 0.0 if time_base is None else float(tick * time_base)
        is_time = time_base is None or bool(within(*times, time_base, rules.start, rules.end)[0])
        boxes = np.array([face.box.as_tuple() for face in faces], np.float64).reshape(-1, 4)
        is_ignored = np.zeros(len(faces), bool)
        hidden: list[Face] = []
        for number, zone in enumerate(rules.hide_zones):
            if time_base is None or zone.active(*times, time_base)[0]:
                area = Face.of_zone(number, zone, seconds, size)
                hidden += [] if area is None else [area]
        for number, zone in enumerate(rules.ignore_zones):
            if time_base is None or zone.active(*times, time_base)[0]:
                is_in = zone.holds(boxes, np.full(len(faces), seconds), size)
                is_ignored |= _always(is_in, faces, self._outside[number])
        is_other_size = _always(rules.has_other_size(boxes, size), faces, self._of_usual_size)
        for face, is_other, is_in_zone in zip(faces, is_other_size, is_ignored, strict=True):
            reason: Reason | None = "zone" if is_in_zone else None
            reason = "size" if is_other else reason
            reason = reason if is_time else "time"
            if reason is None:
                hidden.append(face)
            else:
                self._left_visible[reason].add(face.track_id)
        return tuple(hidden)


def _always(
    is_so: npt.NDArray[np.bool_], faces: Sequence[Face], others: set[int]
) -> npt.NDArray[np.bool_]:
    """Return for which faces something holds and always did; `others` are those it did not for."""
    others.update(face.track_id for face, is_it in zip(faces, is_so, strict=True) if not is_it)
    return np.array([face.track_id not in others for face in faces], bool)
