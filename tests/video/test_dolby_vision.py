"""Dolby Vision that ordinary decoders show in wrong colors is refused."""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING, Any

import av
import pytest

from tests.video.rewriting import read_frames
from tests.video_files import write_clip
from tracker_blur.errors import SourceError
from tracker_blur.video import dolby_vision

if TYPE_CHECKING:
    from pathlib import Path

ANCESTORS = (b"moov", b"trak", b"mdia", b"minf", b"stbl", b"stsd")


def record(profile: int, compatibility: int) -> bytes:
    """Return a configuration record, with the flags for metadata and a base layer."""
    fields = struct.pack(">BBHB", 1, 0, profile << 9 | 6 << 3 | 0b101, compatibility << 4)
    return fields + bytes(24 - len(fields))


def dolby_vision_file(path: Path, profile: int, compatibility: int) -> Path:
    """Write an MP4 whose header says that it is Dolby Vision."""
    data = bytearray(write_clip(path, codec="libx265", frames=3).read_bytes())
    name = b"dvvC" if profile > 7 else b"dvcC"
    box = struct.pack(">I4s", 32, name) + record(profile, compatibility)
    entry = data.rindex(b"hev1") if b"hev1" in data else data.rindex(b"hvc1")
    end = entry - 4 + int.from_bytes(data[entry - 4 : entry], "big")
    for start in [entry - 4, *(data.rindex(parent, 0, entry) - 4 for parent in ANCESTORS)]:
        size = int.from_bytes(data[start : start + 4], "big") + len(box)
        data[start : start + 4] = size.to_bytes(4, "big")
    data[end:end] = box
    path.write_bytes(data)
    return path


@pytest.mark.parametrize(("profile", "compatibility"), [(5, 0), (10, 0), (20, 0)])
def test_own_colors_are_refused(tmp_path: Path, profile: int, compatibility: int) -> None:
    path = dolby_vision_file(tmp_path / "in.mp4", profile, compatibility)
    with pytest.raises(SourceError, match=rf"in\.mp4: is Dolby Vision of profile {profile}, which"):
        read_frames(path)


@pytest.mark.parametrize(("profile", "compatibility"), [(8, 1), (8, 4), (7, 6), (10, 1), (4, 0)])
def test_a_compatible_base_layer_is_accepted(
    tmp_path: Path, profile: int, compatibility: int
) -> None:
    assert len(read_frames(dolby_vision_file(tmp_path / "in.mp4", profile, compatibility))) == 3


def test_matroska(tmp_path: Path) -> None:
    path = tmp_path / "in.mkv"
    source = dolby_vision_file(tmp_path / "in.mp4", 5, 0)
    with av.open(str(source)) as reader, av.open(str(path), "w") as writer:
        stream = writer.add_stream_from_template(reader.streams.video[0], opaque=True)
        for packet in reader.demux(video=0):
            if packet.size:
                packet.stream = stream
                writer.mux(packet)
    assert record(5, 0) in path.read_bytes()  # FFmpeg copies it
    with pytest.raises(SourceError, match=r"in\.mkv: is Dolby Vision of profile 5"):
        read_frames(path)


def test_an_untagged_file_is_recognized_by_its_color_space(tmp_path: Path) -> None:
    path = write_clip(tmp_path / "in.mkv", codec="mpeg4", frames=2, color=(9, 16, 15, 2))
    with pytest.raises(SourceError, match="Dolby Vision of profile 5"):
        read_frames(path)


@pytest.mark.parametrize(
    ("rpu_profile", "full_range", "own"), [(0, 1, True), (0, 0, False), (1, 1, False)]
)
def test_metadata_of_frames(
    monkeypatch: pytest.MonkeyPatch, rpu_profile: int, full_range: int, own: bool
) -> None:
    header = struct.pack("=BxHBBBBBBB", 2, 18, rpu_profile, 6, 0, 0, 23, 1, full_range)
    content = struct.pack("=Q", 16) + bytes(8) + header + bytes(20)
    monkeypatch.setattr(dolby_vision, "side_data", lambda *_: content)
    frame: Any = av.VideoFrame(16, 16, "yuv420p")
    assert dolby_vision._has_own_colors(frame) is own
