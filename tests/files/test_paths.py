"""What names of files say: the kind of media, the names of outputs, what is not a file."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tracker_blur.errors import SettingsError, SinkError, SourceError
from tracker_blur.files.atomic import check_folder
from tracker_blur.files.paths import (
    check_is_folder,
    check_is_written_as_video,
    comparison_path,
    default_output,
    default_output_folder,
    format_of,
    is_output,
    is_same_file,
    media_kind,
    mirrored_output,
    real_path,
)
from tracker_blur.images.reader import ImageReader
from tracker_blur.video.reader import VideoReader


@pytest.mark.parametrize(
    ("source", "target", "kind"),
    [
        ("a.jpg", "b.png", "image"),
        ("a.GIF", "b.gif", "image"),
        ("a.gif", "b.webp", "image"),
        ("a.AVIF", "b.avif", "image"),
        ("a.gif", "b.mp4", "video"),
        ("a.mp4", "b.gif", "video"),
        ("a.avi", "b.mkv", "video"),
        ("a.xyz", "b.mp4", "video"),
    ],
)
def test_both_suffixes_say_how_a_file_is_processed(source: str, target: str, kind: str) -> None:
    assert media_kind(Path(source), Path(target)) == kind


@pytest.mark.parametrize(
    ("source", "target"), [("a.jpg", "b.mp4"), ("a.webp", "b.mp4"), ("a.mp4", "b.jpg")]
)
def test_an_image_does_not_become_a_video_nor_a_video_an_image(source: str, target: str) -> None:
    with pytest.raises(SettingsError, match=target):
        media_kind(Path(source), Path(target))


@pytest.mark.parametrize("target", ["b.pdf", "b"])
def test_an_image_is_not_said_to_become_a_video_where_the_output_is_neither(target: str) -> None:
    with pytest.raises(SettingsError, match=r"which cannot be written like this: .* as \.jpg"):
        media_kind(Path("a.jpg"), Path(target))


@pytest.mark.parametrize("target", ["b.xyz", "b.avi", "b.jpg", "b"])
def test_a_suffix_that_videos_are_not_written_with_is_refused(target: str) -> None:
    with pytest.raises(SettingsError, match=rf"{target}: videos are written as \.mp4, .*\.gif: "):
        check_is_written_as_video(Path(target))


@pytest.mark.parametrize("target", ["b.MP4", "b.mkv", "b.gif"])
def test_a_suffix_that_videos_are_written_with_is_accepted(target: str) -> None:
    check_is_written_as_video(Path(target))


def test_an_unknown_image_suffix_is_refused_with_the_known_ones() -> None:
    assert format_of(Path("a.JPG")) == "JPEG"
    with pytest.raises(SettingsError, match=r"a\.xyz: .* choose one of jpg, jpeg, "):
        format_of(Path("a.xyz"))


@pytest.mark.parametrize(
    ("name", "next_to_it", "elsewhere"),
    [
        ("a.mp4", "a_redacted.mp4", "a.mp4"),
        ("a.b.JPG", "a.b_redacted.JPG", "a.b.JPG"),
        ("a.avi", "a_redacted.avi.mkv", "a.avi.mkv"),
        ("a", "a_redacted.mkv", "a.mkv"),
    ],
)
def test_an_output_keeps_its_name_and_is_recognized(
    name: str, next_to_it: str, elsewhere: str, tmp_path: Path
) -> None:
    file = tmp_path / name
    assert default_output(file) == tmp_path / next_to_it
    assert mirrored_output(Path("x", name)) == Path("x", elsewhere)
    assert not is_output(default_output(file))
    file.touch()
    assert is_output(default_output(file))
    assert not is_output(file)


def test_a_comparison_is_recognized_as_an_output(tmp_path: Path) -> None:
    source = tmp_path / "a.jpg"
    source.touch()
    assert comparison_path(source) == tmp_path / "a_compare.jpg"
    assert is_output(comparison_path(source))


def test_every_folder_has_a_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    next_to_it = tmp_path.with_name(f"{tmp_path.name}_redacted")
    assert default_output_folder(tmp_path) == next_to_it
    assert default_output_folder(Path()) == next_to_it
    assert default_output_folder(Path("in")) == Path("in_redacted")


@pytest.mark.parametrize("reader", [VideoReader, ImageReader])
@pytest.mark.parametrize("name", ["/dev/null", "-", "http://host/a.mp4"])
def test_readers_refuse_what_is_not_a_file(
    reader: type[VideoReader | ImageReader], name: str
) -> None:
    with pytest.raises(SourceError, match="is not a file"):
        reader(Path(name))


def test_links_of_any_kind_are_the_same_file(tmp_path: Path) -> None:
    file, other = tmp_path / "a", tmp_path / "b"
    file.touch()
    assert not is_same_file(file, other)
    (tmp_path / "soft").symlink_to(file)
    (tmp_path / "hard").hardlink_to(file)
    assert is_same_file(file, tmp_path / "soft")
    assert is_same_file(tmp_path / "hard", tmp_path / "soft")
    assert is_same_file(other, tmp_path / "." / "b")  # neither exists


def test_links_in_a_circle_lead_to_no_other_file(tmp_path: Path) -> None:
    loop = tmp_path / "loop"
    loop.symlink_to(loop)
    assert real_path(loop) == loop
    assert is_same_file(loop, loop)
    assert not is_same_file(loop, tmp_path / "other")


def test_a_folder_that_cannot_be_listed_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    check_is_folder(tmp_path)
    with pytest.raises(SettingsError, match="none: is not a folder: name one with videos"):
        check_is_folder(tmp_path / "none")

    def closed(path: object) -> None:
        raise PermissionError(13, "Permission denied", path)

    monkeypatch.setattr(os, "scandir", closed)  # root may list any
    with pytest.raises(SourceError, match=r"cannot be read \(permission denied\): change its per"):
        check_is_folder(tmp_path)


@pytest.mark.parametrize(
    ("output", "message"),
    [
        ("none/a.mp4", "the folder .*/none does not exist: create it"),
        ("file/a.mp4", ".*/file is a file, not a folder: choose another"),
        ("file/x/a.mp4", r"cannot be used \(not a directory\): choose another"),
    ],
)
def test_what_is_wrong_with_the_folder_of_an_output_is_said(
    output: str, message: str, tmp_path: Path
) -> None:
    (tmp_path / "file").touch()
    check_folder(tmp_path / "a.mp4")
    with pytest.raises(SinkError, match=message):
        check_folder(tmp_path / output)
