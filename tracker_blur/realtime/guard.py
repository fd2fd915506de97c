"""The guard: whether what is redacted may leave now, or all must be hidden, and why.

In doubt all is hidden. This is the only place that decides it.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Situation:
    """What the decision rests on.

    hide_all        whether a person wants all hidden
    has_source      whether the source gives pictures
    failure         what went wrong in a stage that has not recovered yet; "" if nothing
    look_age        seconds since the detector last finished, as long as frames come; None: it has
                    not, since the stage (re)started
    is_face_lost    whether a face that was there vanished without an explanation
    """

    hide_all: bool
    has_source: bool
    failure: str
    look_age: float | None
    is_face_lost: bool


def reason_to_cover(situation: Situation, watchdog_seconds: float) -> str | None:
    """Return why all must be hidden, in a few words; None: what is redacted may leave."""
    if situation.hide_all:
        return "all is hidden on request"
    if not situation.has_source:
        return "the source gives nothing"
    if situation.failure:
        return situation.failure
    if situation.look_age is None:
        return "no picture has been looked at yet"
    if situation.look_age > watchdog_seconds:
        return "the detector is late"
    if situation.is_face_lost:
        return "a face was lost"
    return None
