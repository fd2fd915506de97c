"""Names of the files next to a video or an image."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from tracker_blur.files.companions import beside_tracks, has_tracks, tracks_path

if TYPE_CHECKING:
    from pathlib import Path


def test_tracks_have_the_name_of_their_video(tmp_path: Path) -> None:
    video = tmp_path / "a.b.mp4"
    video.touch()
    assert tracks_path(video) == tmp_path / "a.b.tracks.jsonl"
    assert not has_tracks(video)
    (tmp_path / "a.b.tracks.jsonl").touch()
    assert has_tracks(video)


@pytest.mark.parametrize("other", ["a.jpg", "a.JPG", "a.mov", "a.MP4"])
def test_files_of_one_name_have_tracks_of_their_own(tmp_path: Path, other: str) -> None:
    for name in ("a.mp4", other, "a.txt"):
        (tmp_path / name).touch()
    paths = [tracks_path(tmp_path / name) for name in ("a.mp4", other)]
    assert [path.name for path in paths] == ["a.mp4.tracks.jsonl", f"{other}.tracks.jsonl"]
    assert len({beside_tracks(path, ".journal.jsonl") for path in paths}) == 2


def test_tracks_stay_those_of_their_video_when_another_file_comes(tmp_path: Path) -> None:
    for name in ("a.mp4", "a.jpg"):
        (tmp_path / name).touch()
    short = tmp_path / "a.tracks.jsonl"
    short.write_text(json.dumps({"source": {"name": "a.mp4"}}) + "\n")
    assert tracks_path(tmp_path / "a.mp4") == short
    assert has_tracks(tmp_path / "a.mp4")
    assert tracks_path(tmp_path / "a.jpg") == tmp_path / "a.jpg.tracks.jsonl"
    assert not has_tracks(tmp_path / "a.jpg")
    for damaged in ("", "{", "[]", '{"source": 7}', "\x00"):
        short.write_text(damaged)
        assert tracks_path(tmp_path / "a.mp4") == tmp_path / "a.mp4.tracks.jsonl"


def test_a_file_whose_tracks_would_have_too_long_a_name_has_none(tmp_path: Path) -> None:
    video = tmp_path / ("x" * 250 + ".mp4")
    video.touch()
    assert not has_tracks(video)
    assert len(tracks_path(video).name) > 255


def test_what_belongs_to_tracks_lies_next_to_them(tmp_path: Path) -> None:
    for tracks, journal in (
        ("a.tracks.jsonl", "a.journal.jsonl"),
        ("a.mp4.tracks.jsonl", "a.mp4.journal.jsonl"),
        ("faces.jsonl", "faces.journal.jsonl"),
    ):
        assert beside_tracks(tmp_path / tracks, ".journal.jsonl").name == journal
