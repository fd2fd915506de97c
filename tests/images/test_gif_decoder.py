"""GIFs are read as browsers show them, and written so that all programs show the same."""

from __future__ import annotations

import io
import struct
from typing import TYPE_CHECKING, Any

import av
import numpy as np
import pytest
from PIL import GifImagePlugin, Image, ImageSequence

from tests.image_files import Array, hide_spot, pixels, read_frames, rewrite
from tracker_blur.images.reader import ImageReader

if TYPE_CHECKING:
    from pathlib import Path

SIZE = (40, 30)
RED, GREEN, BLUE, CLEAR = range(4)
COLORS = [(255, 0, 0), (0, 255, 0), (0, 0, 255), (9, 9, 9)]
KEPT, CLEARED, RETURNED = 1, 2, 3


def gif_frame(
    box: tuple[int, int, int, int], color: int, disposal: int, *, transparent: bool = True
) -> bytes:
    """Return a frame of one color in (left, top, width, height), its last column CLEAR."""
    left, top, width, height = box
    index = np.full((height, width), color, np.uint8)
    index[:, -1] = CLEAR
    image = Image.fromarray(index)
    image.putpalette([value for color in COLORS for value in color])
    options: dict[str, Any] = {"disposal": disposal, "duration": 50, "include_color_table": True}
    if transparent:
        options["transparency"] = CLEAR
    return b"".join(GifImagePlugin.getdata(image, (left, top), **options))


def gif_file(path: Path, *frames: bytes, size: tuple[int, int] = SIZE, extra: bytes = b"") -> Path:
    head = struct.pack("<6sHHBBB", b"GIF89a", *size, 0x70, 0, 0)
    path.write_bytes(head + extra + b"".join(frames) + b";")
    return path


def shown(path: Path) -> list[Array]:
    """Return the frames as RGBA, red first."""
    images = []
    for frame in read_frames(path):
        image = pixels(frame)
        if image.shape[2] == 3:
            image = np.dstack([image, np.full(image.shape[:2], 255, np.uint8)])
        images.append(image)
    return images


def by_pillow(path: Path) -> list[Array]:
    with Image.open(path) as image:
        return [np.asarray(one.convert("RGBA")) for one in ImageSequence.Iterator(image)]


def by_ffmpeg(path: Path) -> list[Array]:
    with av.open(str(path)) as container:
        return [frame.to_ndarray(format="rgba") for frame in container.decode(video=0)]


WHOLE, PART = (0, 0, 40, 30), (10, 5, 20, 10)


class TestDisposal:
    """What happens to a frame before the next."""

    def frames(self, tmp_path: Path, disposal: int, **options: Any) -> list[Array]:
        path = gif_file(
            tmp_path / "a.gif",
            gif_frame(WHOLE, RED, KEPT, transparent=False),
            gif_frame(PART, GREEN, disposal, **options),
            gif_frame((0, 0, 5, 5), BLUE, KEPT),
        )
        return shown(path)

    def test_a_frame_stays(self, tmp_path: Path) -> None:
        _, second, third = self.frames(tmp_path, KEPT)
        assert tuple(second[6, 12]) == tuple(third[6, 12]) == (0, 255, 0, 255)
        assert tuple(third[1, 1]) == (0, 0, 255, 255)

    @pytest.mark.parametrize("transparent", [True, False])
    def test_a_cleared_frame_leaves_transparency(self, tmp_path: Path, transparent: bool) -> None:
        _, second, third = self.frames(tmp_path, CLEARED, transparent=transparent)
        assert tuple(second[6, 12]) == (0, 255, 0, 255)
        assert tuple(third[6, 12]) == (0, 0, 0, 0)
        assert tuple(third[6, 31]) == (255, 0, 0, 255)

    def test_what_was_before_a_frame_returns(self, tmp_path: Path) -> None:
        _, second, third = self.frames(tmp_path, RETURNED)
        assert tuple(second[6, 12]) == (0, 255, 0, 255)
        assert tuple(third[6, 12]) == (255, 0, 0, 255)

    def test_the_transparent_index_shows_what_lies_below(self, tmp_path: Path) -> None:
        _, second, _ = self.frames(tmp_path, KEPT)
        assert tuple(second[6, 29]) == (255, 0, 0, 255)  # the last column of the part

    def test_what_no_frame_covers_is_transparent(self, tmp_path: Path) -> None:
        (only,) = shown(gif_file(tmp_path / "a.gif", gif_frame(PART, GREEN, KEPT)))
        assert only.shape == (30, 40, 4)
        assert tuple(only[6, 12]) == (0, 255, 0, 255)
        assert tuple(only[0, 0]) == (0, 0, 0, 0)


def test_transparency_that_returns_stays_for_all_programs(tmp_path: Path) -> None:
    source = gif_file(
        tmp_path / "a.gif",
        gif_frame(WHOLE, RED, CLEARED, transparent=False),
        gif_frame(PART, GREEN, CLEARED),
        gif_frame(WHOLE, BLUE, CLEARED, transparent=False),
        gif_frame((20, 10, 20, 20), RED, KEPT),
    )
    clear = [image[..., 3] == 0 for image in shown(source)]
    assert [int(area.sum()) for area in clear] == [0, 1200 - 190, 0, 1200 - 380]
    target = rewrite(source, tmp_path / "b.gif", hide_spot)
    for read in (shown, by_pillow, by_ffmpeg):
        images = read(target)
        for image, area in zip(images, clear, strict=True):
            assert np.array_equal(image[..., 3] == 0, area)
        assert tuple(images[1][12, 25]) == (0, 255, 0, 255)
        assert tuple(images[0][8, 8]) == (0, 0, 0, 255)  # hidden


@pytest.mark.parametrize("suffix", ["png", "webp"])
def test_transparency_that_returns_stays_in_other_formats(tmp_path: Path, suffix: str) -> None:
    source = gif_file(
        tmp_path / "a.gif",
        gif_frame(WHOLE, RED, CLEARED, transparent=False),
        gif_frame(PART, GREEN, KEPT),
    )
    target = rewrite(source, tmp_path / f"b.{suffix}")
    assert [int((image[..., 3] == 0).sum()) for image in by_pillow(target)] == [0, 1200 - 190]


class TestCanvas:
    def test_a_first_frame_that_exceeds_it_enlarges_it(self, tmp_path: Path) -> None:
        path = gif_file(tmp_path / "a.gif", gif_frame((30, 0, 20, 40), RED, KEPT))
        assert [image.shape for image in shown(path)] == [(40, 50, 4)]
        rewrite(path, tmp_path / "b.gif")
        assert [image.shape for image in by_pillow(tmp_path / "b.gif")] == [(40, 50, 4)]

    @pytest.mark.parametrize("box", [(30, 20, 20, 20), (0, 0, 90, 90), (60, 60, 10, 10)])
    def test_later_frames_are_cut_off_at_it(
        self, tmp_path: Path, box: tuple[int, int, int, int]
    ) -> None:
        path = gif_file(
            tmp_path / "a.gif", gif_frame(WHOLE, RED, KEPT), gif_frame(box, GREEN, CLEARED)
        )
        _, second = shown(path)
        assert second.shape == (30, 40, 4)
        seen = tuple(second[29, 38])
        assert seen == ((255, 0, 0, 255) if box[0] == 60 else (0, 255, 0, 255))
        target = rewrite(path, tmp_path / "b.gif")
        assert len(by_pillow(target)) == 2

    @pytest.mark.parametrize(("name", "plays"), [(b"NETSCAPE2.0", 4), (b"ANIMEXTS1.0", 4)])
    def test_repetitions_are_read(self, tmp_path: Path, name: bytes, plays: int) -> None:
        extra = b"!\xff\x0b" + name + b"\x03\x01\x03\x00\x00"
        path = gif_file(tmp_path / "a.gif", *[gif_frame(WHOLE, RED, KEPT)] * 2, extra=extra)
        assert read_frames(path)[0].encoding.plays == plays

    def test_interlaced_frames(self, tmp_path: Path) -> None:
        image = Image.fromarray(np.repeat(np.arange(64, dtype=np.uint8), 40).reshape(64, 40))
        file = io.BytesIO()
        image.save(file, "GIF", interlace=1)
        (tmp_path / "a.gif").write_bytes(file.getvalue())
        (frame,) = shown(tmp_path / "a.gif")
        assert np.array_equal(frame[:, 0, 0], np.arange(64))

    def test_a_frame_count_is_known_before_decoding(self, tmp_path: Path) -> None:
        path = gif_file(tmp_path / "a.gif", *[gif_frame(WHOLE, RED, KEPT)] * 7)
        with ImageReader(path) as source:
            assert source.info.frame_count == 7
            assert source.info.rate == 20


def test_frames_may_be_read_again(tmp_path: Path) -> None:
    path = gif_file(
        tmp_path / "a.gif", gif_frame(PART, RED, KEPT), gif_frame((0, 0, 5, 5), BLUE, KEPT)
    )
    with ImageReader(path) as source:
        first, again = list(source), list(source)
    for one, other in zip(first, again, strict=True):
        assert np.array_equal(pixels(one), pixels(other))
