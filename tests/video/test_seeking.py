"""A frame that is jumped to is the one that reading from the start yields, pixel for pixel."""

from __future__ import annotations

from fractions import Fraction
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from tests.video.rewriting import read_frames
from tests.video.test_edit_lists import write_media
from tests.video.test_fitting import ANAMORPHIC, BROADCAST, joined, shape
from tests.video_files import ROTATED_90_CLOCKWISE, write_clip
from tracker_blur.errors import SourceError
from tracker_blur.files.identity import FileIdentity
from tracker_blur.video.seeking import AbandonedError, VideoFrames

if TYPE_CHECKING:
    from pathlib import Path

    from tracker_blur.video.fitting import Shape
    from tracker_blur.video.frame import DecodedFrame

X264 = {"preset": "ultrafast"}
CLIPS: dict[str, dict[str, Any]] = {
    "plain.mp4": {"gop": 7},
    "b-frames.mp4": {"gop": 14, "options": {"bf": "3", "x264-params": "b-pyramid=normal"}},
    "b-frames.ts": {
        "gop": 14,
        "options": {"bf": "3", "x264-params": "b-pyramid=normal:slices=2:aud=1:interlaced=1"},
    },
    "open-gop.mp4": {
        "gop": 10,
        "options": {"x264-params": "open-gop=1:bframes=3:keyint=10:scenecut=0"},
    },
    "open-gop.ts": {
        "gop": 10,
        "options": {"x264-params": "open-gop=1:bframes=3:keyint=10:scenecut=0"},
    },
    "refreshed.ts": {"gop": 10, "options": {"x264-params": "intra-refresh=1:bframes=0"}},
    "hevc.mp4": {
        "codec": "libx265",
        "gop": 10,
        "options": {"preset": "ultrafast", "x265-params": "open-gop=1:bframes=3"},
    },
    "mpeg2.mkv": {"codec": "mpeg2video", "gop": 9, "options": {"bf": "2"}},
    "vp9.webm": {
        "codec": "libvpx-vp9",
        "gop": 10,
        "options": {"cpu-used": "8", "deadline": "realtime"},
    },
    "turned.mp4": {"gop": 7, "matrix": ROTATED_90_CLOCKWISE},
    "wide-pixels.mp4": {"gop": 7, "pixel_aspect": Fraction(4, 3)},
    "variable.mkv": {
        "gop": 7,
        "time_base": Fraction(1, 1000),
        "pts": [40 * index + 13 * (index % 3) for index in range(30)],
    },
    "gaps.mp4": {"gop": 7, "pts": [index + 9 * (index // 10) for index in range(30)]},
    "interlaced.ts": {"codec": "mpeg2video", "gop": 9, "interlaced": True},
}


def content(frame: DecodedFrame) -> tuple[int, int, list[bytes]]:
    """Return a frame's number, time and samples."""
    return frame.index, frame.pts, [plane.samples.tobytes() for plane in frame.planes()]


def opened(path: Path, frames: list[DecodedFrame]) -> VideoFrames:
    times = np.array([frame.pts for frame in frames], np.int64)
    return VideoFrames(FileIdentity.of(path), times, frames[0].size)


def assert_exact(path: Path, steps: int = 5) -> VideoFrames:
    """Jump through a video, and compare with what reading it from the start yields."""
    read = read_frames(path)
    expected = [content(frame) for frame in read]
    video = opened(path, read)
    for number in [*range(len(read) - 1, -1, -steps), 0]:
        found = video.frames(number, lambda: True)
        for frame in expected[number : number + 3]:
            assert content(next(found)) == frame
        found.close()
    assert [content(frame) for frame in video.frames(0, lambda: True)] == expected
    return video


@pytest.mark.parametrize("name", CLIPS)
def test_any_frame_is_that_of_reading_from_the_start(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = write_clip(tmp_path / name, frames=30, **CLIPS[name])

    def read_all(*_: object) -> None:
        raise AssertionError("read from the start, which takes long")

    monkeypatch.setattr(VideoFrames, "_from_start", read_all)
    video = assert_exact(path)
    assert 0 < video.start_of(29) < 29


@pytest.mark.parametrize(
    ("name", "codec", "parts", "turned"),
    [
        ("growing.webm", "libvpx", [shape(160, 90), shape(320, 180), shape(640, 360)], []),
        ("shrinking.ts", "libx264", [shape(640, 360), shape(160, 120)], []),
        ("pixels.ts", "libx264", [shape(360, 288, BROADCAST), shape(360, 288, ANAMORPHIC)], []),
        ("turned.ts", "libx264", [shape(320, 240)] * 3, [1]),
    ],
)
def test_frames_of_several_shapes_are_fitted_as_in_reading(
    name: str, codec: str, parts: list[Shape], turned: list[int], tmp_path: Path
) -> None:
    path = joined(tmp_path / name, parts, codec, turned=turned)
    video = assert_exact(path, steps=4)
    assert video.start_of(10 * len(parts) - 1) == 10 * (len(parts) - 1)


def test_what_an_edit_list_cuts_away_is_not_counted(tmp_path: Path) -> None:
    assert_exact(write_media(tmp_path / "trimmed.mp4", "aac", [(1.0, 2.0)]), steps=13)


def test_parts_that_an_edit_list_repeats_are_read_from_the_start(tmp_path: Path) -> None:
    assert_exact(write_media(tmp_path / "twice.mp4", "aac", [(0.5, 0.4), (0.5, 0.4)]), steps=9)


def test_a_clock_that_starts_again_is_read_from_the_start(tmp_path: Path) -> None:
    part = write_clip(tmp_path / "part.ts", frames=20, gop=5).read_bytes()
    path = tmp_path / "joined.ts"
    path.write_bytes(part + part)
    assert_exact(path, steps=9)


def test_frames_with_times_of_their_own_alone_are_sought(tmp_path: Path) -> None:
    clip = write_clip(tmp_path / "clip.mpg", frames=30, codec="mpeg2video", gop=9)
    assert_exact(clip, steps=13)


def test_a_jump_begins_at_the_last_key_frame(tmp_path: Path) -> None:
    path = write_clip(
        tmp_path / "clip.mp4", frames=30, options={"x264-params": "keyint=10:min-keyint=10"}
    )
    video = opened(path, read_frames(path))
    assert video.start_of(25) == 0  # not known yet
    video.prepare()
    assert [video.start_of(number) for number in (0, 9, 10, 19, 29)] == [0, 0, 10, 10, 20]


@pytest.mark.parametrize("name", ["b-frames.mp4", "b-frames.ts", "open-gop.ts", "hevc.mp4"])
def test_what_lies_between_two_places_is_left_out(name: str, tmp_path: Path) -> None:
    path = write_clip(tmp_path / name, frames=30, **CLIPS[name])
    read = read_frames(path)
    for first in (0, 16):
        run = opened(path, read).frames(first, lambda: True)
        assert content(next(run)) == content(read[first])
        for number in (first + 4, first + 9, first + 10, 29):
            assert content(run.send(number)) == content(read[number])
        assert next(run, None) is None


def test_what_is_not_wanted_any_more_is_given_up(tmp_path: Path) -> None:
    path = write_clip(tmp_path / "clip.mp4", frames=30, gop=30)
    video = opened(path, read_frames(path))
    with pytest.raises(AbandonedError):
        next(video.frames(20, lambda: False))


def test_another_file_is_refused(tmp_path: Path) -> None:
    path = write_clip(tmp_path / "clip.mp4", frames=10)
    video = opened(path, read_frames(path))
    write_clip(path, frames=12)
    with pytest.raises(SourceError, match="was replaced or changed"):
        next(video.frames(3, lambda: True))
