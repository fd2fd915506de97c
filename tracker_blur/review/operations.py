"""The operations of a review: each turns one state into the next.

An edit is an object with an `op` and that operation's fields. Before it is written into the
journal, it is completed: what depends on the moment (which tracks a person has, the number of a new
track, where a followed face was found) is written down, so that the journal means the same forever.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from tracker_blur.errors import SettingsError
from tracker_blur.review import people_operations, rule_operations, track_operations
from tracker_blur.review.fields import Fields
from tracker_blur.text import counted, listed

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tracker_blur.review.state import ReviewState
    from tracker_blur.review.track_operations import Apply

_OF_PEOPLE = ("hide_people", "keep_people", "merge_people")


@dataclass(frozen=True, slots=True)
class Operation:
    """One kind of edit.

    Attributes:
        apply: makes the next state of an edit that is complete.
        fields: what a reviewer gives.
        added: what completing adds.
        text: what it did, for the button that undoes it.
    """

    apply: Apply
    fields: tuple[str, ...]
    added: tuple[str, ...] = ()
    text: str = ""


class StaleError(Exception):
    """The edit was made for another version than the one that is there."""


def apply(state: ReviewState, edit: dict[str, Any]) -> ReviewState:
    """Return the state after a complete edit.

    Raises:
        SettingsError: it makes no sense there.
    """
    operation = operation_of(edit)
    fields = Fields(edit, (*operation.fields, *operation.added))
    return operation.apply(state, fields).after(state)


def operation_of(edit: object) -> Operation:
    """Return the operation of an edit; raises SettingsError if there is none."""
    name = edit.get("op") if isinstance(edit, dict) else None
    if not isinstance(name, str) or name not in OPERATIONS:
        raise SettingsError(f"the operation {str(name)[:40]!r} is unknown: give {_known()}")
    return OPERATIONS[name]


def complete(
    state: ReviewState, edit: dict[str, Any], grouped: Mapping[int, int]
) -> dict[str, Any]:
    """Return an edit from a reviewer with what depends on this moment written down.

    `follow` is completed where the video is at hand; see `tracker_blur.review.box_follower`.

    Args:
        state: the state that it is applied to.
        edit: what the reviewer gave.
        grouped: the people that embeddings suggest; see `ReviewState.groups`.

    Raises:
        SettingsError: it makes no sense there.
        StaleError: the people have other tracks than those that the reviewer was shown.
    """
    operation = operation_of(edit)
    name = edit["op"]
    if name in _OF_PEOPLE:
        fields = Fields(edit, ("people", "tracks"))
        ids = [
            one
            for person in fields.ids("people")
            for one in people_operations.tracks_of(state, grouped, person)
        ]
        if "tracks" in fields and set(fields.ids("tracks")) != set(ids):
            raise StaleError
        return {**edit, "tracks": ids}
    fields = Fields(edit, operation.fields)
    if name == "split_person":
        return {**edit, **people_operations.person_parts(state, grouped, fields)}
    if name == "split":
        return {**edit, "new": state.free_id}
    if name == "rename":
        return {
            **edit,
            "tracks": people_operations.tracks_of(state, grouped, fields.whole("person")),
        }
    if name == "draw" and fields.is_null("track"):
        return {**edit, "track": state.free_id}
    return edit


def _known() -> str:
    return listed(sorted(OPERATIONS))


def _seen(state: ReviewState, fields: Fields) -> ReviewState:
    return replace(state, seen=state.seen | {fields.short_text("doubt")})


def _reviewed(state: ReviewState, _fields: Fields) -> ReviewState:
    return replace(state, is_looked_through=True)


_TRACKS, _PEOPLE, _SPAN = ("tracks",), ("people",), ("track", "first", "last")
OPERATIONS: Mapping[str, Operation] = {
    "hide": Operation(track_operations.hidden(True), _TRACKS, text="Hide"),
    "keep": Operation(track_operations.hidden(False), _TRACKS, text="Leave visible"),
    "hide_people": Operation(track_operations.hidden(True), _PEOPLE, _TRACKS, "Hide"),
    "keep_people": Operation(track_operations.hidden(False), _PEOPLE, _TRACKS, "Leave visible"),
    "merge": Operation(track_operations.merge, _TRACKS, text="Merge tracks"),
    "merge_people": Operation(people_operations.merge_people, _PEOPLE, _TRACKS, "Merge people"),
    "split": Operation(track_operations.split, ("track", "frame"), ("new",), "Split a track"),
    "split_person": Operation(
        people_operations.split_person,
        ("person", "frame"),
        ("tracks", "new", "other"),
        "Split a person",
    ),
    "rename": Operation(people_operations.rename, ("person", "name"), ("tracks",), text="Rename"),
    "draw": Operation(track_operations.draw, ("track", "class", "keyframes"), text="Draw"),
    "reshape": Operation(track_operations.reshape, ("track", "frame", "box"), text="Change a box"),
    "move": Operation(track_operations.move, (*_SPAN, "dx", "dy"), text="Move boxes"),
    "ends": Operation(track_operations.ends, _SPAN, text="Change the ends of a track"),
    "extend": Operation(track_operations.extend, ("track", "frame"), text="Extend a track"),
    "drop": Operation(track_operations.drop, _TRACKS, text="Delete"),
    "drop_frames": Operation(track_operations.drop_frames, _SPAN, text="Delete boxes"),
    "set_class": Operation(
        track_operations.set_class, ("tracks", "class"), text="Change the class"
    ),
    "set_method": Operation(
        track_operations.set_method, ("tracks", "method"), text="Change the method"
    ),
    "method": Operation(track_operations.method, ("method",), text="Change how all are hidden"),
    "zone": Operation(rule_operations.zone, ("number", "rule", "where"), text="Zone"),
    "drop_zone": Operation(rule_operations.drop_zone, ("number",), text="Delete a zone"),
    "sound": Operation(rule_operations.sound, ("number", "effect", "where"), text="Sound"),
    "drop_sound": Operation(rule_operations.drop_sound, ("number",), text="Delete a sound"),
    "limits": Operation(
        rule_operations.limits, ("min_size", "max_size", "from", "to"), text="Limits"
    ),
    "reviewed": Operation(_reviewed, (), text="Mark as looked through"),
    "seen": Operation(_seen, ("doubt",), text="Mark as seen"),
    "follow": Operation(
        track_operations.follow, ("track", "frame", "direction"), ("boxes",), "Track"
    ),
}
"""All operations, by name."""


def text_of(edit: dict[str, Any]) -> str:
    """Return what a complete edit did, in a few words."""
    text = operation_of(edit).text
    chosen = edit.get("people") or edit.get("tracks")
    if isinstance(chosen, list) and edit["op"] in (
        "hide",
        "keep",
        "hide_people",
        "keep_people",
        "drop",
    ):
        noun = ("person", "people") if "people" in edit else ("track", "tracks")
        return f"{text} {counted(len(chosen), *noun)}"
    return text


def made_by(edit: dict[str, Any], state: ReviewState) -> dict[str, int]:
    """Return what a complete edit made or changed: the number of a `track`, a zone or a sound."""
    if edit["op"] == "split":
        return {"track": edit["new"]}
    if edit["op"] == "merge":
        return {"track": edit["tracks"][0]}
    if edit["op"] in ("zone", "sound"):
        rules = state.tracks.rules
        count = len(rules.zones if edit["op"] == "zone" else rules.audio)
        number = edit.get("number")
        return {"number": count if number is None else number}
    return {"track": edit["track"]} if "track" in edit else {}
