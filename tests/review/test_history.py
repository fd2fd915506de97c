"""Edits, undo and redo give the same state whoever folds the journal."""

from __future__ import annotations

import tempfile
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import hypothesis.strategies as st
import pytest
from hypothesis import given, settings

from tests.track_samples import two_tracks
from tracker_blur.annotations.edits import compare
from tracker_blur.errors import SettingsError, TrackFileError
from tracker_blur.review import operations
from tracker_blur.review.history import History
from tracker_blur.review.journal import Journal
from tracker_blur.review.operations import StaleError
from tracker_blur.review.state import ReviewState

if TYPE_CHECKING:
    from collections.abc import Sequence

TRACKS = "ab" * 32
IDS = st.sampled_from([3, 7, 8, 9])
FRAMES = st.integers(0, 49)
EDITS = st.one_of(
    st.builds(lambda ids: {"op": "hide", "tracks": ids}, st.lists(IDS, min_size=1)),
    st.builds(lambda ids: {"op": "keep", "tracks": ids}, st.lists(IDS, min_size=1)),
    st.builds(lambda one: {"op": "drop", "tracks": [one]}, IDS),
    st.builds(lambda one, at: {"op": "split", "track": one, "frame": at}, IDS, FRAMES),
    st.builds(lambda ids: {"op": "merge", "tracks": ids}, st.lists(IDS, min_size=2)),
    st.builds(lambda ids: {"op": "merge_people", "people": ids}, st.lists(IDS, min_size=2)),
    st.builds(lambda one, at: {"op": "split_person", "person": one, "frame": at}, IDS, FRAMES),
    st.builds(lambda one, at: {"op": "extend", "track": one, "frame": at}, IDS, FRAMES),
    st.builds(
        lambda one, at: {"op": "reshape", "track": one, "frame": at, "box": [5, 5, 40, 50]},
        IDS,
        FRAMES,
    ),
    st.builds(
        lambda at: {"op": "draw", "track": None, "keyframes": {str(at): [1, 2, 30, 40]}}, FRAMES
    ),
    st.just({"op": "zone", "number": None, "rule": "hide", "where": "1,2,30,40"}),
    st.just({"op": "drop_zone", "number": 1}),
    st.builds(lambda name: {"op": "rename", "person": 3, "name": name}, st.sampled_from("ab")),
    st.sampled_from([{"op": "undo"}, {"op": "redo"}]),
)


def history(path: Path) -> History:
    return History(Journal(path, TRACKS), ReviewState(two_tracks()))


def do(one: History, edit: dict[str, Any]) -> bool:
    """Do an edit; returns whether it made sense."""
    try:
        if edit["op"] == "undo":
            one.undo("ada")
        elif edit["op"] == "redo":
            one.redo("ada")
        else:
            one.add(lambda state: operations.complete(state, edit, {}), "ada", None, None)
    except SettingsError:
        return False
    return True


def assert_same(one: ReviewState, other: ReviewState) -> None:
    assert compare(one.tracks, other.tracks).is_empty
    assert [track.label for track in one.tracks.tracks] == [
        track.label for track in other.tracks.tracks
    ]
    apart = [
        replace(state, tracks=two_tracks()) for state in (one, other)
    ]  # tracks are compared above
    assert (apart[0].people, apart[0].names, apart[0].seen, apart[0].decided) == (
        apart[1].people,
        apart[1].names,
        apart[1].seen,
        apart[1].decided,
    )


@settings(max_examples=25, deadline=None)
@given(st.lists(EDITS, max_size=12))
def test_undo_and_redo_return_to_each_state(edits: Sequence[dict[str, Any]]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "clip.journal.jsonl"
        one, watcher = history(path), history(path)
        expected, at = [one.state], 0  # a stack of states, and the place in it
        for edit in edits:
            version = one.version
            if edit["op"] == "undo":
                assert do(one, edit) == (at > 0)
                at = max(0, at - 1)
            elif edit["op"] == "redo":
                assert do(one, edit) == (at + 1 < len(expected))
                at = min(at + 1, len(expected) - 1)
            elif do(one, edit) and one.version > version:  # not if it changes nothing
                expected[at + 1 :] = [one.state]
                at += 1
            else:
                assert one.version == version
            assert_same(one.state, expected[at])
            watcher.refresh()
            assert_same(watcher.state, expected[at])
        assert_same(history(path).state, expected[at])
        for state in reversed(expected[:at]):
            one.undo("ada")
            assert_same(one.state, state)
        for state in expected[1:]:
            one.redo("ada")
            assert_same(one.state, state)
        assert not one.can_redo


def test_what_makes_no_sense_changes_nothing(tmp_path: Path) -> None:
    path = tmp_path / "clip.journal.jsonl"
    one = history(path)
    before = one.state
    with pytest.raises(SettingsError, match="there is no track 99"):
        one.add(lambda _: {"op": "hide", "tracks": [99]}, "ada", None, None)
    for step in (one.undo, one.redo):
        with pytest.raises(SettingsError, match="there is nothing to"):
            step("ada")
    assert one.state is before
    assert one.version == 0


def test_what_an_edit_has_done_is_of_its_own_moment(tmp_path: Path) -> None:
    path = tmp_path / "clip.journal.jsonl"
    one, other = history(path), history(path)
    assert do(other, {"op": "keep", "tracks": [3]})
    done = one.add(lambda _: {"op": "keep", "tracks": [7]}, "ada", None, None)
    assert do(other, {"op": "drop", "tracks": [7]})
    one.refresh()
    # Other's first edit was before it, the second one after it.
    states = done.before, done.after
    hidden = [[track.hide for track in state.tracks.tracks] for state in states]
    assert (done.version, done.is_written, hidden) == (2, True, [[False, True], [False, False]])
    back = one.undo("ada")
    assert (back.version, back.edit) == (4, {"op": "drop", "tracks": [7]})
    again = one.add(lambda _: {"op": "keep", "tracks": [3]}, "ada", None, None)
    assert (again.version, again.is_written) == (4, False)


def test_an_edit_for_another_version_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "clip.journal.jsonl"
    one, other = history(path), history(path)
    assert do(other, {"op": "keep", "tracks": [3]})
    with pytest.raises(StaleError):
        one.add(lambda _: {"op": "hide", "tracks": [3]}, "ada", None, 0)
    assert one.version == 1  # it has seen the other edit on the way
    for step in (one.undo, one.redo):
        with pytest.raises(StaleError):
            step("ada", 0)
    assert one.undo("ada", 1).edit == {"op": "keep", "tracks": [3]}
    assert one.redo("ada", 2).edit == {"op": "keep", "tracks": [3]}
    assert [track.hide for track in one.state.tracks.tracks] == [False, True]


def test_a_journal_that_makes_no_sense_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "clip.journal.jsonl"
    journal = Journal(path, TRACKS)
    with journal.held():
        journal.append({"op": "hide", "tracks": [99]}, "ada", None)
    with pytest.raises(TrackFileError, match="line 1 makes no sense for these tracks"):
        history(path)


def test_nothing_is_folded_after_a_line_that_makes_no_sense(tmp_path: Path) -> None:
    path = tmp_path / "clip.journal.jsonl"
    one, journal = history(path), Journal(path, TRACKS)
    with journal.held():
        journal.append({"op": "hide", "tracks": [99]}, "ada", None)
        journal.append({"op": "keep", "tracks": [3]}, "ada", None)
    for _ in range(2):
        with pytest.raises(TrackFileError, match="line 1 makes no sense"):
            one.refresh()
        with pytest.raises(TrackFileError, match="line 1 makes no sense"):
            one.undo("ada")


def test_who_and_why_are_written_down(tmp_path: Path) -> None:
    one = history(tmp_path / "clip.journal.jsonl")
    one.add(lambda _: {"op": "keep", "tracks": [3]}, "ada", "agreed", None)
    assert one.last_edit == {"op": "keep", "tracks": [3]}
    (line,) = one.lines
    assert (line.number, line.who, line.why) == (1, "ada", "agreed")


def test_what_changes_nothing_is_not_written_down(tmp_path: Path) -> None:
    one = history(tmp_path / "a.journal.jsonl")
    keep, hide = ({"op": op, "tracks": [3]} for op in ("keep", "hide"))
    same = {"op": "rename", "person": 3, "name": None}
    for edit, version in ((hide, 0), (keep, 1), (keep, 1), (same, 1), (hide, 2), (hide, 2)):
        one.add(partial(operations.complete, edit=edit, grouped={}), "ada", None, None)
        assert one.version == version, edit
    for version in (3, 3):
        one.add(lambda _: {"op": "reviewed"}, "ada", None, None)
        assert one.version == version
    one.add(lambda _: hide, "ada", "she asked for it", None)  # the report has the reason
    assert one.version == 4
