"""Each operation changes what it says, and its journal entry means the same forever."""

from __future__ import annotations

import json
from dataclasses import replace
from fractions import Fraction
from typing import Any

import pytest

from tests.track_samples import two_tracks
from tracker_blur.annotations.edits import find
from tracker_blur.annotations.track_file import TrackFile
from tracker_blur.core.box import Box
from tracker_blur.core.rules import Size
from tracker_blur.errors import SettingsError
from tracker_blur.review import operations
from tracker_blur.review.operations import StaleError
from tracker_blur.review.state import ReviewState


def after(*edits: dict[str, Any], grouped: dict[int, int] | None = None) -> ReviewState:
    """Return the state after edits, each completed and read back from JSON."""
    state = ReviewState(two_tracks())
    for edit in edits:
        complete = operations.complete(state, edit, grouped or {})
        state = operations.apply(state, json.loads(json.dumps(complete)))
    return state


def hidden(state: ReviewState) -> dict[int, bool]:
    return {track.track_id: track.hide for track in state.tracks.tracks}


def test_tracks_are_hidden_and_kept() -> None:
    state = after({"op": "keep", "tracks": [3, 7]}, {"op": "hide", "tracks": [7]})
    assert hidden(state) == {3: False, 7: True}
    assert state.decided == {3, 7}


def test_people_are_hidden_with_all_their_tracks() -> None:
    edit = {"op": "keep_people", "people": [3]}
    state = after(edit, grouped={3: 3, 7: 3})
    assert hidden(state) == {3: False, 7: False}
    complete = operations.complete(ReviewState(two_tracks()), edit, {3: 3, 7: 3})
    assert complete["tracks"] == [3, 7]  # whatever the faces say later


def test_people_who_are_not_as_they_were_shown_are_left_alone() -> None:
    state = ReviewState(two_tracks())
    edit = {"op": "keep_people", "people": [3], "tracks": [3]}
    assert operations.complete(state, edit, {}) == edit
    with pytest.raises(StaleError):
        operations.complete(state, edit, {3: 3, 7: 3})


def test_numbers_are_not_given_again() -> None:
    drawn = {"op": "draw", "track": None, "keyframes": {"5": [0, 0, 10, 10]}}
    grouped = {3: 3, 7: 3}
    state = after({"op": "keep", "tracks": [7]}, {"op": "drop", "tracks": [7]}, drawn)
    assert [track.track_id for track in state.tracks.tracks] == [3, 8]
    assert sorted(state.groups(grouped)) == [3, 8]  # a drawn person is no one else
    assert (state.decided, state.people) == (frozenset(), {})
    state = after(drawn, {"op": "drop", "tracks": [8]}, drawn)
    assert [track.track_id for track in state.tracks.tracks] == [3, 7, 9]


def test_people_are_merged_named_and_split() -> None:
    state = after(
        {"op": "rename", "person": 7, "name": "Ada"}, {"op": "merge_people", "people": [3, 7]}
    )
    assert {person: len(tracks) for person, tracks in state.groups({}).items()} == {3: 2}
    assert state.names == {3: "Ada"}
    state = after(
        {"op": "merge_people", "people": [3, 7]}, {"op": "split_person", "person": 3, "frame": 20}
    )
    people = {
        person: sorted((track.track_id, track.first, track.last) for track in tracks)
        for person, tracks in state.groups({}).items()
    }
    assert people == {3: [(3, 10, 19), (7, 0, 18)], 10: [(8, 20, 29), (9, 20, 48)]}


def test_a_track_that_is_split_off_is_another_person_whatever_comes_later() -> None:
    grouped = {3: 3, 7: 3}
    state = after({"op": "split_person", "person": 3, "frame": 5}, grouped=grouped)
    people = state.groups(grouped)
    assert [track.track_id for track in people[3]] == [7]
    assert [track.track_id for track in people[9]] == [3, 8]
    drawn = {"op": "draw", "track": None, "keyframes": {"5": [0, 0, 10, 10]}}
    state = operations.apply(state, operations.complete(state, drawn, grouped))
    assert [track.track_id for track in state.groups(grouped)[9]] == [3, 8]
    assert [track.track_id for track in state.groups(grouped)[10]] == [10]


def test_a_name_is_taken_away() -> None:
    edits = [{"op": "rename", "person": 7, "name": name} for name in ("Ada", None)]
    assert after(*edits).names == {}


def test_tracks_are_merged_and_split() -> None:
    state = after({"op": "merge", "tracks": [3, 7]})
    assert [track.track_id for track in state.tracks.tracks] == [3]
    state = after({"op": "split", "track": 3, "frame": 20})
    assert [track.track_id for track in state.tracks.tracks] == [3, 7, 8]


def test_the_pieces_of_what_was_decided_are_decided() -> None:
    state = after({"op": "keep", "tracks": [3]}, {"op": "split", "track": 3, "frame": 20})
    assert hidden(state) == {3: False, 7: True, 8: False}
    assert state.decided == {3, 8}


def test_a_new_track_is_drawn_with_its_class() -> None:
    state = after(
        {
            "op": "draw",
            "track": None,
            "class": "plate",
            "keyframes": {"5": [0, 0, 10, 10], "9": [40, 0, 50, 10]},
        }
    )
    track = find(state.tracks, 8)
    assert (track.label, track.first, track.last) == ("plate", 5, 9)
    assert track.box(2) == Box(20, 0, 30, 10)
    assert state.corrected[8] == {5, 9}


def test_drawing_continues_where_a_track_ends() -> None:
    end = [129, 50, 169, 100]
    state = after(
        {
            "op": "draw",
            "track": 3,
            "class": None,
            "keyframes": {"29": end, "33": [149, 50, 189, 100]},
        }
    )
    assert find(state.tracks, 3).last == 33
    assert find(state.tracks, 3).label == "face"


def test_corrections_are_remembered_as_key_frames() -> None:
    box = [130, 60, 180, 120]
    state = after(
        {"op": "reshape", "track": 3, "frame": 18, "box": box},
        {"op": "reshape", "track": 3, "frame": 21, "box": [100, 40, 150, 90]},
    )
    assert state.corrected[3] == {18, 21}
    assert find(state.tracks, 3).box(8) == Box(*box)


def test_boxes_are_moved_dropped_extended() -> None:
    state = after(
        {"op": "move", "track": 3, "first": 10, "last": 12, "dx": 5, "dy": -1},
        {"op": "drop_frames", "track": 3, "first": 15, "last": 18},
        {"op": "extend", "track": 3, "frame": 31},
        {"op": "ends", "track": 7, "first": 4, "last": 20},
    )
    track = find(state.tracks, 3)
    assert track.box(0) == Box(115, 49, 155, 99)
    assert not set(range(15, 19)) & set(track.frames.tolist())
    assert track.last == 31
    assert find(state.tracks, 7).last == 20
    assert not [one.track_id for one in after({"op": "drop", "tracks": [3, 7]}).tracks.tracks]


def test_class_and_method_are_changed() -> None:
    state = after(
        {"op": "set_class", "tracks": [3], "class": "plate"},
        {"op": "set_method", "tracks": [3], "method": "solid"},
    )
    assert (find(state.tracks, 3).label, find(state.tracks, 3).method) == ("plate", "solid")
    state = after(
        {"op": "set_method", "tracks": [3], "method": "solid"},
        {"op": "set_method", "tracks": [3], "method": None},
    )
    assert find(state.tracks, 3).method is None


def test_zones_and_sounds_are_added_changed_and_dropped() -> None:
    zone = {"op": "zone", "number": None, "rule": "hide", "where": "10,20,200,80"}
    state = after(zone, {**zone, "rule": "ignore"}, {**zone, "number": 1, "where": "1,2,30,40"})
    assert [(one.rule, one.text) for one in state.tracks.rules.zones] == [
        ("hide", "1,2,30,40"),
        ("ignore", "10,20,200,80"),
    ]
    state = after(zone, {**zone, "rule": "ignore"}, {"op": "drop_zone", "number": 1})
    assert [one.rule for one in state.tracks.rules.zones] == ["ignore"]
    sound = {"op": "sound", "number": None, "effect": "mute", "where": "1s..2s"}
    state = after(sound, {**sound, "number": 1, "effect": "bleep"})
    assert [one.effect for one in state.tracks.rules.audio] == ["bleep"]
    assert after(sound, {"op": "drop_sound", "number": 1}).tracks.rules.audio == ()


def test_only_the_given_limits_change() -> None:
    state = after(
        {"op": "limits", "min_size": "24", "from": "1s"}, {"op": "limits", "min_size": "3%"}
    )
    rules = state.tracks.rules
    assert (rules.min_size, rules.start, rules.end) == (Size(3, is_percent=True), Fraction(1), None)
    assert (
        after({"op": "limits", "to": "1s"}, {"op": "limits", "to": None}).tracks.rules.end is None
    )


def test_what_was_found_by_following_is_added() -> None:
    edit = {
        "op": "follow",
        "track": 3,
        "frame": 29,
        "direction": "forward",
        "boxes": [[30, 1, 2, 3, 4, "followed"], [31, 2, 2, 4, 4, "margin"]],
    }
    state = operations.apply(ReviewState(two_tracks()), edit)
    track = find(state.tracks, 3)
    assert (track.last, track.box(len(track) - 1)) == (31, Box(2, 2, 4, 4))


def test_seen_doubts_are_remembered() -> None:
    assert after({"op": "seen", "doubt": "gap-1"}, {"op": "seen", "doubt": "gap-2"}).seen == {
        "gap-1",
        "gap-2",
    }


@pytest.mark.parametrize(
    ("edit", "message"),
    [
        ({"op": "merge", "tracks": [3]}, "only one track is chosen"),
        ({"op": "merge_people", "people": [3, 3]}, "only one person is chosen"),
        ({"op": "hide_people", "people": [4]}, "there is no person 4"),
        ({"op": "split_person", "person": 3, "frame": 10}, "is not on both sides of frame 10"),
        ({"op": "rename", "person": 3, "name": ""}, "name is"),
        ({"op": "rename", "person": 3, "name": "a\nb"}, "name is"),
        ({"op": "hide", "tracks": [3.0]}, "tracks is 3.0"),
        ({"op": "hide", "tracks": [True]}, "tracks is True"),
        ({"op": "move", "track": 3, "first": 5, "last": 4, "dx": 0, "dy": 0}, "is after frame 4"),
        ({"op": "move", "track": 3, "first": 1, "last": 40, "dx": 1e9, "dy": 0}, "dx is"),
        ({"op": "draw", "track": None, "keyframes": {}}, "keyframes is empty"),
        ({"op": "draw", "track": None, "keyframes": {"50": [0, 0, 1, 1]}}, "no frame 50"),
        ({"op": "zone", "rule": "maybe", "where": "1,2,3,4"}, "rule is 'maybe'"),
        ({"op": "zone", "rule": "hide", "where": "1,2"}, "the zone"),
        ({"op": "drop_zone", "number": 1}, "there is no zone 1: there are none"),
        ({"op": "sound", "effect": "sing", "where": "1s..2s"}, "effect is 'sing'"),
        ({"op": "limits", "from": "2s", "to": "1s"}, "ends before it begins"),
        ({"op": "limits", "from": 2}, "from is no text"),
        ({"op": "undo"}, "the operation 'undo' is unknown"),
        ({"op": "set_method", "tracks": [3], "method": "image"}, "the method image needs a file"),
    ],
)
def test_what_makes_no_sense_is_refused(edit: dict[str, Any], message: str) -> None:
    with pytest.raises(SettingsError, match=message):
        after(edit)


def test_drawing_into_a_visible_track_is_refused() -> None:
    with pytest.raises(SettingsError, match="is left visible"):
        after(
            {"op": "keep", "tracks": [3]},
            {"op": "draw", "track": 3, "keyframes": {"5": [0, 0, 9, 9]}},
        )


def test_an_edit_says_what_it_made() -> None:
    state = ReviewState(two_tracks())
    edits: list[tuple[dict[str, Any], dict[str, int]]] = [
        ({"op": "split", "track": 3, "frame": 20}, {"track": 8}),
        ({"op": "merge", "tracks": [7, 3]}, {"track": 7}),
        ({"op": "zone", "rule": "hide", "where": "1,2,30,40"}, {"number": 1}),
        ({"op": "hide", "tracks": [3]}, {}),
    ]
    for edit, made in edits:
        complete = operations.complete(state, edit, {})
        assert operations.made_by(complete, operations.apply(state, complete)) == made


def test_every_operation_has_a_text() -> None:
    for name, operation in operations.OPERATIONS.items():
        assert operation.text, name
    state = replace(ReviewState(two_tracks()))
    assert operations.text_of(operations.complete(state, {"op": "keep_people", "people": [3]}, {}))


def test_all_are_hidden_in_the_way_that_was_decided_last() -> None:
    content = TrackFile(
        two_tracks(), "in.mp4", "ab" * 32, 1, {"method": "mosaic", "tone": "scene"}, "onnx"
    )
    state = after({"op": "method", "method": "solid"}, {"op": "drop", "tracks": [7]})
    assert state.edited(content).settings == {"method": "solid", "tone": "scene"}
    assert [track.track_id for track in state.edited(content).tracks.tracks] == [3]
    state = after({"op": "method", "method": "solid"}, {"op": "method", "method": None})
    assert state.edited(content).settings == content.settings
    with pytest.raises(SettingsError, match="glitter"):
        after({"op": "method", "method": "glitter"})
