"""The operations of a review: each turns one state into the next.

An edit is an object with an `op` and that operation's fields. Before it is written into the
journal, it is completed: what depends on the moment (which tracks a person has, the number of a new
track, where a followed face was found) is written down, so that the journal means the same forever.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, TypeAlias, get_args

from tracker_blur.annotations import edits, reshaping, rule_edits
from tracker_blur.annotations.rows import InvalidValueError, method_name
from tracker_blur.core.audio_spans import AudioEffect, AudioSpan
from tracker_blur.core.rules import Size
from tracker_blur.core.times import seconds_of
from tracker_blur.core.zones import Zone, ZoneRule
from tracker_blur.errors import SettingsError
from tracker_blur.review.fields import Fields
from tracker_blur.text import counted, listed

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from fractions import Fraction

    from tracker_blur.core.tracks import Tracks
    from tracker_blur.review.state import ReviewState

_OF_PEOPLE = ("hide_people", "keep_people", "merge_people")

NEED_MORE = frozenset({"image"})
"""Methods that need more than a track file holds."""

Apply: TypeAlias = "Callable[[ReviewState, Fields], ReviewState]"


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
        ids = [one for person in fields.ids("people") for one in _tracks_of(state, grouped, person)]
        if "tracks" in fields and set(fields.ids("tracks")) != set(ids):
            raise StaleError
        return {**edit, "tracks": ids}
    fields = Fields(edit, operation.fields)
    if name == "split_person":
        return {**edit, **_person_parts(state, grouped, fields)}
    if name == "split":
        return {**edit, "new": state.free_id}
    if name == "rename":
        return {**edit, "tracks": _tracks_of(state, grouped, fields.whole("person"))}
    if name == "draw" and fields.is_null("track"):
        return {**edit, "track": state.free_id}
    return edit


def _known() -> str:
    return listed(sorted(OPERATIONS))


def _tracks_of(state: ReviewState, grouped: Mapping[int, int], person: int) -> list[int]:
    tracks = state.groups(grouped).get(person)
    if tracks is None:
        raise SettingsError(f"there is no person {person}: reload the page")
    return [track.track_id for track in tracks]


def _person_parts(state: ReviewState, grouped: Mapping[int, int], fields: Fields) -> dict[str, Any]:
    """Return which tracks of a person become another one, and which are split for it."""
    person, frame = fields.whole("person"), fields.frame("frame")
    _tracks_of(state, grouped, person)
    tracks = state.groups(grouped)[person]
    free, later, new = state.free_id, [], {}
    for track in tracks:
        if track.first >= frame:
            later.append(track.track_id)
        elif track.last >= frame:
            new[str(track.track_id)] = free
            free += 1
    if not (later or new) or len(later) == len(tracks):
        raise SettingsError(
            f"person {person} is not on both sides of frame {frame}: split where the two meet"
        )
    return {"tracks": later, "new": new, "other": free}


# Each function below applies one operation.


def _hidden(hide: bool) -> Apply:
    def applied(state: ReviewState, fields: Fields) -> ReviewState:
        ids = fields.ids("tracks")
        return replace(
            state,
            tracks=edits.set_hidden(state.tracks, ids, hide),
            decided=state.decided | frozenset(ids),
        )

    return applied


def _merge(state: ReviewState, fields: Fields) -> ReviewState:
    ids = fields.ids("tracks")
    if len(ids) < 2:
        raise SettingsError("only one track is chosen: choose two at least to merge them")
    corrected = frozenset().union(*(state.corrected.get(one, frozenset()) for one in ids))
    return replace(
        state,
        tracks=edits.merge(state.tracks, ids),
        corrected={**state.corrected, ids[0]: corrected},
    )


def _merge_people(state: ReviewState, fields: Fields) -> ReviewState:
    people, ids = fields.ids("people"), fields.ids("tracks")
    if len(people) < 2:
        raise SettingsError("only one person is chosen: choose two at least to merge them")
    for track_id in ids:
        edits.find(state.tracks, track_id)
    names = dict(state.names)
    known = [names.pop(person) for person in people if person in names]
    if known:
        names[people[0]] = known[0]
    return replace(state, people={**state.people, **dict.fromkeys(ids, people[0])}, names=names)


def _split(state: ReviewState, fields: Fields) -> ReviewState:
    track_id, frame, new = fields.whole("track"), fields.frame("frame"), fields.whole("new")
    return _with_split(state, track_id, frame, new)


def _split_person(state: ReviewState, fields: Fields) -> ReviewState:
    frame, person = fields.frame("frame"), fields.whole("person")
    later = fields.optional_ids("tracks")
    new = fields.numbers("new")
    for track_id, new_id in new.items():
        state = _with_split(state, track_id, frame, new_id)
    for track_id in later:
        edits.find(state.tracks, track_id)
    others = dict.fromkeys([*later, *new.values()], fields.whole("other"))
    return replace(state, people={**state.people, **dict.fromkeys(new, person), **others})


def _with_split(state: ReviewState, track_id: int, frame: int, new: int) -> ReviewState:
    tracks = reshaping.split(state.tracks, track_id, frame, new)
    corrected = state.corrected.get(track_id, frozenset())
    decided = state.decided | {new} if track_id in state.decided else state.decided
    return replace(
        state,
        tracks=tracks,
        decided=decided,
        corrected={
            **state.corrected,
            track_id: frozenset(one for one in corrected if one < frame),
            new: frozenset(one for one in corrected if one >= frame),
        },
    )


def _rename(state: ReviewState, fields: Fields) -> ReviewState:
    person = fields.whole("person")
    names = {one: name for one, name in state.names.items() if one != person}
    if not fields.is_null("name"):
        names[person] = fields.short_text("name")
    return replace(state, names=names)


def _draw(state: ReviewState, fields: Fields) -> ReviewState:
    track_id, keyframes = fields.whole("track"), fields.keyframes("keyframes")
    is_new = all(track.track_id != track_id for track in state.tracks.tracks)
    tracks = edits.draw(state.tracks, track_id, keyframes)
    if is_new and not fields.is_null("class"):
        tracks = reshaping.set_label(tracks, [track_id], fields.short_text("class"))
    return _corrected(state, tracks, track_id, frozenset(keyframes))


def _reshape(state: ReviewState, fields: Fields) -> ReviewState:
    track_id, frame = fields.whole("track"), fields.frame("frame")
    corrected = state.corrected.get(track_id, frozenset())
    tracks = reshaping.reshape(state.tracks, track_id, frame, fields.box("box"), corrected)
    return _corrected(state, tracks, track_id, frozenset([frame]))


def _corrected(
    state: ReviewState, tracks: Tracks, track_id: int, frames: frozenset[int]
) -> ReviewState:
    known = state.corrected.get(track_id, frozenset())
    return replace(state, tracks=tracks, corrected={**state.corrected, track_id: known | frames})


def _move(state: ReviewState, fields: Fields) -> ReviewState:
    ids, frames = [fields.whole("track")], _frames(fields)
    return replace(
        state,
        tracks=edits.move(state.tracks, ids, frames, fields.number("dx"), fields.number("dy")),
    )


def _ends(state: ReviewState, fields: Fields) -> ReviewState:
    frames = _frames(fields)
    tracks = reshaping.set_ends(state.tracks, fields.whole("track"), frames.start, frames.stop - 1)
    return replace(state, tracks=tracks)


def _extend(state: ReviewState, fields: Fields) -> ReviewState:
    tracks = reshaping.extend(state.tracks, fields.whole("track"), fields.frame("frame"))
    return replace(state, tracks=tracks)


def _drop(state: ReviewState, fields: Fields) -> ReviewState:
    return replace(state, tracks=edits.drop(state.tracks, fields.ids("tracks")))


def _drop_frames(state: ReviewState, fields: Fields) -> ReviewState:
    ids = [fields.whole("track")]
    return replace(state, tracks=edits.drop_frames(state.tracks, ids, _frames(fields)))


def _frames(fields: Fields) -> range:
    first, last = fields.frame("first"), fields.frame("last")
    if first > last:
        raise SettingsError(f"frame {first} is after frame {last}: swap the two")
    return range(first, last + 1)


def _set_class(state: ReviewState, fields: Fields) -> ReviewState:
    ids, label = fields.ids("tracks"), fields.short_text("class")
    return replace(state, tracks=reshaping.set_label(state.tracks, ids, label))


def _set_method(state: ReviewState, fields: Fields) -> ReviewState:
    ids = fields.ids("tracks")
    return replace(state, tracks=edits.set_method(state.tracks, ids, _method_in(fields)))


def _method(state: ReviewState, fields: Fields) -> ReviewState:
    return replace(state, method=_method_in(fields))


def _method_in(fields: Fields) -> str | None:
    try:
        method = None if fields.is_null("method") else method_name(fields.text("method"))
    except InvalidValueError as error:
        raise SettingsError(str(error)) from error
    if method in NEED_MORE:
        raise SettingsError(
            f"the method {method} needs a file, which a review has not: give another"
        )
    return method


def _zone(state: ReviewState, fields: Fields) -> ReviewState:
    rule, where = fields.text("rule"), fields.text("where")
    if rule not in get_args(ZoneRule):
        raise SettingsError(f"rule is {rule[:40]!r}: give {listed(get_args(ZoneRule))}")
    try:
        zone = Zone.parse("hide" if rule == "hide" else "ignore", where)
    except ValueError as error:
        raise SettingsError(f"the zone {error}") from error
    if fields.is_null("number"):
        return replace(state, tracks=rule_edits.add_zone(state.tracks, zone))
    return replace(state, tracks=rule_edits.change_zone(state.tracks, fields.whole("number"), zone))


def _drop_zone(state: ReviewState, fields: Fields) -> ReviewState:
    return replace(state, tracks=rule_edits.drop_zones(state.tracks, [fields.whole("number")]))


def _sound(state: ReviewState, fields: Fields) -> ReviewState:
    effect, where = fields.text("effect"), fields.text("where")
    if effect not in get_args(AudioEffect):
        raise SettingsError(f"effect is {effect[:40]!r}: give {listed(get_args(AudioEffect))}")
    try:
        span = AudioSpan.parse("mute" if effect == "mute" else "bleep", where)
    except ValueError as error:
        raise SettingsError(f"the sound {error}") from error
    if fields.is_null("number"):
        return replace(state, tracks=rule_edits.add_sound(state.tracks, span))
    return replace(
        state, tracks=rule_edits.change_sound(state.tracks, fields.whole("number"), span)
    )


def _drop_sound(state: ReviewState, fields: Fields) -> ReviewState:
    return replace(state, tracks=rule_edits.drop_sounds(state.tracks, [fields.whole("number")]))


def _limits(state: ReviewState, fields: Fields) -> ReviewState:
    limits: dict[str, Size | Fraction | None] = {}
    for name in ("min_size", "max_size"):
        if name in fields:
            limits[name] = None if fields.is_null(name) else _size(fields.text(name), name)
    for name, limit in (("from", "start"), ("to", "end")):
        if name in fields:
            limits[limit] = None if fields.is_null(name) else _time(fields.text(name), name)
    return replace(state, tracks=rule_edits.set_limits(state.tracks, **limits))


def _size(text: str, name: str) -> Size:
    try:
        return Size.parse(text)
    except ValueError as error:
        raise SettingsError(f"{name} {error}") from error


def _time(text: str, name: str) -> Fraction:
    seconds = seconds_of(text)
    if seconds is None:
        raise SettingsError(f"{name} is {text[:40]!r}: give a time such as 12.5s or 1:02:03.4")
    return seconds


def _seen(state: ReviewState, fields: Fields) -> ReviewState:
    return replace(state, seen=state.seen | {fields.short_text("doubt")})


def _reviewed(state: ReviewState, _fields: Fields) -> ReviewState:
    return state


def _follow(state: ReviewState, fields: Fields) -> ReviewState:
    track_id = fields.whole("track")
    return replace(state, tracks=edits.add_boxes(state.tracks, track_id, fields.found("boxes")))


_TRACKS, _PEOPLE, _SPAN = ("tracks",), ("people",), ("track", "first", "last")
OPERATIONS: Mapping[str, Operation] = {
    "hide": Operation(_hidden(True), _TRACKS, text="Hide"),
    "keep": Operation(_hidden(False), _TRACKS, text="Leave visible"),
    "hide_people": Operation(_hidden(True), _PEOPLE, _TRACKS, "Hide"),
    "keep_people": Operation(_hidden(False), _PEOPLE, _TRACKS, "Leave visible"),
    "merge": Operation(_merge, _TRACKS, text="Merge tracks"),
    "merge_people": Operation(_merge_people, _PEOPLE, _TRACKS, "Merge people"),
    "split": Operation(_split, ("track", "frame"), ("new",), "Split a track"),
    "split_person": Operation(
        _split_person, ("person", "frame"), ("tracks", "new", "other"), "Split a person"
    ),
    "rename": Operation(_rename, ("person", "name"), ("tracks",), text="Rename"),
    "draw": Operation(_draw, ("track", "class", "keyframes"), text="Draw"),
    "reshape": Operation(_reshape, ("track", "frame", "box"), text="Change a box"),
    "move": Operation(_move, (*_SPAN, "dx", "dy"), text="Move boxes"),
    "ends": Operation(_ends, _SPAN, text="Change the ends of a track"),
    "extend": Operation(_extend, ("track", "frame"), text="Extend a track"),
    "drop": Operation(_drop, _TRACKS, text="Delete"),
    "drop_frames": Operation(_drop_frames, _SPAN, text="Delete boxes"),
    "set_class": Operation(_set_class, ("tracks", "class"), text="Change the class"),
    "set_method": Operation(_set_method, ("tracks", "method"), text="Change the method"),
    "method": Operation(_method, ("method",), text="Change how all are hidden"),
    "zone": Operation(_zone, ("number", "rule", "where"), text="Zone"),
    "drop_zone": Operation(_drop_zone, ("number",), text="Delete a zone"),
    "sound": Operation(_sound, ("number", "effect", "where"), text="Sound"),
    "drop_sound": Operation(_drop_sound, ("number",), text="Delete a sound"),
    "limits": Operation(_limits, ("min_size", "max_size", "from", "to"), text="Limits"),
    "reviewed": Operation(_reviewed, (), text="Mark as looked through"),
    "seen": Operation(_seen, ("doubt",), text="Mark as seen"),
    "follow": Operation(_follow, ("track", "frame", "direction"), ("boxes",), "Track"),
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
