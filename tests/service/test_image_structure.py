"""Image files that would take minutes to parse are refused at once; usual files are not."""

from __future__ import annotations

import io
import struct
import time
import zlib
from typing import TYPE_CHECKING

import pytest
from PIL import Image

from tests.image_files import png_chunk
from tracker_blur.errors import SourceError
from tracker_blur.service.image_structure import check_structure

if TYPE_CHECKING:
    from collections.abc import Callable


def saved(file_format: str, **options: object) -> bytes:
    file = io.BytesIO()
    Image.effect_noise((200, 150), 90).save(file, file_format, **options)
    return file.getvalue()


def png(chunk: bytes, count: int) -> bytes:
    content = saved("PNG")
    return content[:33] + chunk * count + content[33:]


def jpeg(inserted: bytes) -> bytes:
    content = saved("JPEG")
    return content[:2] + inserted + content[2:]


def progressive(scans: int) -> bytes:
    content = saved("JPEG", progressive=True)
    last = content[content.rindex(b"\xff\xda") : -2]
    return content[:-2] + last * scans + content[-2:]


def gif(body: bytes) -> bytes:
    return b"GIF89a" + struct.pack("<HHBBB", 1, 1, 0x80, 0, 0) + bytes(6) + body


def tiff(pages: int, values: int = 1) -> bytes:
    content = bytearray(b"II*\0" + struct.pack("<I", 8))
    for page in range(pages):
        content += struct.pack("<HHHII", 1, 273, 4, values, 8)
        content += struct.pack("<I", 0 if page == pages - 1 else len(content) + 4)
    return bytes(content)


GIF_IMAGE = b"\x2c" + struct.pack("<HHHHB", 0, 0, 1, 1, 0) + b"\x02\x02\x44\x01\0"
WEBP = b"RIFF" + struct.pack("<I", 1 << 30) + b"WEBP" + (b"aaaa" + bytes(4)) * 200_000
BOXES = struct.pack(">I4s8s", 16, b"ftyp", b"avif") + struct.pack(">I4s", 8, b"free") * 200_000


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (png(png_chunk(b"aaAa", b""), 200_000), "more than 100000 chunks"),
        (WEBP, "more than 100000 chunks"),
        (BOXES, "more than 100000 boxes"),
        (BOXES[:16] + struct.pack(">I4s", 5 << 20, b"meta"), "a description of more than"),
        (BOXES[:16] + struct.pack(">I4sQ", 1, b"meta", 1 << 40), "a description of more than"),
        (jpeg(b"\xff\xfe\0\2" * 20_000), "more than 10000 segments"),
        (jpeg(b"\xff\0" * 20_000), "more than 10000 segments"),
        (jpeg(b"\xff" * 100_000), "more than 65536 bytes between"),
        (b"\xff\xd8" + b"\xff" * 100_000, "more than 65536 bytes between"),
        (b"\xff\xd8\xff" + bytes(100_000), "more than 65536 bytes between"),
        (jpeg(b"\xff\xe0\0\2" + bytes(100_000)), "more than 65536 bytes between"),
        (progressive(200), "more than 100 scans"),
        (gif(GIF_IMAGE * 2), "several images"),
        (gif(b"\x21\xfe\0" * 200_000), "too many blocks"),
        (gif(GIF_IMAGE[:11] + b"\1\0\0" + b"\x21\xfe" + b"\1a" * 1_100_000), "too many"),
        (tiff(200), "several images"),
        (tiff(1, values=1 << 24), "an entry of 16777216 values"),
        (b"MM\0*" + struct.pack(">IH", 8, 5000), "a page of 5000 entries"),
    ],
)
def test_what_takes_minutes_is_refused_at_once(content: bytes, reason: str) -> None:
    began = time.process_time()
    with pytest.raises(SourceError, match=reason):
        check_structure(content, "it")
    assert time.process_time() - began < 2


@pytest.mark.parametrize(
    "make",
    [
        lambda: saved("JPEG"),
        lambda: saved("JPEG", progressive=True),
        lambda: saved("JPEG", exif=Image.Exif().tobytes(), comment=b"x" * 60_000),
        lambda: saved("PNG"),
        lambda: saved("WEBP", lossless=True),
        lambda: saved("WEBP", exif=b"Exif\0\0" + bytes(11)),
        lambda: saved("GIF"),
        lambda: saved("TIFF", compression="tiff_lzw"),
        lambda: saved("TIFF", big_tiff=True),
        lambda: saved("AVIF"),
        lambda: BOXES[:16] + struct.pack(">I4s", 0, b"mdat") + bytes(1 << 20),
        lambda: saved("BMP"),
        lambda: b"\x89PNG\r\n\x1a\n" + png_chunk(b"IDAT", zlib.compress(b"")),
    ],
)
def test_usual_files_pass_and_what_is_cut_is_left_to_the_decoder(
    make: Callable[[], bytes],
) -> None:
    content = make()
    for end in {*range(0, len(content), max(1, len(content) // 50)), len(content)}:
        check_structure(content[:end], "it")


def test_a_big_tiff_is_followed_too() -> None:
    content = saved("TIFF", big_tiff=True)
    assert content[2:4] == b"+\0"
    place = struct.unpack_from("<Q", content, 8)[0]
    (count,) = struct.unpack_from("<Q", content, place)
    end = place + 8 + 20 * count
    looping = content[:end] + struct.pack("<Q", place) + content[end + 8 :]
    with pytest.raises(SourceError, match="several images"):
        check_structure(looping, "it")
