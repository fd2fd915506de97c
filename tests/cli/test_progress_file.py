"""The file in which programs read how far a run is."""

from __future__ import annotations

import json
import stat
from typing import TYPE_CHECKING, Any

import pytest

from tests.command_line import error_line, run
from tests.video_files import write_clip
from tracker_blur.cli import progress_file
from tracker_blur.cli.console import EXIT_DONE, EXIT_FAILED
from tracker_blur.files.identity import sha256

if TYPE_CHECKING:
    from pathlib import Path

FRAMES = 12


@pytest.fixture
def clip(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Give a clip of a few frames, each of which is worth an event."""
    monkeypatch.setattr(progress_file, "_INTERVAL_SECONDS", 0.0)
    return write_clip(tmp_path / "in.mp4", frames=FRAMES)


def events_in(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text().splitlines()]


def test_a_run_appends_progress_and_its_end(clip: Path, tmp_path: Path) -> None:
    path = tmp_path / "events.jsonl"
    out = tmp_path / "out.mp4"
    options = "--detector", "haar", "--progress-file", path, "--json", tmp_path / "out.json"
    assert run(clip, out, *options) == EXIT_DONE
    *progress, end = events_in(path)
    assert {event["event"] for event in progress} <= {"begin", "progress", "warning", "written"}
    written = [(e["output"], e["sha256"]) for e in progress if e["event"] == "written"]
    assert written == [(str(out), sha256(out))]
    done = [event["done"] for event in progress if event["event"] == "progress"]
    assert done == list(range(1, FRAMES + 1))
    totals = {(event["total"], event["passes"]) for event in progress if "total" in event}
    assert totals == {(FRAMES, 1)}
    assert (end["event"], end["code"]) == ("end", 0)
    assert progress[0]["at"] <= end["at"]
    assert stat.S_IMODE(path.stat().st_mode) == 0o600

    tracks = tmp_path / "in.tracks.jsonl"
    assert run("track", clip, "-o", tracks, "--detector", "haar", "--progress-file", path) == 0
    assert run("verify", out, "--progress-file", path) in (0, 3)  # it appends
    later = events_in(path)[len(progress) + 1 :]
    done = [event["done"] for event in later if event["event"] == "progress"]
    assert done == [*range(1, FRAMES + 1)] * 2
    assert [event["code"] for event in later if event["event"] == "end"] == [0, 0]


def test_errors_are_those_of_the_terminal(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path, broken = tmp_path / "events.jsonl", tmp_path / "in.mp4"
    broken.write_bytes(b"no video")
    assert run(broken, tmp_path / "out.mp4", "--progress-file", path) == EXIT_FAILED
    _, error, end = events_in(path)
    assert error["event"] == "error"
    assert f"trackblur: error: {error['text']}" == error_line(capsys)
    assert (end["event"], end["code"]) == ("end", EXIT_FAILED)


def test_an_object_in_a_bucket_keeps_its_address(tmp_path: Path) -> None:
    file = progress_file.ProgressFile(tmp_path / "events.jsonl")
    file.wrote("s3://bucket/a/b.mp4", "0")
    assert events_in(tmp_path / "events.jsonl")[-1]["output"] == "s3://bucket/a/b.mp4"


def test_a_place_that_cannot_be_written_is_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "missing" / "events.jsonl"
    assert run(tmp_path / "in.mp4", "--progress-file", path) == EXIT_FAILED
    assert f"{path}: cannot be written" in error_line(capsys)
    assert run(tmp_path / "in.mp4", "--progress-file", "-") == EXIT_FAILED
    assert "-: is not a file: name one" in error_line(capsys)
    other = tmp_path / "in.mp4"
    other.write_bytes(b"a video")
    assert run(other, "--progress-file", other) == EXIT_FAILED
    assert f"{other}: exists and is no progress file: choose another" in error_line(capsys)
    assert other.read_bytes() == b"a video"
