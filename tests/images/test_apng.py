"""APNG files are read as the specification says, of any color type and depth."""

from __future__ import annotations

import struct
import zlib
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from PIL import Image

from tests.image_files import Array, noise, pixels, png_chunk, read_frames, rewrite
from tracker_blur.errors import SourceError
from tracker_blur.images.reader import ImageReader

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

GRAY, RGB, PALETTE, GRAY_ALPHA, RGBA = 0, 2, 3, 4, 6
KEPT, CLEARED, RETURNED = range(3)
SOURCE, OVER = range(2)


def apng_file(
    path: Path,
    frames: Sequence[tuple[Array, tuple[int, int], int, int]],
    color_type: int,
    *,
    bits: int = 8,
    size: tuple[int, int] = (12, 8),
    extra: bytes = b"",
    stated: int | None = None,
) -> Path:
    """Write frames of (samples, offset, disposal, blending)."""
    count = len(frames) if stated is None else stated
    content = b"\x89PNG\r\n\x1a\n"
    content += png_chunk(b"IHDR", struct.pack(">IIBBBBB", *size, bits, color_type, 0, 0, 0))
    content += png_chunk(b"acTL", struct.pack(">II", count, 3)) + extra
    number = 0
    for samples, offset, disposal, blending in frames:
        height, width = samples.shape[:2]
        control = struct.pack(
            ">IIIIIHHBB", number, width, height, *offset, 1, 25, disposal, blending
        )
        content += png_chunk(b"fcTL", control)
        if bits == 1:
            rows = [np.packbits(row).tobytes() for row in samples]
        else:
            rows = [row.astype(samples.dtype.newbyteorder(">")).tobytes() for row in samples]
        data = zlib.compress(b"".join(b"\0" + row for row in rows))
        if number:
            content += png_chunk(b"fdAT", struct.pack(">I", number + 1) + data)
            number += 2
        else:
            content += png_chunk(b"IDAT", data)
            number += 1
    path.write_bytes(content + png_chunk(b"IEND", b""))
    return path


def rgba(path: Path) -> list[Array]:
    """Return the frames as RGBA of 8 bits, red first."""
    images = []
    for frame in read_frames(path):
        colors = frame.channels * 3 if len(frame.channels) == 1 else frame.channels
        alpha = np.full_like(colors[0], 255) if frame.alpha is None else frame.alpha
        images.append(np.stack([*colors, alpha], axis=-1))
    return images


class TestTransparencyThatReturns:
    """A frame is opaque, then disposed of, in files whose transparency is one color."""

    def check(self, tmp_path: Path, source: Path) -> None:
        for path in (source, rewrite(source, tmp_path / "b.png")):
            first, second = rgba(path)
            assert first[..., 3].min() == 255
            assert tuple(second[0, 0]) == (0, 0, 0, 0)
            assert second[3:5, 3:5, 3].min() == 255
            assert (second[..., 3] == 0).sum() == 12 * 8 - 4
        with Image.open(tmp_path / "b.png") as image:  # as others read it
            image.seek(1)
            assert np.asarray(image.convert("RGBA"))[0, 0, 3] == 0

    def test_in_a_palette(self, tmp_path: Path) -> None:
        extra = png_chunk(b"PLTE", bytes([1, 2, 3, 250, 60, 70])) + png_chunk(b"tRNS", b"\0")
        frames = [
            (np.ones((8, 12), np.uint8), (0, 0), CLEARED, SOURCE),
            (np.ones((2, 2), np.uint8), (3, 3), KEPT, SOURCE),
        ]
        self.check(tmp_path, apng_file(tmp_path / "a.png", frames, PALETTE, extra=extra))

    def test_in_one_bit(self, tmp_path: Path) -> None:
        frames = [
            (np.ones((8, 12), np.uint8), (0, 0), CLEARED, SOURCE),
            (np.ones((2, 2), np.uint8), (3, 3), KEPT, SOURCE),
        ]
        extra = png_chunk(b"tRNS", b"\0\0")
        self.check(tmp_path, apng_file(tmp_path / "a.png", frames, GRAY, bits=1, extra=extra))

    def test_without_a_transparent_color(self, tmp_path: Path) -> None:
        frames = [
            (np.full((8, 12, 3), 90, np.uint8), (0, 0), CLEARED, SOURCE),
            (np.full((2, 2, 3), 200, np.uint8), (3, 3), KEPT, OVER),
        ]
        self.check(tmp_path, apng_file(tmp_path / "a.png", frames, RGB))


class TestComposition:
    def test_what_was_before_a_frame_returns(self, tmp_path: Path) -> None:
        base, top = noise(8, 12, 4, seed=1), noise(4, 4, 4, seed=2)
        base[..., 3] = 255
        frames = [
            (base, (0, 0), KEPT, SOURCE),
            (top, (2, 2), RETURNED, SOURCE),
            (top[:1, :1], (0, 0), KEPT, SOURCE),
        ]
        _, second, third = rgba(apng_file(tmp_path / "a.png", frames, RGBA))
        assert np.array_equal(second[2:6, 2:6], top)
        assert np.array_equal(third[2:6, 2:6], base[2:6, 2:6])

    def test_half_transparency_is_drawn_over(self, tmp_path: Path) -> None:
        below = np.full((8, 12, 4), (200, 100, 0, 255), np.uint8)
        above = np.full((8, 12, 4), (0, 100, 200, 128), np.uint8)
        frames = [(below, (0, 0), KEPT, SOURCE), (above, (0, 0), KEPT, OVER)]
        _, second = rgba(apng_file(tmp_path / "a.png", frames, RGBA))
        assert np.abs(second[4, 4].astype(int) - (100, 100, 100, 255)).max() <= 1

    @pytest.mark.parametrize(("color_type", "channels"), [(GRAY, 1), (RGB, 3), (RGBA, 4)])
    def test_sixteen_bits_stay(self, tmp_path: Path, color_type: int, channels: int) -> None:
        shape = (8, 12) if channels == 1 else (8, 12, channels)
        images = [noise(*shape, dtype=np.uint16, seed=seed) for seed in (1, 2)]
        if channels == 4:
            images = [np.where(image == 0, 1, image) for image in images]
        frames = [(image.astype(np.uint16), (0, 0), KEPT, SOURCE) for image in images]
        source = apng_file(tmp_path / "a.png", frames, color_type, bits=16)
        for path in (source, rewrite(source, tmp_path / "b.png")):
            for frame, image in zip(read_frames(path), images, strict=True):
                assert np.array_equal(pixels(frame), image)
                assert frame.duration == 40_000
                assert frame.encoding.plays == 3

    def test_only_what_changes_is_stored(self, tmp_path: Path) -> None:
        image = noise(200, 200, 3)
        changed = image.copy()
        changed[50:52, 60:63] = 0
        frames = [(each, (0, 0), KEPT, SOURCE) for each in [image, *[changed, image] * 4]]
        source = apng_file(tmp_path / "a.png", frames, RGB, size=(200, 200))
        target = rewrite(source, tmp_path / "b.png")
        assert target.stat().st_size < source.stat().st_size / 8
        assert len(read_frames(target)) == 9


class TestBadFiles:
    def message(self, path: Path, **options: Any) -> str:
        with pytest.raises(SourceError) as caught:
            read_frames(path, **options)
        return str(caught.value)

    def test_fewer_frames_than_stated(self, tmp_path: Path) -> None:
        frames = [(noise(8, 12, 3), (0, 0), KEPT, SOURCE)] * 2
        path = apng_file(tmp_path / "a.png", frames, RGB, stated=5)
        assert "damaged or truncated" in self.message(path)
        with ImageReader(path, partial=True) as source:
            assert len(list(source)) == 2

    def test_a_frame_that_exceeds_the_image(self, tmp_path: Path) -> None:
        frames = [(noise(8, 12, 3), (0, 0), KEPT, SOURCE), (noise(8, 12, 3), (1, 0), 0, 0)]
        path = apng_file(tmp_path / "a.png", frames, RGB)
        assert "a frame exceeds the image" in self.message(path)

    def test_a_frame_count_that_no_file_holds(self, tmp_path: Path) -> None:
        frames = [(noise(8, 12, 3), (0, 0), KEPT, SOURCE)] * 2
        path = apng_file(tmp_path / "a.png", frames, RGB, stated=2**31)
        assert "more than the limit of 3000 million" in self.message(path, partial=True)
