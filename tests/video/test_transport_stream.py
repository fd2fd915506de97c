"""Joined transport streams are distinguished from streams that lost packets."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING

import av
import pytest

from tests.video.rewriting import packets, rewrite, times
from tests.video_files import AudioTrack, write_clip
from tracker_blur.errors import SourceError
from tracker_blur.video.reader import VideoReader
from tracker_blur.video.transport_stream import is_at_join

if TYPE_CHECKING:
    from pathlib import Path

PACKET = 188


def part(path: Path, first: int, frames: int = 30, spacing: int = PACKET) -> Path:
    """Write a transport stream whose clock begins at a frame's number."""
    options = {"mpegts_m2ts_mode": "1"} if spacing > PACKET else {}
    start = first / 25
    return write_clip(
        path,
        frames=frames,
        noise=True,
        pts=range(first, first + frames),
        audio_tracks=[AudioTrack("aac", start=start, seconds=frames / 25)],
        container_options={"muxdelay": "0", **options},
        container_format="mpegts",
    )


def corrupt(path: Path) -> list[int]:
    """Return the positions of the packets that FFmpeg takes for damaged."""
    with av.open(str(path)) as container:
        return [
            packet.pos
            for packet in container.demux(video=0)
            if packet.is_corrupt and packet.pos is not None
        ]


@pytest.mark.parametrize("spacing", [188, 192])
def test_a_joined_stream_is_whole(tmp_path: Path, spacing: int) -> None:
    first = part(tmp_path / "a.ts", 0, spacing=spacing).read_bytes()
    second = part(tmp_path / "b.ts", 30, 23, spacing=spacing).read_bytes()
    joined = tmp_path / "joined.ts"
    joined.write_bytes(first + second)
    positions = corrupt(joined)
    assert positions
    assert all(is_at_join(joined, position) for position in positions)
    target = rewrite(joined, tmp_path / "out.mkv")
    after = times(target)
    assert len(after) == 53
    assert max(b - a for a, b in itertools.pairwise(after)) < 0.05
    assert len(packets(target, "audio")) >= 53 * 1920 // 1024 - 2


@pytest.mark.parametrize("count", [1, 5, 17])
def test_lost_packets_are_damage(tmp_path: Path, count: int) -> None:
    path = part(tmp_path / "a.ts", 0, 40)
    whole = path.read_bytes()
    tried = 0
    for start in range(20, len(whole) // PACKET - 60, 17):  # each loses other parts of frames
        path.write_bytes(whole[: start * PACKET] + whole[(start + count) * PACKET :])
        if corrupt(path):
            tried += 1
            with pytest.raises(SourceError, match="missing"), VideoReader(path) as frames:
                list(frames)
    assert tried > 1


def test_what_is_no_transport_stream_has_no_joins(tmp_path: Path) -> None:
    path = tmp_path / "a.ts"
    path.write_bytes(b"x" * 1000)
    assert not is_at_join(path, 0)
    assert not is_at_join(path, 5000)
