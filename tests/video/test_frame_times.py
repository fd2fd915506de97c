"""The times of frames are read without decoding, and are those that decoding finds."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from tests.video_files import AudioTrack, write_clip
from tracker_blur.errors import SourceError
from tracker_blur.video.frame_times import frame_times
from tracker_blur.video.reader import VideoReader

if TYPE_CHECKING:
    from pathlib import Path


@pytest.mark.parametrize(
    ("name", "changes"),
    [
        ("a.mp4", {}),
        ("a.mov", {"codec": "libx265"}),
        ("a.mkv", {"pts": [0, 1, 2, 7, 8, 30], "frames": 6}),
        ("a.webm", {"codec": "libvpx-vp9"}),
        ("a.mp4", {"audio_tracks": (AudioTrack(),)}),
    ],
)
def test_times_are_those_of_the_decoded_frames(
    tmp_path: Path, name: str, changes: dict[str, Any]
) -> None:
    path = write_clip(tmp_path / name, **{"frames": 12, **changes})
    with VideoReader(path) as video:
        decoded = [frame.seconds for frame in video]
    times = frame_times(path)
    assert times is not None
    np.testing.assert_allclose(times, decoded, atol=1e-9)


def test_what_only_decoding_shows_is_not_guessed(tmp_path: Path) -> None:
    for name, codec in (("a.ts", "libx264"), ("a.gif", "gif"), ("a.avi", "mpeg4")):
        pixel_format = "rgb8" if codec == "gif" else "yuv420p"
        path = write_clip(tmp_path / name, frames=4, codec=codec, pixel_format=pixel_format)
        assert frame_times(path) is None


def test_a_file_that_is_no_video_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "a.mp4"
    path.write_text("no video")
    with pytest.raises(SourceError, match="is not a readable video"):
        frame_times(path)
