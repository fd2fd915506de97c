"""Who decided what: only edits that still hold count."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from tracker_blur.review.decisions import (
    decisions_of,
    is_changed_since,
    names_of,
    standing,
)


@dataclass(frozen=True)
class FakeLine:
    """A line of a journal."""

    number: int
    edit: dict[str, Any]
    who: str = "anna"
    why: str | None = None
    at: str = "2026-01-02T03:04:05+00:00"
    previous: str = field(default="0" * 64)


def lines(*edits: dict[str, Any], who: str = "anna") -> list[FakeLine]:
    return [FakeLine(number, edit, who) for number, edit in enumerate(edits, 1)]


UNDO, REDO = {"op": "undo"}, {"op": "redo"}


def test_what_was_undone_does_not_stand_unless_it_was_done_again() -> None:
    keep, hide = {"op": "keep", "tracks": [1]}, {"op": "hide", "tracks": [1]}
    assert [line.number for line in standing(lines(keep, hide, UNDO))] == [1]
    assert [line.number for line in standing(lines(keep, hide, UNDO, REDO))] == [1, 2]
    assert [line.number for line in standing(lines(keep, UNDO, hide, REDO))] == [3]
    assert standing(lines(UNDO, REDO)) == []


def test_the_last_decision_about_a_track_counts() -> None:
    found = decisions_of(
        [
            FakeLine(1, {"op": "keep_people", "people": [5], "tracks": [1, 2]}, "anna", "agreed"),
            FakeLine(2, {"op": "hide", "tracks": [2]}, "ben"),
        ]
    )
    assert (found.hiding[1].by, found.hiding[1].why) == ("anna", "agreed")
    assert (found.hiding[2].by, found.hiding[2].what) == ("ben", "hide")


def test_a_part_that_was_split_off_has_the_decision_about_the_whole() -> None:
    found = decisions_of(
        lines(
            {"op": "keep", "tracks": [1, 2]},
            {"op": "split", "track": 1, "frame": 9, "new": 7},
            {"op": "split_person", "person": 2, "frame": 9, "tracks": [], "new": {"2": 8}},
        )
    )
    assert found.hiding[7] == found.hiding[1]
    assert found.hiding[8] == found.hiding[2]


def test_boxes_doubts_and_rules_have_their_own_lists() -> None:
    found = decisions_of(
        lines(
            {"op": "draw", "track": 3, "keyframes": {"0": [1, 2, 3, 4]}},
            {"op": "seen", "doubt": "gap-1"},
            {"op": "zone", "number": None, "rule": "hide", "where": "1,2,3,4"},
        )
    )
    assert [one.what for one in found.boxes[3]] == ["draw"]
    assert found.doubts["gap-1"].line == 2
    assert [one.what for one in found.rules] == ["zone"]
    assert found.hiding == {}


def test_a_name_is_that_of_all_tracks_that_were_the_persons_then() -> None:
    named = {"op": "rename", "person": 1, "name": "Ada", "tracks": [1, 4]}
    unnamed = {"op": "rename", "person": 4, "name": None, "tracks": [4]}
    assert names_of(lines(named)) == {1: "Ada", 4: "Ada"}
    assert names_of(lines(named, unnamed)) == {1: "Ada"}
    assert names_of(lines(named, UNDO)) == {}
    assert decisions_of(lines(named)).boxes == {}


def test_looking_and_naming_change_no_picture() -> None:
    harmless = [{"op": op} for op in ("seen", "reviewed", "rename", "merge_people")]
    assert not is_changed_since(lines(*harmless), 0)
    assert not is_changed_since([], 0)
    for op in ("hide", "keep", "draw", "zone", "method"):
        assert is_changed_since(lines(*harmless, {"op": op}), 0)
        assert not is_changed_since(lines(*harmless, {"op": op}), 5)


def test_what_was_done_and_undone_since_changes_no_picture() -> None:
    keep = {"op": "keep", "tracks": [1]}
    assert not is_changed_since(lines(keep, UNDO), 0)
    assert is_changed_since(lines(keep, UNDO), 1)
    assert not is_changed_since(lines(keep, UNDO, REDO), 1)
    assert not is_changed_since(lines(keep, UNDO, keep), 1)
