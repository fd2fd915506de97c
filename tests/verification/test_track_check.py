"""A track file of another video is refused before anything is searched."""

from __future__ import annotations

import re
from dataclasses import replace
from fractions import Fraction
from typing import TYPE_CHECKING, Any

import cv2
import numpy as np
import pytest

from tests.verify_cases import rendered
from tests.video_files import Clip, write_clip
from tracker_blur.core.tracks import Tracks
from tracker_blur.errors import SourceError, TrackFileError
from tracker_blur.files.identity import FileIdentity
from tracker_blur.settings import Settings
from tracker_blur.verification.track_check import check_tracks
from tracker_blur.video.reader import VideoReader

if TYPE_CHECKING:
    from pathlib import Path

FRAMES, SIZE = 12, (128, 96)


@pytest.fixture(scope="module", params=["mp4", "mkv"])
def clip(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("clip") / f"in.{request.param}"
    return write_clip(path, frames=FRAMES, size=SIZE, noise=True)


def made_for(clip: Path) -> Tracks:
    """Return the tracks of a clip in which no one was detected."""
    with VideoReader(clip) as video:
        pts = [frame.pts for frame in video]
        tracks = Tracks(video.info.size, video.track.time_base, np.array(pts, np.int64))
    return replace(tracks, source_sha256=FileIdentity.of(clip, hashed=True).sha256)


def check(tracks: Tracks, output: Path, settings: Settings | None = None) -> None:
    check_tracks(
        tracks, output, settings or Settings(), name="in.tracks.jsonl", source_name="in.mp4"
    )


@pytest.mark.parametrize("suffix", ["mp4", "mkv", "mov", "gif"])
def test_an_output_of_the_input_is_accepted(clip: Path, tmp_path: Path, suffix: str) -> None:
    check(made_for(clip), rendered(clip, tmp_path / f"out.{suffix}", {}))


def test_an_odd_side_that_the_encoder_made_even_is_accepted(tmp_path: Path) -> None:
    clip = write_clip(tmp_path / "in.mkv", frames=3, size=(33, 17), codec="ffv1")
    tracks, out = made_for(clip), rendered(clip, tmp_path / "out.mp4", {})
    assert tracks.size == (33, 17)
    check(tracks, out)
    with pytest.raises(TrackFileError, match="has frames of 34x18 pixels"):
        check(replace(tracks, size=(37, 17)), out)


@pytest.mark.parametrize(
    ("changes", "difference"),
    [
        ({"frames": FRAMES - 4}, "has 8 frames, and the tracks are for 12"),
        ({"frames": FRAMES + 3}, "has 15 frames, and the tracks are for 12"),
        ({"size": (128, 128)}, "has frames of 128x128 pixels, and the tracks are for 128x96"),
        (
            {"rate": Fraction(15)},
            "shows frame 1 after 0.067 seconds, and the tracks are for one that shows it after "
            "0.040",
        ),
    ],
)
def test_an_output_that_differs_from_the_input_is_refused(
    clip: Path, tmp_path: Path, changes: dict[str, Any], difference: str
) -> None:
    unlike = Clip(frames=FRAMES, size=SIZE, noise=True)
    other = write_clip(tmp_path / "other.mp4", replace(unlike, **changes))
    out = rendered(other, tmp_path / "out.mp4", {})
    message = f"in.tracks.jsonl: made for another video (in.mp4): {out} {difference}"
    with pytest.raises(TrackFileError, match=re.escape(message)) as refused:
        check(made_for(clip), out)
    assert "\n" not in str(refused.value)


def test_the_same_frames_in_other_sizes_are_accepted(clip: Path, tmp_path: Path) -> None:
    half = write_clip(tmp_path / "half.mp4", frames=FRAMES, size=(64, 48), noise=True)
    check(made_for(clip), half)


def test_the_input_itself_is_no_output(clip: Path, tmp_path: Path) -> None:
    copy = tmp_path / f"copy{clip.suffix}"
    copy.write_bytes(clip.read_bytes())
    with pytest.raises(TrackFileError, match="in which nothing is hidden yet: name what was made"):
        check(made_for(clip), copy)


def test_a_still_image_has_no_tracks(clip: Path, tmp_path: Path) -> None:
    image = tmp_path / "out.png"
    cv2.imwrite(str(image), np.zeros((96, 128, 3), np.uint8))
    with pytest.raises(TrackFileError, match="is a still image, which has no tracks"):
        check(made_for(clip), image)


def test_an_output_that_is_cut_off_is_accepted_on_request(tmp_path: Path) -> None:
    clip = write_clip(tmp_path / "in.mkv", frames=40, size=SIZE, noise=True)
    tracks = made_for(clip)
    out = rendered(clip, tmp_path / "out.mkv", {})
    out.write_bytes(out.read_bytes()[: out.stat().st_size * 3 // 4])
    with pytest.raises(SourceError, match="is truncated"):
        check(tracks, out)
    check(tracks, out, Settings(partial=True))
