"""BMP files of rare kinds are read as their header says."""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING

import numpy as np
import pytest
from PIL import Image

from tests.image_files import Array, pixels, read_frames, rewrite
from tracker_blur.errors import SourceError

if TYPE_CHECKING:
    from pathlib import Path

WIDTH, HEIGHT = 9, 4
Y, X = np.mgrid[0:HEIGHT, 0:WIDTH].astype(np.uint32)
RED, GREEN, BLUE, ALPHA = X * 28, Y * 60, (X + Y) * 20, X * 26 + 47
COLORS = np.stack([RED, GREEN, BLUE], -1)
PALETTE = np.array([(i * 16, 255 - i * 16, i * 5) for i in range(16)], np.uint8)
INDEX = ((X + Y) % 16).astype(np.uint8)


def bmp(header: bytes, content: bytes, palette: bytes = b"") -> bytes:
    start = 14 + len(header) + len(palette)
    return struct.pack("<2sIII", b"BM", start + len(content), 0, start) + header + palette + content


def info(
    bits: int, compression: int, masks: tuple[int, ...] = (), size: int = 40, height: int = HEIGHT
) -> bytes:
    header = struct.pack("<IiiHHIIiiII", size, WIDTH, height, 1, bits, compression, 0, 0, 0, 0, 0)
    header += struct.pack(f"<{len(masks)}I", *masks)
    return header + bytes(max(0, size - len(header)))


def rows(samples: Array, *, top_down: bool = False) -> bytes:
    ordered = samples if top_down else samples[::-1]
    return b"".join(row.tobytes() + bytes(-len(row.tobytes()) % 4) for row in ordered)


def packed(masks: tuple[int, ...], dtype: str) -> Array:
    """Return the test image with its channels, of as many bits as the masks have, in the masks."""
    total = np.zeros((HEIGHT, WIDTH), np.uint32)
    for mask, channel in zip(masks, (RED, GREEN, BLUE, ALPHA), strict=False):
        shift = (mask & -mask).bit_length() - 1 if mask else 0
        total |= (channel * (mask >> shift) // 255) << np.uint32(shift)
    return total.astype(dtype)


def read(path: Path, content: bytes) -> Array:
    path.write_bytes(content)
    (frame,) = read_frames(path)
    return pixels(frame)


@pytest.mark.parametrize(
    ("bits", "masks"),
    [
        (16, (0xF800, 0x7E0, 0x1F)),
        (16, (0x7C00, 0x3E0, 0x1F, 0x8000)),
        (16, (0xF00, 0xF0, 0xF, 0xF000)),
        (32, (0xFF00, 0xFF0000, 0xFF000000, 0xFF)),
        (32, (0xFF, 0xFF00, 0xFF0000, 0xFF000000)),
        (32, (0x3FF00000, 0xFFC00, 0x3FF)),
    ],
)
@pytest.mark.parametrize("top_down", [False, True])
def test_channel_masks(tmp_path: Path, bits: int, masks: tuple[int, ...], top_down: bool) -> None:
    header = info(bits, 3, masks, size=124, height=-HEIGHT if top_down else HEIGHT)
    content = rows(packed(masks, f"<u{bits // 8}"), top_down=top_down)
    image = read(tmp_path / "a.bmp", bmp(header, content)).astype(int)
    steps = [(1 << mask.bit_count()) - 1 for mask in masks]
    for channel, (expected, step) in enumerate(zip((RED, GREEN, BLUE, ALPHA), steps, strict=False)):
        assert np.abs(image[..., channel] - expected).max() <= 255 / step + 1
    assert image.shape[2] == len(masks)


def test_masks_after_a_short_header(tmp_path: Path) -> None:
    masks = (0xFF0000, 0xFF00, 0xFF, 0xFF000000)
    image = read(tmp_path / "a.bmp", bmp(info(32, 6, masks), rows(packed(masks, "<u4"))))
    assert np.array_equal(image[..., :3], COLORS)
    assert np.array_equal(image[..., 3], ALPHA)


def test_sixteen_bits_without_masks(tmp_path: Path) -> None:
    image = read(tmp_path / "a.bmp", bmp(info(16, 0), rows(packed((0x7C00, 0x3E0, 0x1F), "<u2"))))
    assert np.abs(image.astype(int) - COLORS).max() <= 9


def palette(entry: int = 4) -> bytes:
    return b"".join(bytes([*color[::-1], 0][:entry]) for color in PALETTE)


def run_lengths(four_bits: bool) -> bytes:
    """Return each row as a literal, a run and the end of the row."""
    content = b""
    for row in INDEX[::-1]:
        literal = row[:6].tolist()
        if four_bits:
            literal = [one << 4 | two for one, two in zip(literal[::2], literal[1::2], strict=True)]
        content += bytes([0, 6, *literal]) + bytes(len(literal) % 2)
        for index in row[6:]:
            content += bytes([1, index << 4 if four_bits else index])
        content += b"\0\0"
    return content + b"\0\1"


@pytest.mark.parametrize("bits", [4, 8])
def test_run_lengths(tmp_path: Path, bits: int) -> None:
    content = bmp(info(bits, 2 if bits == 4 else 1), run_lengths(bits == 4), palette())
    if bits == 8:  # 16 of 256 colors
        header = bytearray(info(8, 1))
        header[32:36] = struct.pack("<I", 16)
        content = bmp(bytes(header), run_lengths(False), palette())
    assert np.array_equal(read(tmp_path / "a.bmp", content), PALETTE[INDEX])


def test_run_lengths_that_jump_leave_the_first_color(tmp_path: Path) -> None:
    header = bytearray(info(8, 1))
    header[32:36] = struct.pack("<I", 16)
    image = read(tmp_path / "a.bmp", bmp(bytes(header), b"\2\5\0\2\3\1\2\6\0\1", palette()))
    assert np.array_equal(image[3], PALETTE[[5, 5, *[0] * 7]])
    assert np.array_equal(image[2], PALETTE[[*[0] * 5, 6, 6, 0, 0]])
    assert np.array_equal(image[0], PALETTE[[0] * 9])


def test_two_bits(tmp_path: Path) -> None:
    index = (INDEX % 4).astype(np.uint8)
    wide = np.pad(index, ((0, 0), (0, 3)))
    content = np.bitwise_or.reduce(
        wide.reshape(HEIGHT, 3, 4) << np.array([6, 4, 2, 0], np.uint8), 2
    )
    image = read(tmp_path / "a.bmp", bmp(info(2, 0), rows(content), palette()[:16]))
    assert np.array_equal(image, PALETTE[index])


@pytest.mark.parametrize("length", [12, 16, 64])
def test_headers_of_os2(tmp_path: Path, length: int) -> None:
    header = {
        12: struct.pack("<IHHHH", 12, WIDTH, HEIGHT, 1, 24),
        16: struct.pack("<IiiHH", 16, WIDTH, HEIGHT, 1, 24),
        64: info(24, 0, size=64),
    }[length]
    content = rows(COLORS[..., ::-1].astype(np.uint8))
    assert np.array_equal(read(tmp_path / "a.bmp", bmp(header, content)), COLORS)


def test_what_is_read_is_written_as_all_programs_read_it(tmp_path: Path) -> None:
    masks = (0x7C00, 0x3E0, 0x1F, 0x8000)
    (tmp_path / "a.bmp").write_bytes(bmp(info(16, 3, masks, size=124), rows(packed(masks, "<u2"))))
    with Image.open(rewrite(tmp_path / "a.bmp", tmp_path / "b.bmp")) as image:
        seen = np.asarray(image.convert("RGB")).astype(int)
    opaque = ALPHA >= 255
    assert np.abs(seen[opaque] - COLORS[opaque]).max(initial=0) <= 9
    assert (seen[~opaque] == 255).all()  # on white


@pytest.mark.parametrize(
    "content",
    [
        bmp(info(16, 0), rows(packed((0x7C00, 0x3E0, 0x1F), "<u2"))[:-9]),
        bmp(info(8, 1), b"\3\1\0\0", palette()),
        bmp(info(8, 1), b"\3\1\0\2", palette()),
        bmp(info(24, 1), bytes(200)),
        bmp(info(16, 0, height=0), bytes(200)),
    ],
)
def test_damaged_files_are_refused(tmp_path: Path, content: bytes) -> None:
    with pytest.raises(SourceError, match="is damaged or truncated"):
        read(tmp_path / "a.bmp", content)
