"""Where a video can be cut, and its frames from there on: the same as in the whole."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from tests.video.rewriting import read_frames
from tests.video_files import write_clip
from tracker_blur.video.key_frames import KeyFrameIndex

if TYPE_CHECKING:
    from pathlib import Path

    from tracker_blur.video.frame import DecodedFrame

BFRAMES = {"bf": "3", "x264-params": "scenecut=0:keyint=8:min-keyint=8"}


def index_of(path: Path) -> KeyFrameIndex:
    index = KeyFrameIndex.of(path)
    assert index is not None
    return index


def contents(frames: list[DecodedFrame]) -> list[tuple[Any, ...]]:
    return [(one.index, one.pts, one.size, one.av_frame.to_ndarray().tobytes()) for one in frames]


@pytest.mark.parametrize(
    ("name", "changes"),
    [
        ("a.mp4", {"options": BFRAMES}),
        ("a.mkv", {"options": BFRAMES, "pts": [40 * i + 7 * (i % 3) + 900 for i in range(30)]}),
        ("a.mov", {"codec": "mjpeg", "pixel_format": "yuvj420p"}),
        ("a.webm", {"codec": "libvpx-vp9", "gop": 8}),
        ("a.mp4", {"codec": "libx265", "options": {"x265-params": "open-gop=0:keyint=8"}}),
    ],
)
def test_frames_from_a_cut_on_are_those_of_the_whole(
    tmp_path: Path, name: str, changes: dict[str, Any]
) -> None:
    path = write_clip(tmp_path / name, frames=30, **changes)
    whole, index = read_frames(path), index_of(path)
    assert index.times.tolist() == [frame.pts for frame in whole]
    assert len(index.cuts) > 2
    wanted = contents(whole)
    for first in index.cuts[::2]:
        for end in (*[cut for cut in index.cuts if cut > first][:1], 30):
            part = index.part(first, end)
            assert contents(read_frames(path, part=part)) == wanted[first:end]


def test_open_gops_are_not_cut(tmp_path: Path) -> None:
    options = {"bf": "3", "x264-params": "open-gop=1:scenecut=0:keyint=8:min-keyint=8"}
    path = write_clip(tmp_path / "a.mp4", frames=40, options=options)
    with_keys = [frame.index for frame in read_frames(path) if frame.av_frame.key_frame]
    assert len(with_keys) > 3
    assert index_of(path).cuts == (0,)


def test_what_has_no_exact_place_in_the_file_is_not_cut(tmp_path: Path) -> None:
    assert KeyFrameIndex.of(write_clip(tmp_path / "a.ts", frames=30, options=BFRAMES)) is None
    assert KeyFrameIndex.of(write_clip(tmp_path / "a.avi", codec="mpeg4", frames=30)) is None


def test_a_truncated_video_is_not_cut(tmp_path: Path) -> None:
    path = write_clip(tmp_path / "a.mkv", frames=60, options=BFRAMES, noise=True)
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    assert KeyFrameIndex.of(path) is None
