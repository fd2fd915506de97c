"""The guard: whether what is redacted may leave now, or all must be hidden, and why.

In doubt all is hidden. This is the only place that decides it.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Situation:
    """What the decision rests on; times are `time.monotonic()`.

    hide_all        whether a person wants all hidden
    has_source      whether the source gives pictures
    failure         what went wrong in a stage that has not recovered yet; "" if nothing
    last_look       when the detector last finished; None: it has not, since the stage (re)started
    is_face_lost    whether a face that was there vanished without an explanation
    """

    hide_all: bool
    has_source: bool
    failure: str
    last_look: float | None
    is_face_lost: bool


def reason_to_cover(situation: Situation, now: float, watchdog_seconds: float) -> str | None:
    """Return why all must be hidden, in a few words; None: what is redacted may leave."""
    if situation.hide_all:
        return "all is hidden on request"
    if not situation.has_source:
        return "the source gives nothing"
    if situation.failure:
        return situation.failure
    if situation.last_look is None:
        return "no picture has been looked at yet"
    if now - situation.last_look > watchdog_seconds:
        return "the detector is late"
    if situation.is_face_lost:
        return "a face was lost"
    return None
