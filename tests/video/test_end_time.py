"""When a video ends, with its audio, where a time is after that."""

from __future__ import annotations

from fractions import Fraction
from typing import TYPE_CHECKING

import pytest

from tests.video_files import AudioTrack, write_clip
from tracker_blur.errors import SourceError
from tracker_blur.video.end_time import end_before

if TYPE_CHECKING:
    from pathlib import Path

LATE = Fraction(5)


def test_the_end_is_said_only_if_it_is_before_the_time(tmp_path: Path) -> None:
    clip = write_clip(tmp_path / "a.mp4", frames=25)
    assert end_before(clip, LATE) == 1
    assert end_before(clip, Fraction("0.96")) is None
    assert end_before(clip, Fraction(1)) is None


def test_audio_may_end_later(tmp_path: Path) -> None:
    clip = write_clip(tmp_path / "a.mkv", frames=25, audio_tracks=[AudioTrack(seconds=2)])
    assert end_before(clip, Fraction("1.5")) is None
    assert float(end_before(clip, LATE) or 0) == pytest.approx(2, abs=0.05)


def test_it_counts_from_the_first_frame(tmp_path: Path) -> None:
    clip = write_clip(
        tmp_path / "a.mkv", frames=25, pts=range(50, 75), audio_tracks=[AudioTrack(seconds=1)]
    )
    assert float(end_before(clip, LATE) or 0) == pytest.approx(1, abs=0.01)


def test_where_the_clock_begins_anew_all_parts_count(tmp_path: Path) -> None:
    clip = write_clip(tmp_path / "a.ts", frames=25)
    clip.write_bytes(clip.read_bytes() * 2)
    assert end_before(clip, Fraction("1.5")) is None
    assert float(end_before(clip, LATE) or 0) == pytest.approx(2, abs=0.05)


def test_what_is_no_video_is_refused(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match="no such file"):
        end_before(tmp_path / "none.mp4", LATE)
    (tmp_path / "noise.mp4").write_bytes(b"noise" * 99)
    with pytest.raises(SourceError, match="is not a readable video"):
        end_before(tmp_path / "noise.mp4", LATE)
