"""The guard: decides whether a redacted frame may leave now, or must be fully hidden, and why.

In doubt the frame is hidden. Nothing else decides this.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Situation:
    """What the decision rests on.

    Attributes:
        hide_all: Whether a person wants the whole frame hidden.
        has_source: Whether the source sends frames.
        failure: A failure that has not been recovered from; "" if there is none.
        detection_age: Seconds since the last detection, as long as frames come; None: there was
            none since the analyzer (re)started.
        is_face_lost: Whether a face vanished without an explanation.
        is_unsettled: Whether the source's frames have just changed their form.
    """

    hide_all: bool
    has_source: bool
    failure: str
    detection_age: float | None
    is_face_lost: bool
    is_unsettled: bool


def reason_to_blank(situation: Situation, watchdog_seconds: float) -> str | None:
    """Return briefly why the frame must be fully hidden; None: the redacted frame may leave."""
    if situation.hide_all:
        return "hidden on request"
    if not situation.has_source:
        return "the source sends nothing"
    if situation.failure:
        return situation.failure
    if situation.detection_age is None:
        return "the detector has not run yet"
    if situation.detection_age > watchdog_seconds:
        return "the detector is late"
    if situation.is_unsettled:
        return "the source has changed"
    if situation.is_face_lost:
        return "a face was lost"
    return None
