"""The journal keeps every edit that was confirmed, and nothing that was not."""

from __future__ import annotations

import hashlib
import json
import os
import signal
import stat
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import pytest

from tracker_blur.errors import SinkError, TrackFileError
from tracker_blur.review.journal import Journal, Line, journal_path

if TYPE_CHECKING:
    from pathlib import Path

TRACKS = "ab" * 32
EDITS: list[dict[str, Any]] = [
    {"op": "hide", "tracks": [1]},
    {"op": "rename", "person": 1, "name": "é <b>"},
    {"op": "undo"},
]


def written(path: Path) -> Journal:
    journal = Journal(path, TRACKS)
    for edit in EDITS:
        with journal.held():
            journal.append(edit, "ada", None)
    return journal


def edits(lines: list[Line]) -> list[dict[str, Any]]:
    return [line.edit for line in lines]


def test_each_line_holds_the_hash_of_the_one_before(tmp_path: Path) -> None:
    path = tmp_path / "clip.journal.jsonl"
    written(path)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    lines = path.read_bytes().splitlines()
    assert [json.loads(line)["n"] for line in lines] == [1, 2, 3]
    previous = [json.loads(line)["previous"] for line in lines]
    hashes = [hashlib.sha256(line).hexdigest() for line in lines]
    assert previous == [TRACKS, *hashes[:-1]]
    assert edits(Journal(path, TRACKS).news()) == EDITS


def test_it_lies_next_to_the_track_file(tmp_path: Path) -> None:
    assert journal_path(tmp_path / "a.tracks.jsonl") == tmp_path / "a.journal.jsonl"
    assert journal_path(tmp_path / "faces.jsonl") == tmp_path / "faces.journal.jsonl"


def test_a_crash_at_any_byte_of_the_last_line_loses_that_line_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "clip.journal.jsonl"
    written(path)
    monkeypatch.setattr(os, "fsync", lambda _: None)  # as often as here, it takes seconds
    whole = path.read_bytes()
    kept = len(whole) - len(whole.splitlines(keepends=True)[-1])
    for size in range(kept + 1, len(whole)):
        path.write_bytes(whole[:size])
        assert edits(Journal(path, TRACKS).news()) == EDITS[:2]  # reading changes nothing
        assert path.stat().st_size == size
        journal = Journal(path, TRACKS)
        with journal.held() as lines:
            assert edits(lines) == EDITS[:2]
            journal.append({"op": "hide", "tracks": [2]}, "ada", "why")
        assert len(journal.notes) == 1
        assert "was cut off" in journal.notes[0]
        assert [line.number for line in Journal(path, TRACKS).news()] == [1, 2, 3]


def test_what_is_no_line_at_the_end_is_cut_off(tmp_path: Path) -> None:
    path = tmp_path / "clip.journal.jsonl"
    written(path)
    with path.open("ab") as file:
        file.write(b"\0" * 100)
    journal = Journal(path, TRACKS)
    with journal.held() as lines:
        assert edits(lines) == EDITS
    assert b"\0" not in path.read_bytes()


@pytest.mark.parametrize("number", [0, 1, 2])
def test_a_changed_line_is_noticed(number: int, tmp_path: Path) -> None:
    path = tmp_path / "clip.journal.jsonl"
    written(path)
    lines = path.read_bytes().splitlines(keepends=True)
    lines[number] = lines[number].replace(b'"ada"', b'"eve"')
    path.write_bytes(b"".join(lines))
    if number == 2:  # nothing follows that would hold its hash
        assert len(Journal(path, TRACKS).news()) == 3
        return
    with pytest.raises(TrackFileError, match=f"line {number + 2} was changed or damaged"):
        Journal(path, TRACKS).news()


def test_a_missing_line_is_noticed(tmp_path: Path) -> None:
    path = tmp_path / "clip.journal.jsonl"
    written(path)
    lines = path.read_bytes().splitlines(keepends=True)
    path.write_bytes(b"".join([lines[0], lines[2]]))
    with pytest.raises(TrackFileError, match="line 2 was changed or damaged"):
        Journal(path, TRACKS).news()


def test_the_journal_of_other_tracks_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "clip.journal.jsonl"
    written(path)
    with pytest.raises(TrackFileError, match=r"is the journal of other tracks.*move the journal"):
        Journal(path, "cd" * 32).news()


def test_two_see_each_others_lines(tmp_path: Path) -> None:
    path = tmp_path / "clip.journal.jsonl"
    one, other = Journal(path, TRACKS), Journal(path, TRACKS)
    assert not one.has_news
    for number, journal in enumerate((one, other, other, one)):
        with journal.held():
            journal.append({"op": "hide", "tracks": [number]}, "ada", None)
    assert other.has_news
    assert edits(other.news()) == [{"op": "hide", "tracks": [3]}]
    assert [line.number for line in other.lines] == [1, 2, 3, 4]


def test_a_shortened_journal_is_noticed(tmp_path: Path) -> None:
    path = tmp_path / "clip.journal.jsonl"
    journal = written(path)
    os.truncate(path, 10)
    with pytest.raises(TrackFileError, match="was shortened while it was in use"):
        journal.news()


def test_a_full_disk_leaves_nothing_of_a_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "clip.journal.jsonl"
    journal = written(path)
    size = path.stat().st_size

    def full(_: int) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch, journal.held():
        patch.setattr(os, "fsync", full)
        with pytest.raises(SinkError, match="no space left on device"):
            journal.append({"op": "redo"}, "ada", None)
    assert path.stat().st_size == size
    with journal.held():
        journal.append({"op": "redo"}, "ada", None)
    assert edits(Journal(path, TRACKS).news()) == [*EDITS, {"op": "redo"}]


WRITER = """
import sys
from pathlib import Path
from tracker_blur.review.journal import Journal
journal = Journal(Path(sys.argv[1]), sys.argv[2])
for number in range(10**9):
    with journal.held():
        journal.append({"op": "hide", "tracks": [number]}, "ada", "x" * 3000)
    print(number, flush=True)
"""


def test_what_was_confirmed_outlives_a_killed_process(tmp_path: Path) -> None:
    path = tmp_path / "clip.journal.jsonl"
    writer = subprocess.Popen(
        [sys.executable, "-c", WRITER, str(path), TRACKS], stdout=subprocess.PIPE
    )
    assert writer.stdout is not None
    for _ in range(20):
        last = int(writer.stdout.readline())
    writer.send_signal(signal.SIGKILL)
    rest = writer.stdout.read().split()
    writer.stdout.close()
    writer.wait()
    confirmed = int(rest[-1]) if rest else last
    journal = Journal(path, TRACKS)
    with journal.held() as lines:
        assert len(lines) in (confirmed + 1, confirmed + 2)
        assert [line.edit["tracks"] for line in lines] == [[n] for n in range(len(lines))]
