"""`trackblur tracks`: lists and edits the tracks of a track file."""

from __future__ import annotations

import argparse
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pytest

from tests.command_line import error_line
from tests.command_line import run as run_command
from tests.track_samples import assert_same, two_tracks
from tracker_blur.annotations import formats
from tracker_blur.annotations.track_file import TrackFile, read, write
from tracker_blur.cli import edit_arguments
from tracker_blur.cli.commands import build_parser
from tracker_blur.core.audio_spans import AudioSpan
from tracker_blur.core.box import Box
from tracker_blur.core.candidates import Candidate
from tracker_blur.core.rules import Rules
from tracker_blur.core.tracks import Origin, Track
from tracker_blur.core.zones import Zone

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """Return a track file of `two_tracks`."""
    path = tmp_path / "clip.tracks.jsonl"
    write(path, TrackFile(two_tracks(), "clip.mp4", "ab" * 32, 1234, {}, "yunet"), False)
    return path


def run(*arguments: str | Path) -> int:
    return run_command("tracks", *arguments)


def track(path: Path, track_id: int) -> Track:
    return next(track for track in read(path).tracks.tracks if track.track_id == track_id)


def test_tracks_are_listed_and_the_file_is_left_alone(
    file: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    before = file.read_bytes()
    assert run(file) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == "clip.mp4: 640x360, 50 frames to 0:00:01.960"
    assert lines[2].split() == ["3", "face", "yes", "-", "0:00:00.400", "0:00:01.160", "20", "10"]
    assert lines[3].split() == ["7", "face", "yes", "-", "0:00:00.000", "0:00:01.920", "25", "25"]
    assert lines[4] == "2 tracks, all hidden"
    assert file.read_bytes() == before


def test_candidates_are_counted_and_outlive_an_edit(
    file: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    content = read(file)
    found = (Candidate(((5, Box(400, 60, 430, 100)),), 0.4, 1.2),)
    write(file, replace(content, tracks=replace(content.tracks, candidates=found)), True)
    assert run(file) == 0
    assert "2 tracks, all hidden, 1 candidate without a track" in capsys.readouterr().out
    assert run(file, "--show", "3") == 0
    assert read(file).tracks.candidates == found


def test_faces_are_shown_and_hidden(file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(file, "--show", "3,7") == 0
    assert "left visible: tracks 3, 7" in capsys.readouterr().out
    assert run(file, "--hide", "7") == 0
    assert "2 tracks, left visible: track 3; before: " in capsys.readouterr().out
    assert (track(file, 3).hide, track(file, 7).hide) == (False, True)
    assert run(file, "--only", "3") == 0
    assert (track(file, 3).hide, track(file, 7).hide) == (True, False)
    assert run(file, "--hide", "all") == 0
    assert all(track.hide for track in read(file).tracks.tracks)


def test_a_shown_face_that_another_track_hides_is_reported(
    file: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(file, "--draw", "9@0=300,60,350,120..9=300,60,350,120") == 0
    assert capsys.readouterr().err == ""
    assert run(file, "--show", "7") == 0
    text = "track 7 stays hidden in 5 frames, where track 9 is at its place: if they are one person"
    assert f"trackblur: warning: {file}: {text}, add --show 9\n" in capsys.readouterr().err
    assert run(file) == 0
    assert capsys.readouterr().out.splitlines()[-1] == f"{text}, add --show 9"
    assert run(file, "--show", "9") == 0
    assert capsys.readouterr().err == ""


ONE = "1 track, all hidden"
TWO = "2 tracks, all hidden"
SHORTENED = "dropped: faces are visible there"


@pytest.mark.parametrize(
    ("arguments", "summary"),
    [
        (("--drop", "3"), f"{ONE}; track 3 was dropped: its faces are visible; before: {TWO}; "),
        (
            ("--drop", "all"),
            "0 tracks: nothing will be hidden; tracks 3, 7 were dropped: their faces are visible; ",
        ),
        (("--drop-before", "3@20"), f"{TWO}; 10 boxes of track 3 were {SHORTENED}; before: "),
        (("--drop-after", "3@28"), f"{TWO}; 1 box of track 3 was {SHORTENED}; before: "),
        (("--drop-in", "all@10..13"), f"{TWO}; 6 boxes of tracks 3, 7 were {SHORTENED}; before: "),
        (("--drop-in", "3@0..49"), f"{ONE}; track 3 was dropped: its faces are visible; before: "),
        (("--show", "3", "--drop", "3"), f"{ONE}; track 3 was dropped: its faces are visible; "),
        (("--merge", "3,7"), f"{ONE}; before: "),
        (("--draw", "9@10=0,0,640,360..29=0,0,640,360", "--drop", "3"), f"{TWO}; before: "),
        (("--move", "3=9,9"), f"{TWO}; before: "),
    ],
)
def test_dropped_faces_are_called_visible(
    file: Path, capsys: pytest.CaptureFixture[str], arguments: tuple[str, ...], summary: str
) -> None:
    assert run(file, *arguments) == 0
    assert f"{file}: {summary}" in capsys.readouterr().out


def test_every_option_that_edits_has_a_parser() -> None:
    actions = build_parser()[1]["tracks"]._actions
    flags = [action.option_strings[0] for action in actions if action.dest == "edits"]
    assert set(flags) == set(edit_arguments.PARSERS)


def test_the_example_for_every_edit_is_accepted() -> None:
    tracks = replace(two_tracks(), time_base=two_tracks().time_base * 20)  # 40 seconds long
    zones = (Zone.parse("hide", "0,0,9,9"), Zone.parse("ignore", "0,0,9,9"))
    sounds = (AudioSpan.parse("mute", "1s..2s"), AudioSpan.parse("bleep", "3s..4s"))
    tracks = replace(tracks, rules=Rules(zones, audio=sounds))
    actions = build_parser()[1]["tracks"]._actions
    for action in (action for action in actions if action.dest == "edits"):
        flag, form = action.option_strings[0], str(action.metavar)
        with pytest.raises(argparse.ArgumentTypeError) as caught:
            edit_arguments.parse(flag, form, "")
        example = str(caught.value).rpartition("such as ")[2].partition(": ")[0]
        edit_arguments.parse(flag, form, example)(tracks)


def test_keep_makes_nothing_visible(file: Path) -> None:
    assert run(file, "--show", "all", "--keep", "3") == 0
    assert track(file, 3).hide
    assert run(file, "--hide", "all", "--keep", "3") == 0
    assert_same(read(file).tracks, two_tracks(), px=0)


def test_edits_are_made_in_their_order(file: Path) -> None:
    arguments = ("--drop-after", "3@0.8s", "--move", "3@20..20=5,0", "--method", "3,7=simple")
    assert run(file, *arguments, "--drop", "7", "--merge", "3") == 0
    (only,) = read(file).tracks.tracks
    assert (only.first, only.last, only.method) == (10, 20, "gaussian")
    assert only.box(10).left == 125
    assert only.box(9).left == 119


@pytest.mark.parametrize(
    ("arguments", "frames"),
    [
        (("--drop-before", "3@0.8s"), range(20, 30)),
        (("--drop-before", "3@20"), range(20, 30)),
        (("--drop-after", "3@0:00:00.8"), range(10, 21)),
        (("--drop-in", "all@0s..19"), range(20, 30)),
        (("--drop-in", "3@15..99s"), range(10, 15)),
    ],
)
def test_boxes_are_dropped_by_time(file: Path, arguments: tuple[str, ...], frames: range) -> None:
    assert run(file, *arguments) == 0
    assert track(file, 3).frames.tolist() == list(frames)


def test_boxes_are_enlarged_and_drawn(file: Path) -> None:
    assert run(file, "--pad", "3=0.5", "--draw", "9@0s=0,0,10,10..0.08s=4,-2.5,14,10.5") == 0
    assert track(file, 3).box(0).as_tuple() == (90, 25, 170, 125)
    drawn = track(file, 9)
    assert drawn.box(1).as_tuple() == (2, -1.25, 12, 10.25)
    assert drawn.has(Origin.DRAWN).all()
    assert run(file, "--method", "9=solid", "--method", "9=default") == 0
    assert track(file, 9).method is None


def test_a_new_file_leaves_the_old_one_as_it_was(file: Path, tmp_path: Path) -> None:
    before, new = file.read_bytes(), tmp_path / "new.jsonl"
    assert run(file, "--drop", "3", "-o", new) == 0
    assert file.read_bytes() == before
    assert [track.track_id for track in read(new).tracks.tracks] == [7]
    assert run(file, "--drop", "7", "-o", new) == 1
    assert [track.track_id for track in read(new).tracks.tracks] == [7]
    assert run(file, "--drop", "7", "-o", new, "--overwrite") == 0
    assert [track.track_id for track in read(new).tracks.tracks] == [3]


@pytest.mark.parametrize("name", ["clip.mp4", "clip.PNG", "clip.tracks.jsonl", "other.jsonl"])
def test_no_video_and_no_track_file_is_replaced_by_an_export(
    file: Path, tmp_path: Path, name: str, capsys: pytest.CaptureFixture[str]
) -> None:
    target = tmp_path / name
    target.write_bytes(file.read_bytes() if name.endswith("jsonl") else b"\x00image")
    before = target.read_bytes()
    arguments = ("--drop", "3", "-o", tmp_path / "new", "--overwrite")
    assert run(file, *arguments, "--export", "mot", target) == 1
    assert f"{name}: exists and is a" in error_line(capsys)
    assert target.read_bytes() == before
    assert not (tmp_path / "new").exists()


def test_no_video_is_replaced_by_a_track_file(
    file: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    video = tmp_path / "clip.mp4"
    video.write_bytes(b"\x00video")
    assert run(file, "--drop", "3", "-o", video, "--overwrite") == 1
    assert "clip.mp4: exists and is not a track file" in error_line(capsys)
    assert video.read_bytes() == b"\x00video"


def test_an_export_and_the_new_file_need_two_names(
    file: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    new = tmp_path / "new"
    assert run(file, "-o", new, "--export", "mot", new) == 2
    assert "is also the name after -o" in error_line(capsys)
    assert not new.exists()


def test_an_export_replaces_an_export(file: Path, tmp_path: Path) -> None:
    there = tmp_path / "boxes.txt"
    for _ in range(2):
        assert run(file, "--export", "mot", there, "--overwrite") == 0
    assert run(file, "--export", "mot", there) == 1


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (
            ("--drop", "all"),
            "0 tracks: nothing will be hidden; tracks 3, 7 were dropped: their faces are visible; "
            "before: 2 tracks, all hidden; boxes: 45 -> 0 (45 removed)",
        ),
        (
            ("--show", "all"),
            "2 tracks, left visible: tracks 3, 7: nothing will be hidden; before: 2 tracks, "
            "all hidden; boxes: 45 -> 45 (unchanged)",
        ),
        (
            ("--pad", "7@0..9=0.2", "--drop-after", "3@19"),
            "2 tracks, all hidden; 10 boxes of track 3 were dropped: faces are visible there; "
            "before: 2 tracks, all hidden; boxes: 45 -> 35 (10 removed, 5 changed)",
        ),
        (
            ("--draw", "9@4=1,2,3,4"),
            "3 tracks, all hidden; before: 2 tracks, all hidden; boxes: 45 -> 46 (1 added)",
        ),
        (("--hide", "all"), "2 tracks, all hidden; nothing changed"),
        (("--drop-after", "3@49"), "2 tracks, all hidden; nothing changed"),
    ],
)
def test_the_changes_are_printed(
    file: Path, arguments: tuple[str, ...], message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(file, *arguments) == 0
    assert capsys.readouterr().out == f"{file}: {message}\n"


def test_one_frame_is_singular(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    one = replace(two_tracks(), times=np.zeros(1, np.int64), cuts=(), tracks=())
    path = tmp_path / "one.jsonl"
    write(path, TrackFile(one, "one.mp4", "ab" * 32, 1234, {}, "yunet"), False)
    assert run(path) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == "one.mp4: 640x360, 1 frame to 0:00:00.000"
    assert lines[-1] == "0 tracks: nothing will be hidden"


@pytest.mark.parametrize("name", formats.names())
def test_tracks_are_exported_and_imported(file: Path, tmp_path: Path, name: str) -> None:
    before, there = file.read_bytes(), tmp_path / "there"
    assert run(file, "--export", name, there) == 0
    assert file.read_bytes() == before
    assert run(file, "--drop", "all") == 0
    assert read(file).tracks.tracks == ()
    assert run(file, "--import", name, there, "--pad", "3=0.1") == 0
    assert [len(track) for track in read(file).tracks.tracks] == [20, 25]
    assert read(file).source_name == "clip.mp4"


def test_an_empty_import_does_not_replace_all_tracks(
    file: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    before = file.read_bytes()
    (tmp_path / "empty.txt").touch()
    assert run(file, "--import", "mot", tmp_path / "empty.txt") == 1
    assert "empty.txt: has no boxes, and would replace all tracks" in error_line(capsys)
    assert run(file, "-o", "-", "--show", "0") in (1, 2)
    assert "-: is not a file" in error_line(capsys)
    assert file.read_bytes() == before


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--hide", "4"), "there is no track 4"),
        (("--drop-after", "3@50"), "there is no frame 50"),
        (("--drop-after", "3@soon"), "'soon' is no time"),
        (("--drop-in", "3@20..10"), "20..10 ends before it begins"),
        (("--draw", "9@5=0,0,1,1..0.2s=0,0,1,1"), "gives two boxes for one frame"),
        (("--draw", "9@99s=0,0,1,1"), "there is no frame at 99s"),
        (("--import", "yolo", "x"), "choose one of coco, cvat, mot"),
        (("--drop", "3", "--hide", "3"), "there is no track 3"),
    ],
)
def test_an_edit_that_fits_no_track_is_wrong_usage_and_changes_nothing(
    file: Path, arguments: tuple[str, ...], message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    before = file.read_bytes()
    assert run(file, *arguments) == 2
    assert message in error_line(capsys)
    assert file.read_bytes() == before


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--hide", "x"), "'x': give IDS, such as 3,7"),
        (("--hide", "3,"), "'3,': give IDS, such as 3,7"),
        (("--hide", "99999999999"), "give IDS, such as 3,7"),
        (("--drop-after", "3"), "'3': give IDS@WHEN, such as 3,7@12.5s"),
        (("--drop-in", "3"), "'3': give IDS@WHILE, such as 3,7@1s..2.5s"),
        (("--method", "3=blurr"), "give IDS=METHOD, such as 3,7=solid: method is 'blurr'"),
        (("--method", "3=blurr"), ": give default or one of "),
        (("--move", "3=5"), "give IDS[@WHILE]=DX,DY, such as 3,7=10,-5"),
        (("--pad", "3=nan"), "give IDS[@WHILE]=RATIO, such as 3,7=0.2"),
        (("--draw", "3@5=1,2,3"), "such as 3@12.5s=10,20,60,80..14s=15,20,65,80"),
        (("--draw", "3,4@5=1,2,3,4"), "such as 3@12.5s=10,20,60,80..14s=15,20,65,80"),
    ],
)
def test_an_edit_of_another_form_is_wrong_usage(
    file: Path, arguments: tuple[str, ...], message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(file, *arguments) == 2
    assert message in error_line(capsys)


def test_a_file_that_is_not_a_track_file_fails_in_one_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(tmp_path / "missing") == 1
    assert "cannot be read" in error_line(capsys)
    (tmp_path / "other").write_text("frame,track,x,y,w,h\n")
    assert run(tmp_path / "other", "--drop", "all") == 1
    assert "line 1: is not valid JSON" in error_line(capsys)


def test_the_help_says_what_keep_does(capsys: pytest.CaptureFixture[str]) -> None:
    assert run("--help") == 0
    text = " ".join(capsys.readouterr().out.split())
    assert "the same as --hide: keep these faces hidden. It makes no face visible" in text
