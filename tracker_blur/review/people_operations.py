"""Operations of a review on people: which tracks are whose; each returns the next state."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from tracker_blur.annotations import edits
from tracker_blur.errors import SettingsError
from tracker_blur.review.track_operations import with_split

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tracker_blur.review.fields import Fields
    from tracker_blur.review.state import ReviewState


def merge_people(state: ReviewState, fields: Fields) -> ReviewState:
    """Make one person of several."""
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


def split_person(state: ReviewState, fields: Fields) -> ReviewState:
    """Make another person of all that comes after a frame."""
    frame, person = fields.frame("frame"), fields.whole("person")
    later = fields.optional_ids("tracks")
    new = fields.numbers("new")
    for track_id, new_id in new.items():
        state = with_split(state, track_id, frame, new_id)
    for track_id in later:
        edits.find(state.tracks, track_id)
    others = dict.fromkeys([*later, *new.values()], fields.whole("other"))
    return replace(state, people={**state.people, **dict.fromkeys(new, person), **others})


def rename(state: ReviewState, fields: Fields) -> ReviewState:
    """Name a person, or take the name away."""
    person = fields.whole("person")
    names = {one: name for one, name in state.names.items() if one != person}
    if not fields.is_null("name"):
        names[person] = fields.short_text("name")
    return replace(state, names=names)


def tracks_of(state: ReviewState, grouped: Mapping[int, int], person: int) -> list[int]:
    """Return the tracks of a person; raises SettingsError if there is no such person."""
    tracks = state.groups(grouped).get(person)
    if tracks is None:
        raise SettingsError(f"there is no person {person}: reload the page")
    return [track.track_id for track in tracks]


def person_parts(state: ReviewState, grouped: Mapping[int, int], fields: Fields) -> dict[str, Any]:
    """Return which tracks of a person become another one, and which are split for it."""
    person, frame = fields.whole("person"), fields.frame("frame")
    tracks_of(state, grouped, person)
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
