"""Writes TIFF files page by page, each page with its own depth, compression and color profile.

tifffile writes the file. Pillow reads TIFF, as it does the other formats: tifffile takes the pages
before a break for the whole file, and decodes neither LZW, JPEG nor fax without imagecodecs.

TIFF revision 6.0, Adobe 1992.
"""

from __future__ import annotations

import io
import os
import struct
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, BinaryIO

import cv2
import numpy as np
import tifffile
from PIL import Image, TiffImagePlugin

from tracker_blur.images.frame import blue_first

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from tracker_blur.core.frame import Samples

BITS_PER_SAMPLE, PHOTOMETRIC, PLANAR_CONFIGURATION = 258, 262, 284
EXTRA_SAMPLES, UNASSOCIATED_ALPHA = 338, 2
_NEW_SUBFILE_TYPE, _REDUCED_BIT = 254, 1
_SUBFILE_TYPE, _REDUCED = 255, 2  # the same in older files
_ASCII = 2
_POINTERS = {34665: "ExifTag", 34853: "GPSTag"}

LOSSLESS = "tiff_adobe_deflate"
_CODES = {
    LOSSLESS: 8,
    "raw": 1,
    "tiff_lzw": 5,
    "packbits": 32773,
    "jpeg": 7,
    "group3": 3,
    "group4": 4,
}
COMPRESSIONS = frozenset(_CODES)
"""The compressions, by Pillow's names, that an output takes over from its input."""

_FAX = frozenset({"group3", "group4"})
_DEEP = frozenset({"raw", LOSSLESS, "tiff_lzw"})  # those for 16 bits
_PREDICTED = frozenset({LOSSLESS, "tiff_lzw"})  # differences between pixels compress better
_HORIZONTAL = 2  # the predictor that stores these differences
_JPEG_QUALITY = 95
_NO_DIRECTORY = b"II*\0\0\0\0\0"
_MAX_OFFSET = (1 << 32) - 1
_TOO_LARGE = "it would be larger than 4 GiB, the limit of TIFF"


def is_reduced(tags: Mapping[int, Any]) -> bool:
    """Return whether a page says that it is a smaller copy of another, such as a thumbnail."""
    return bool(tags.get(_NEW_SUBFILE_TYPE, 0) & _REDUCED_BIT) or (
        tags.get(_SUBFILE_TYPE) == _REDUCED
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class TiffPage:
    """A page to be written.

    Attributes:
        samples: Shape (height, width), or (height, width, channels) with red first and alpha last;
            bool for black and white, uint8 or uint16.
        compression: Pillow's name; one that cannot hold the samples becomes `LOSSLESS`.
        alpha: What the last of 2 or 4 channels means (TIFF 6.0, section 18).
        icc_profile: The color profile.
        dpi: Pixels per inch, across and down.
        exif: Tags as `tracker_blur.images.exif.tags` returns them.
    """

    samples: Samples
    compression: str = LOSSLESS
    alpha: int = UNASSOCIATED_ALPHA
    icc_profile: bytes | None = None
    dpi: tuple[float, float] | None = None
    exif: Mapping[int, Any] = field(default_factory=dict)

    @property
    def channels(self) -> int:
        """How many samples a pixel has."""
        return 1 if self.samples.ndim == 2 else self.samples.shape[2]


def encode(pages: Iterable[TiffPage], file: BinaryIO) -> None:
    """Write a TIFF file of these pages, one by one; raises ValueError above 4 GiB.

    Args:
        pages: The pages.
        file: The output, empty; it is read, too.
    """
    with tifffile.TiffWriter(file, byteorder="<") as writer:
        written = [_write(writer, page) for page in pages]
    file.seek(0)
    with tifffile.TiffFile(file, mode="r+") as stored:
        for page, compression in zip(stored.pages, written, strict=True):
            page.aspage().tags["Compression"].overwrite(_CODES[compression])


def _write(writer: tifffile.TiffWriter, page: TiffPage) -> str:
    """Write a page, and return by which compression."""
    compression = _suitable(page)
    data, options = _tifffile_options(page, compression)
    extra = _exif_tags(writer.filehandle, page.exif)
    try:
        writer.write(
            data,
            photometric="rgb" if page.channels > 2 else "minisblack",
            planarconfig="contig" if page.channels > 1 else None,
            extrasamples=[page.alpha] if page.channels in (2, 4) else None,
            iccprofile=page.icc_profile,
            resolution=page.dpi,
            extratags=extra,
            metadata=None,
            software=False,
            **options,
        )
    except struct.error as error:  # an offset of more than 32 bits
        raise ValueError(_TOO_LARGE) from error
    return compression


def _suitable(page: TiffPage) -> str:
    """Return the compression that the page asks for, or `LOSSLESS` where it cannot hold it."""
    is_bilevel, is_deep = page.samples.dtype == np.bool_, page.samples.dtype == np.uint16
    if (
        (page.compression in _FAX and not is_bilevel)
        or (page.compression == "jpeg" and (is_bilevel or page.channels not in (1, 3)))
        or (page.compression not in _DEEP and is_deep)
    ):
        return LOSSLESS
    return page.compression


def _tifffile_options(page: TiffPage, compression: str) -> tuple[Any, dict[str, Any]]:
    """Return the data of a page as tifffile takes it, and how it is stored."""
    options: dict[str, Any] = {}
    if compression in _PREDICTED and page.samples.dtype != np.bool_:
        options["predictor"] = _HORIZONTAL
    if compression == "raw":
        return page.samples, options
    options["compression"] = _CODES[LOSSLESS]
    if compression == LOSSLESS:
        return page.samples, options
    # Without imagecodecs, tifffile knows no other compression. libtiff, in Pillow and OpenCV,
    # compresses the strips; `encode` corrects the name.
    content = _libtiff_page(page.samples, compression)
    with tifffile.TiffFile(io.BytesIO(content)) as file:
        stored = file.pages.first
    strips = [
        content[offset : offset + size]
        for offset, size in zip(stored.dataoffsets, stored.databytecounts, strict=True)
    ]
    options |= {
        "shape": page.samples.shape,
        "dtype": page.samples.dtype,
        "rowsperstrip": stored.rowsperstrip,
        "jpegtables": stored.jpegtables,
    }
    return iter(strips), options


def _libtiff_page(samples: Samples, compression: str) -> bytes:
    """Return a TIFF file of one page."""
    if samples.dtype == np.uint16:  # Pillow writes no colors of 16 bits
        option = [cv2.IMWRITE_TIFF_COMPRESSION, _CODES[compression]]
        return cv2.imencode(".tiff", blue_first(samples), option)[1].tobytes()
    options: dict[str, Any] = {"compression": compression}
    if compression == "jpeg":
        options["quality"] = _JPEG_QUALITY
    elif compression in _PREDICTED and samples.dtype != np.bool_:
        options["tiffinfo"] = {TiffImagePlugin.PREDICTOR: _HORIZONTAL}
    file = io.BytesIO()
    Image.fromarray(samples).save(file, "TIFF", **options)
    return file.getvalue()


def _exif_tags(file: tifffile.FileHandle, tags: Mapping[int, Any]) -> list[tuple[Any, ...]]:
    """Return tags as tifffile takes them; those that point to a directory have it appended."""
    extra: list[tuple[Any, ...]] = []
    for tag, value in tags.items():
        if tag in _POINTERS:  # tifffile takes pointers by their names alone
            extra.append((_POINTERS[tag], "I", 1, _append_directory(file, tag, value), False))
        else:
            extra.append((tag, _ASCII, 0, str(value).encode("ascii", "replace"), False))
    return extra


def _append_directory(file: tifffile.FileHandle, tag: int, values: Mapping[int, Any]) -> int:
    """Append a directory of tags to a file, and return its offset."""
    directory = TiffImagePlugin.ImageFileDirectory_v2(_NO_DIRECTORY, group=tag)
    for key, value in values.items():
        directory[key] = value
    file.seek(0, os.SEEK_END)
    offset = file.tell()
    if offset % 2:
        file.write(b"\0")
        offset += 1
    if offset > _MAX_OFFSET:
        raise ValueError(_TOO_LARGE)
    file.write(directory.tobytes(offset))
    return offset
