"""Who decided what in a review: the lines of its journal that still hold, by track and by doubt."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

_CHANGE_NO_PICTURE = {"seen", "reviewed", "rename", "merge_people"}
_HIDING = {"hide": True, "hide_people": True, "keep": False, "keep_people": False}
_OF_TRACKS = ("tracks", "new")  # the fields of an edit that name tracks, besides `track`


class JournalLine(Protocol):
    """A line of the journal, as far as it is read here; see `tracker_blur.review.journal.Line`."""

    @property
    def number(self) -> int:
        """From 1."""
        ...

    @property
    def at(self) -> str:
        """When, as ISO 8601."""
        ...

    @property
    def who(self) -> str:
        """Who decided it."""
        ...

    @property
    def edit(self) -> dict[str, Any]:
        """What was done."""
        ...

    @property
    def why(self) -> str | None:
        """The reason, if one was given."""
        ...

    @property
    def previous(self) -> str:
        """SHA-256 of the line before; the first one's, of the track file."""
        ...


@dataclass(frozen=True, slots=True)
class Decision:
    """What a person decided.

    Attributes:
        by: who.
        at: when, as ISO 8601.
        why: the reason; None: none was given.
        what: the operation.
        line: the number of the journal's line.
    """

    by: str
    at: str
    why: str | None
    what: str
    line: int

    @classmethod
    def of(cls, line: JournalLine) -> Decision:
        """Return the decision that a line of the journal holds."""
        return cls(line.who, line.at, line.why, str(line.edit.get("op")), line.number)


@dataclass(slots=True)
class Decisions:
    """The decisions of a review that still hold.

    Attributes:
        hiding: who last decided whether a track is hidden, by the track.
        boxes: who changed the boxes, the class or the method of a track, in order.
        doubts: who marked a doubt as seen, by the doubt.
        rules: who changed zones, sounds and limits, in order.
    """

    hiding: dict[int, Decision] = field(default_factory=dict)
    boxes: dict[int, list[Decision]] = field(default_factory=dict)
    doubts: dict[str, Decision] = field(default_factory=dict)
    rules: list[Decision] = field(default_factory=list)


def standing(lines: Iterable[JournalLine]) -> list[JournalLine]:
    """Return the lines whose edits were not undone, or done again after that, in order."""
    done: list[JournalLine] = []
    undone: list[JournalLine] = []
    for line in lines:
        operation = line.edit.get("op")
        if operation == "undo":
            if done:
                undone.append(done.pop())
        elif operation == "redo":
            if undone:
                done.append(undone.pop())
        else:
            done.append(line)
            undone.clear()
    return done


def decisions_of(lines: Iterable[JournalLine]) -> Decisions:
    """Return who decided what, as far as it still holds."""
    found = Decisions()
    for line in standing(lines):
        decision, edit = Decision.of(line), line.edit
        if decision.what in _HIDING:
            found.hiding |= dict.fromkeys(_tracks(edit), decision)
        elif decision.what in _CHANGE_NO_PICTURE - {"seen"}:
            continue
        elif decision.what == "seen":
            found.doubts[str(edit.get("doubt"))] = decision
        elif decision.what in ("zone", "drop_zone", "sound", "drop_sound", "limits"):
            found.rules.append(decision)
        else:
            for track_id in _tracks(edit):
                found.boxes.setdefault(track_id, []).append(decision)
            _inherit(found.hiding, edit)
    return found


def is_changed_since(lines: Sequence[JournalLine], version: int) -> bool:
    """Return whether what is rendered now may differ from what was at an earlier version.

    What was done and undone since does not count.

    Args:
        lines: the journal.
        version: the number of its last line then; 0: before any edit.
    """
    return _of_pictures(lines[:version]) != _of_pictures(lines)


def _of_pictures(lines: Iterable[JournalLine]) -> list[dict[str, Any]]:
    edits = (line.edit for line in standing(lines))
    return [edit for edit in edits if edit.get("op") not in _CHANGE_NO_PICTURE]


def names_of(lines: Iterable[JournalLine]) -> dict[int, str]:
    """Return the names that a reviewer gave to people, by each of their tracks."""
    names: dict[int, str] = {}
    for line in standing(lines):
        edit = line.edit
        if edit.get("op") != "rename":
            continue
        for track_id in edit.get("tracks") or [edit.get("person")]:
            names.pop(track_id, None)
            if isinstance(track_id, int) and edit.get("name") is not None:
                names[track_id] = str(edit["name"])
    return names


def _tracks(edit: Mapping[str, Any]) -> list[int]:
    """Return the tracks that an edit names."""
    ids = [edit["track"]] if isinstance(edit.get("track"), int) else []
    for name in _OF_TRACKS:
        value = edit.get(name)
        if isinstance(value, dict):  # the new number of each track that was split
            ids += value.values()
        elif isinstance(value, list):
            ids += value
        elif value is not None:
            ids.append(value)
    return [track_id for track_id in ids if isinstance(track_id, int)]


def _inherit(hiding: dict[int, Decision], edit: Mapping[str, Any]) -> None:
    """Let a track that was split off have the decision about the one that it was a part of."""
    new = edit.get("new")
    pairs = new.items() if isinstance(new, dict) else [(edit.get("track"), new)]
    for old, track_id in pairs:
        number = int(str(old)) if str(old).isdigit() else None  # keys of JSON are texts
        if isinstance(track_id, int) and number in hiding:
            hiding[track_id] = hiding[number]
