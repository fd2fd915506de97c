"""TIFF files put together from pages, so that each page keeps its depth, compression and profile.

Pillow writes no colors of 16 bits and OpenCV no color profiles, so either encodes the pixels of a
page as a file of its own, and the pages are joined here under directories with the tags they need.

TIFF revision 6.0, Adobe 1992, sections 2 and 8.
"""

from __future__ import annotations

import io
import struct
from collections.abc import Mapping, Sequence
from typing import Any

import cv2
from PIL import Image, TiffImagePlugin, TiffTags

from tracker_blur.core.frame import Samples

BITS_PER_SAMPLE, PHOTOMETRIC, PLANAR = 258, 262, 284
EXTRA_SAMPLES, ASSOCIATED, UNASSOCIATED = 338, 1, 2
_NEW_SUBFILE_TYPE, _REDUCED_BIT = 254, 1
_SUBFILE_TYPE, _REDUCED = 255, 2  # the same, in older files
_STRIP_OFFSETS, _PREDICTOR, _ICC_PROFILE = 273, 317, 34675
_X_RESOLUTION, _Y_RESOLUTION, _RESOLUTION_UNIT, _INCH = 282, 283, 296, 2

LOSSLESS = "tiff_adobe_deflate"
_PREDICTED = {LOSSLESS: 8, "tiff_lzw": 5}  # differences between pixels compress better
_UNCOMPRESSED = "raw"
_BILEVEL_ONLY = frozenset({"group3", "group4"})
COMPRESSIONS = frozenset({*_PREDICTED, *_BILEVEL_ONLY, _UNCOMPRESSED, "packbits", "jpeg"})
"""The compressions, as Pillow calls them, that an output takes over from its input."""

_JPEG_QUALITY = 95

_HEADER = b"II*\0"
_LINK_SIZE, _ENTRY_SIZE = 4, 12


def is_reduced(tags: Mapping[int, Any]) -> bool:
    """Return whether a page says that it is a smaller copy of another, such as a thumbnail."""
    return bool(tags.get(_NEW_SUBFILE_TYPE, 0) & _REDUCED_BIT) or (
        tags.get(_SUBFILE_TYPE) == _REDUCED
    )


def options(compression: str, mode: str) -> dict[str, Any]:
    """Return what Pillow must be told to compress a page of one of its modes this way.

    A compression that cannot hold the mode becomes `LOSSLESS`.
    """
    if (compression in _BILEVEL_ONLY and mode != "1") or (
        compression == "jpeg" and mode not in ("L", "RGB")
    ):
        compression = LOSSLESS
    if compression == "jpeg":
        return {"compression": compression, "quality": _JPEG_QUALITY}
    if compression in _PREDICTED and mode != "1":
        return {"compression": compression, "tiffinfo": {_PREDICTOR: 2}}
    return {"compression": compression}


def encoded(samples: Samples, compression: str) -> bytes:
    """Return a picture of 16 bits as a TIFF of one page.

    samples      shape (height, width) or (height, width, 3 or 4), blue first
    compression  Pillow's name; one that does not suit 16 bits becomes `LOSSLESS`
    """
    number = 1 if compression == _UNCOMPRESSED else _PREDICTED.get(compression, 8)
    return cv2.imencode(".tiff", samples, [cv2.IMWRITE_TIFF_COMPRESSION, number])[1].tobytes()


def described(icc_profile: bytes | None, dpi: tuple[float, float] | None) -> dict[int, Any]:
    """Return the tags that hold a color profile and pixels per inch."""
    tags: dict[int, Any] = {}
    if icc_profile:
        tags[_ICC_PROFILE] = icc_profile
    if dpi:
        tags |= {_X_RESOLUTION: dpi[0], _Y_RESOLUTION: dpi[1], _RESOLUTION_UNIT: _INCH}
    return tags


def joined(pages: Sequence[tuple[bytes, dict[int, Any]]]) -> bytes:
    """Return one TIFF of several pages, each given as a TIFF of one page and tags to set in it.

    Raises ValueError when it would outgrow the 4 GiB of the format.
    """
    whole = bytearray(_HEADER + bytes(_LINK_SIZE))
    link = len(_HEADER)  # where the next directory's place is to be noted
    for page, tags in pages:
        whole += bytes(len(whole) % 2)
        struct.pack_into("<I", whole, link, len(whole))
        directory = _directory(page, tags).tobytes(len(whole))
        (entries,) = struct.unpack_from("<H", directory)
        link = len(whole) + 2 + _ENTRY_SIZE * entries
        whole += directory + page
        if len(whole) >= 1 << 32:
            raise ValueError("it would be larger than 4 GiB, the limit of TIFF")
    return bytes(whole)


def _directory(page: bytes, tags: dict[int, Any]) -> TiffImagePlugin.ImageFileDirectory_v2:
    """Return the directory of a page, to be followed by that page's file."""
    directory = TiffImagePlugin.ImageFileDirectory_v2(_HEADER + bytes(_LINK_SIZE))
    with Image.open(io.BytesIO(page), formats=["TIFF"]) as image:
        assert isinstance(image, TiffImagePlugin.TiffImageFile)
        for tag, value in image.tag_v2.items():
            directory.tagtype[tag] = image.tag_v2.tagtype[tag]
            directory[tag] = value
    # Pillow counts strips from the directory's end, where the page's file begins; from the start
    # of the whole they may be farther away than a short number can tell.
    directory.tagtype[_STRIP_OFFSETS] = TiffTags.LONG
    for tag, value in tags.items():
        directory[tag] = value
    return directory
