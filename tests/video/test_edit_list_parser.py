"""Edit lists as they lie in the file. What they mean for its tracks: `test_edit_lists.py`."""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING

from tracker_blur.video.edit_list_parser import EditList, edit_lists

if TYPE_CHECKING:
    from pathlib import Path


def test_damaged_headers_raise_nothing(tmp_path: Path) -> None:
    """A track header without content, and boxes in each other without an end."""
    headers = b"".join(struct.pack(">I4s", 8, kind) for kind in (b"tkhd", b"mdhd", b"elst"))
    track = struct.pack(">I4s", 8 + len(headers), b"trak") + headers
    scale = struct.pack(">I4s12xI", 24, b"mvhd", 1000)
    path = tmp_path / "a.mp4"
    path.write_bytes(struct.pack(">I4s", 8 + len(scale + track), b"moov") + scale + track)
    assert edit_lists(path) == {0: EditList([], 1)}
    path.write_bytes(struct.pack(">I4s", 0, b"moov") * 5000)
    assert edit_lists(path) == {}
