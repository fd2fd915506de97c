"""Decides about faces in an image, where each is seen only once; no pixels.

There are no seconds that could agree, so a single face must be more alike than in a video.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tracker_blur.core.people_report import DoubtReason
    from tracker_blur.people.embedders import Thresholds, Vectors
    from tracker_blur.people.gallery import KnownPerson


@dataclass(frozen=True, slots=True)
class StillDecision:
    """What happens to a face in an image.

    Attributes:
        is_visible: Whether it stays visible.
        person: The known person it is most like; None: like none of them.
        likeness: The cosine; None for a face that is not good.
        reason: Why it is hidden although it may be one of those who stay visible.
    """

    is_visible: bool
    person: str | None = None
    likeness: float | None = None
    reason: DoubtReason | None = None


def keep_in_still(
    people: Sequence[KnownPerson], thresholds: Thresholds, faces: Sequence[Vectors | None]
) -> list[StillDecision]:
    """Return what happens to the faces of an image where these people stay visible.

    Args:
        people: Those people.
        thresholds: Cosines of the network.
        faces: The embedding of each face, shape (128,); None for one that is not good.
    """
    means = np.stack([person.mean for person in people])
    likeness = [None if face is None else means @ face for face in faces]
    decisions = []
    for at, own in enumerate(likeness):
        if own is None:
            decisions.append(StillDecision(is_visible=False))
            continue
        best = int(own.argmax())
        name, value = people[best].name, float(own[best])
        others = [
            float(other[best])
            for number, other in enumerate(likeness)
            if number != at and other is not None
        ]
        reason: DoubtReason | None = None
        if value < thresholds.keep_still:
            reason = "not sure"
        elif value - max(others, default=-1.0) < thresholds.margin:
            reason = "look-alike"
        is_known = value >= thresholds.changed
        decisions.append(
            StillDecision(
                reason is None, name if is_known else None, value, reason if is_known else None
            )
        )
    return decisions


def hide_in_still(
    people: Sequence[KnownPerson], thresholds: Thresholds, faces: Sequence[Vectors | None]
) -> list[StillDecision]:
    """Return what happens to the faces of an image where only these people are hidden.

    Arguments as for `keep_in_still`.
    """
    decisions = []
    for face in faces:
        if face is None:
            decisions.append(StillDecision(is_visible=False, reason="no vote"))
            continue
        likeness = [
            max(float((person.vectors @ face).max()), float(person.mean @ face))
            for person in people
        ]
        best = int(np.argmax(likeness))
        if likeness[best] < thresholds.other:
            decisions.append(StillDecision(is_visible=True, likeness=likeness[best]))
            continue
        is_sure = likeness[best] >= thresholds.same
        reason: DoubtReason | None = None if is_sure else "possible"
        decisions.append(
            StillDecision(
                is_visible=False, person=people[best].name, likeness=likeness[best], reason=reason
            )
        )
    return decisions
