"""What decodes to less than a whole video is reported as damaged."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING, Any

import av
import pytest

from tests.video_files import write_clip
from tracker_blur.video.frame_limit import FrameLimit
from tracker_blur.video.integrity import DamageError, decode_frames

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


def test_a_track_that_begins_in_the_middle_is_damage(tmp_path: Path) -> None:
    """As in chained Ogg files; PyAV then fails to find the packet's track."""

    class Joined:
        def __init__(self, container: av.container.InputContainer) -> None:
            self._container = container

        def __getattr__(self, name: str) -> Any:
            return getattr(self._container, name)

        def demux(self) -> Iterator[av.Packet[Any]]:
            yield from itertools.islice(self._container.demux(), 5)
            raise IndexError("list index out of range")

    path = write_clip(tmp_path / "a.mkv", frames=20)
    with av.open(path) as container:
        joined: Any = Joined(container)
        with pytest.raises(DamageError, match="another recording is joined to it there"):
            list(decode_frames(path, joined, container.streams.video[0], FrameLimit(1)))
