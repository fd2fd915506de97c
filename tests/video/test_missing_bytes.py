"""Files that state their size."""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING, Any

import pytest

from tests.video_files import write_clip
from tracker_blur.video.missing_bytes import missing_bytes

if TYPE_CHECKING:
    from pathlib import Path

WHOLE: list[tuple[str, dict[str, Any]]] = [
    ("a.mp4", {}),
    ("b.mp4", {"container_options": {"movflags": "frag_keyframe+empty_moov"}}),
    ("a.mov", {}),
    ("a.mkv", {}),
    ("a.webm", {"codec": "libvpx"}),
    ("a.avi", {"codec": "mpeg4"}),
    ("a.gif", {"codec": "gif", "pixel_format": "rgb8"}),
]


@pytest.mark.parametrize(("name", "options"), WHOLE)
def test_missing_bytes_are_counted(tmp_path: Path, name: str, options: dict[str, Any]) -> None:
    path = write_clip(tmp_path / name, frames=20, noise=True, **options)
    assert missing_bytes(path) == 0
    data = path.read_bytes()
    path.write_bytes(data[:-200])
    assert 0 < missing_bytes(path) <= 200


def test_extra_bytes_after_the_end_are_ignored(tmp_path: Path) -> None:
    for name, options in WHOLE[:6]:
        path = write_clip(tmp_path / name, frames=5, **options)
        path.write_bytes(path.read_bytes() + bytes(1000))
        assert missing_bytes(path) == 0, name


@pytest.mark.parametrize("name", ["a.ts", "a.mpg"])
def test_formats_without_a_size_miss_nothing(tmp_path: Path, name: str) -> None:
    path = write_clip(tmp_path / name, codec="mpeg2video", frames=20)
    path.write_bytes(path.read_bytes()[:-200])
    assert missing_bytes(path) == 0


def test_a_live_recording_misses_nothing(tmp_path: Path) -> None:
    path = write_clip(tmp_path / "a.mkv", frames=20, container_options={"live": "1"})
    path.write_bytes(path.read_bytes()[:-200])
    assert missing_bytes(path) == 0


def test_large_boxes_have_a_64_bit_size(tmp_path: Path) -> None:
    path = tmp_path / "a.mp4"
    start = struct.pack(">I4s4sI", 16, b"ftyp", b"isom", 0)
    path.write_bytes(start + struct.pack(">I4sQ", 1, b"mdat", 16 + 5_000_000_000))
    assert missing_bytes(path) == 5_000_000_000


def test_a_last_box_without_a_size_extends_to_the_end(tmp_path: Path) -> None:
    path = tmp_path / "a.mp4"
    start = struct.pack(">I4s4sI", 16, b"ftyp", b"isom", 0)
    path.write_bytes(start + struct.pack(">I4s", 0, b"mdat") + bytes(100))
    assert missing_bytes(path) == 0


@pytest.mark.parametrize(
    "data", [b"", b"x", b"\x1aE\xdf\xa3", b"RIFF", b"\0\0\0\x08ftyp", b"GIF89a"]
)
def test_fragments_raise_nothing(tmp_path: Path, data: bytes) -> None:
    path = tmp_path / "a"
    path.write_bytes(data)
    assert missing_bytes(path) >= 0
