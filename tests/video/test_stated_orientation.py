"""The orientation that frames state, and that their pixels go when they are dropped."""

from __future__ import annotations

import gc
from typing import TYPE_CHECKING, Any

import av
import pytest

from tests.video_files import ROTATED_90_CLOCKWISE, write_clip
from tracker_blur.core.frame import Orientation
from tracker_blur.video import stream_info
from tracker_blur.video.reader import VideoReader
from tracker_blur.video.stated_orientation import StatedOrientation

if TYPE_CHECKING:
    from pathlib import Path


class Stating:
    """A frame with this matrix, and the angle that FFmpeg makes of it."""

    def __init__(self, matrix: tuple[int, ...] | None, angle: int, key_frame: bool) -> None:
        self.matrix, self.angle, self.key_frame = matrix, angle, key_frame
        self.read_count = 0

    @property
    def rotation(self) -> int:
        return self.angle


@pytest.fixture(autouse=True)
def _matrices(monkeypatch: pytest.MonkeyPatch) -> None:
    def display_matrix(frame: Any) -> Any:
        if isinstance(frame, Stating):
            frame.read_count += 1
            return frame.matrix
        return original(frame)

    original = stream_info.display_matrix
    monkeypatch.setattr(stream_info, "display_matrix", display_matrix)


TURNED: tuple[tuple[int, ...] | None, int] = ROTATED_90_CLOCKWISE, -90
NONE: tuple[tuple[int, ...] | None, int] = None, 0


def test_the_table_is_read_only_where_the_angle_changes() -> None:
    stated = StatedOrientation()
    frames = [
        Stating(matrix, angle, key)
        for (matrix, angle), key in (
            *((TURNED, True), (NONE, False), (NONE, False)),
            *((TURNED, True), (NONE, False)),
            *((NONE, True), (NONE, False), (TURNED, False), (TURNED, False)),
        )
    ]
    found = [stated.of(frame) for frame in frames]  # type: ignore[arg-type]  # like a frame
    turn = stream_info.orientation(ROTATED_90_CLOCKWISE)
    assert turn.swaps_sides
    assert found == [turn, None, None, turn, None, None, None, turn, turn]
    assert [frame.read_count for frame in frames] == [1, 1, 0, 0, 0, 1, 0, 1, 0]


def frames_in_memory() -> int:
    return sum(isinstance(one, av.VideoFrame) for one in gc.get_objects())


@pytest.mark.parametrize("matrix", [None, ROTATED_90_CLOCKWISE])
@pytest.mark.parametrize("codec", ["libx264", "mjpeg"])
def test_frames_that_are_dropped_do_not_wait_for_the_garbage_collector(
    codec: str, matrix: tuple[int, ...] | None, tmp_path: Path
) -> None:
    form = "yuvj420p" if codec == "mjpeg" else "yuv420p"
    path = tmp_path / "in.mov"
    write_clip(path, frames=40, codec=codec, pixel_format=form, matrix=matrix)
    with VideoReader(path) as reader:
        gc.collect()
        before = frames_in_memory()  # those that other tests keep
        gc.disable()
        try:
            count = sum(1 for _ in reader)
            kept = frames_in_memory() - before
        finally:
            gc.enable()
    assert count == 40
    assert kept < 15  # each of those that were read, before


def test_a_matrix_without_an_angle_is_no_error(tmp_path: Path) -> None:
    path = tmp_path / "in.mp4"
    write_clip(path, frames=3, matrix=(0, 0, 0, 0, 0, 0, 0, 0, 1 << 30))
    with VideoReader(path) as reader:
        assert len(list(reader)) == 3
        assert reader.info.size == (96, 64)


def test_mirrored_frames_are_distinguished_from_upright_ones() -> None:
    stated = StatedOrientation()
    upside_down = (65536, 0, 0, 0, -65536, 0, 0, 0, 1 << 30)
    frame = Stating(upside_down, 0, True)
    found = stated.of(frame)  # type: ignore[arg-type]  # like a frame
    assert found not in (None, Orientation.UPRIGHT)
