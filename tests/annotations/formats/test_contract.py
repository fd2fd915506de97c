"""The contract of every format."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings

from tests.track_samples import EVERYTHING, any_tracks, assert_same, two_tracks
from tracker_blur.annotations import formats
from tracker_blur.core import plugins
from tracker_blur.errors import SettingsError, SinkError, TrackFileError

if TYPE_CHECKING:
    from pathlib import Path

    from tracker_blur.core.tracks import Tracks

NAMES = formats.names()
CARRIED = {"mot": ("scores",), "cvat": EVERYTHING, "coco": EVERYTHING}

few_examples = settings(max_examples=25)


@pytest.mark.parametrize("name", NAMES)
@few_examples
@given(tracks=any_tracks())
def test_a_round_trip_loses_nothing_that_the_format_carries(
    tmp_path: Path, name: str, tracks: Tracks
) -> None:
    format_module = formats.load(name)
    path, again = tmp_path / "a", tmp_path / "b"
    format_module.write(tracks, path, True)
    found = format_module.read(path, replace(tracks, tracks=()))
    assert_same(found, tracks, CARRIED[name])
    format_module.write(found, again, True)
    assert_same(format_module.read(again, found), found, px=0)


@pytest.mark.parametrize("name", NAMES)
def test_tracks_are_hidden_if_the_format_does_not_carry_it(tmp_path: Path, name: str) -> None:
    tracks = two_tracks()
    visible = tuple(replace(track, hide=False, method="fog") for track in tracks.tracks)
    format_module = formats.load(name)
    format_module.write(replace(tracks, tracks=visible), tmp_path / "a", False)
    for track in format_module.read(tmp_path / "a", tracks).tracks:
        assert track.hide == ("hide" not in CARRIED[name])


@pytest.mark.parametrize("name", NAMES)
def test_a_file_without_tracks_is_read_as_none(tmp_path: Path, name: str) -> None:
    empty = replace(two_tracks(), tracks=())
    formats.load(name).write(empty, tmp_path / "a", False)
    assert formats.load(name).read(tmp_path / "a", two_tracks()).tracks == ()


@pytest.mark.parametrize("name", NAMES)
def test_an_existing_file_is_replaced_only_if_allowed(tmp_path: Path, name: str) -> None:
    path = tmp_path / "a"
    path.write_text("mine")
    with pytest.raises(SinkError, match="already exists"):
        formats.load(name).write(two_tracks(), path, False)
    assert path.read_text() == "mine"
    formats.load(name).write(two_tracks(), path, True)


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("content", [b"\xff\xfe\x00", b"{", b"<annotations>", b"[" * 99999, b"1,x"])
def test_other_files_are_rejected(tmp_path: Path, name: str, content: bytes) -> None:
    (tmp_path / "a").write_bytes(content)
    with pytest.raises(TrackFileError) as caught:
        formats.load(name).read(tmp_path / "a", two_tracks())
    assert str(tmp_path / "a") in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("name", NAMES)
def test_a_missing_file_is_rejected(tmp_path: Path, name: str) -> None:
    with pytest.raises(TrackFileError, match="cannot be read"):
        formats.load(name).read(tmp_path / "missing", two_tracks())


@pytest.mark.parametrize("name", NAMES)
def test_frames_of_a_longer_video_are_rejected(tmp_path: Path, name: str) -> None:
    tracks = two_tracks()
    formats.load(name).write(tracks, tmp_path / "a", False)
    with pytest.raises(TrackFileError, match="frame"):
        formats.load(name).read(tmp_path / "a", replace(tracks, times=tracks.times[:20]))


@pytest.mark.parametrize("name", ["cvat", "coco"])
def test_a_video_of_another_size_is_rejected(tmp_path: Path, name: str) -> None:
    formats.load(name).write(two_tracks(), tmp_path / "a", False)
    with pytest.raises(TrackFileError, match="another video"):
        formats.load(name).read(tmp_path / "a", replace(two_tracks(), size=(360, 640)))


@pytest.mark.parametrize("name", NAMES)
def test_the_docstring_describes_the_format_in_one_line(name: str) -> None:
    assert 30 < len(plugins.summary("tracker_blur.annotations.formats", name)) < 100
    assert "carry" in (formats.load(name).__doc__ or "")


def test_an_unknown_format_is_rejected() -> None:
    with pytest.raises(SettingsError, match="choose one of coco, cvat, mot"):
        formats.load("yolo")
