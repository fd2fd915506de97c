"""`trackblur track`: writes the tracks of a video to a file."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from tests.cli.conftest import QUICK
from tests.command_line import error_line, run
from tracker_blur.annotations import track_file


def names(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir()}


def test_the_file_says_what_was_tracked_and_how(tracked: Path) -> None:
    written = track_file.read(tracked)
    assert (written.source_name, written.detector) == ("in.mp4", "haar")
    assert written.models == ("verify.onnx",)
    assert (written.tracks.frame_count, written.tracks.size) == (10, (160, 120))
    assert len(written.tracks.tracks) >= 1


def test_without_a_name_the_file_lies_next_to_the_video(small_clip: Path, tmp_path: Path) -> None:
    shutil.copy(small_clip, tmp_path / "a.b.mp4")
    assert run("track", tmp_path / "a.b.mp4", *QUICK) == 0
    assert names(tmp_path) == {"a.b.mp4", "a.b.tracks.jsonl"}


def test_an_existing_file_is_kept_unless_it_may_be_overwritten(
    small_clip: Path, tracked: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    target = Path(shutil.copy(tracked, tmp_path / "in.tracks.jsonl"))
    before = target.read_bytes()
    assert run("track", small_clip, "-o", target, *QUICK) == 1
    assert "already exists" in error_line(capsys)
    assert target.read_bytes() == before
    assert run("track", small_clip, "-o", target, *QUICK, "--overwrite") == 0


@pytest.mark.parametrize("name", ["in.mp4", "link.mp4"])
def test_a_track_file_never_replaces_the_video(
    small_clip: Path, tmp_path: Path, name: str, capsys: pytest.CaptureFixture[str]
) -> None:
    source = Path(shutil.copy(small_clip, tmp_path / "in.mp4"))
    (tmp_path / "link.mp4").hardlink_to(source)
    assert run("track", source, "-o", tmp_path / name, "--overwrite", *QUICK) == 2
    assert "is the video itself" in error_line(capsys)
    assert source.read_bytes() == small_clip.read_bytes()
    assert names(tmp_path) == {"in.mp4", "link.mp4"}


@pytest.mark.parametrize("arguments", [("--tone", "scene"), ("--one-pass",), ("--codec", "h264")])
def test_it_takes_no_options_of_redaction_and_encoding(
    small_clip: Path, tmp_path: Path, arguments: tuple[str, ...]
) -> None:
    assert run("track", small_clip, "-o", tmp_path / "t.jsonl", *arguments) == 2


def test_the_method_of_a_review_is_noted(small_clip: Path, tmp_path: Path) -> None:
    target = tmp_path / "t.jsonl"
    assert run("track", small_clip, "-o", target, *QUICK, "--method", "solid") == 0
    assert track_file.read(target).settings["method"] == "solid"


def test_the_margin_extends_tracks(small_clip: Path, tracked: Path, tmp_path: Path) -> None:
    wide = tmp_path / "wide.jsonl"
    assert run("track", small_clip, "-o", wide, *QUICK, "--margin", "5") == 0
    tracks = track_file.read(wide).tracks.tracks
    assert len(tracks) == len(track_file.read(tracked).tracks.tracks)
    assert all(len(track) == 10 for track in tracks)


@pytest.mark.shared
def test_the_names_of_weight_files_are_kept(shared: Path, small_clip: Path, tmp_path: Path) -> None:
    path = tmp_path / "t.jsonl"
    arguments = ("--detector", "yunet", "--face", shared / "models", "--quiet")
    assert run("track", small_clip, "-o", path, *arguments) == 0
    written = track_file.read(path)
    assert written.detector == "yunet"
    assert all(name.endswith(".onnx") for name in written.models)
    assert str(shared) not in path.read_text()
    assert len(written.tracks.tracks) >= 1


def test_a_still_image_has_no_tracks(
    small_image: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run("track", small_image, "-o", tmp_path / "t.jsonl", *QUICK) == 2
    assert f"{small_image}: a still image has no tracks: give a video" in error_line(capsys)
    assert list(tmp_path.iterdir()) == []
