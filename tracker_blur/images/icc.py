"""Color profiles without what identifies a device or a person.

Profiles of calibrated displays and cameras name their owner, model and serial number in texts, and
the moment of calibration. Only what colors depend on is kept, to the bit, so that every image is
shown as before. A profile that means the same as sRGB, Display P3 or BT.2020 is replaced by one
that is the same for everyone.

ICC.1:2022, sections 7.2 (header), 7.3 (tag table), 9.2 (tags) and 10 (types).
"""

from __future__ import annotations

import io
import struct
from contextlib import suppress
from functools import lru_cache
from typing import TYPE_CHECKING, TypeAlias

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageCms

if TYPE_CHECKING:
    from collections.abc import Iterable

Floats: TypeAlias = npt.NDArray[np.float64]

_HEADER_BYTES = 128
_ENTRY = struct.Struct(">4sII")
_SIGNATURE_AT, _SIGNATURE = 36, b"acsp"
_CLASSES = frozenset({b"scnr", b"mntr", b"prtr", b"spac"})
_MOST_TAGS = 100
_COLOR_TAGS = frozenset(
    {b"wtpt", b"bkpt", b"rXYZ", b"gXYZ", b"bXYZ", b"rTRC", b"gTRC", b"bTRC", b"kTRC", b"chad"}
    | {b"cicp", b"gamt", b"pre0", b"pre1", b"pre2"}
    | {
        kind + number
        for kind in (b"A2B", b"B2A", b"D2B", b"B2D")
        for number in (b"0", b"1", b"2", b"3")
    }
)
_COLOR_TYPES = frozenset(
    {b"XYZ ", b"curv", b"para", b"sf32", b"mft1", b"mft2", b"mAB ", b"mBA ", b"mpet", b"cicp"}
)
_CREATED = struct.pack(">6H", 2000, 1, 1, 0, 0, 0)
_NAME = "RGB"
_NO_COPYRIGHT = "No copyright, use freely"

_D50 = (0.9642, 1.0, 0.8249)  # the white of the connection space
_BRADFORD = np.array(
    [[0.8951, 0.2664, -0.1614], [-0.7502, 1.7135, 0.0367], [0.0389, -0.0685, 1.0296]]
)
_D65 = (0.3127, 0.3290)
_SRGB_CURVE = (2.4, 1 / 1.055, 0.055 / 1.055, 1 / 12.92, 0.04045)
_BT2020_CURVE = (1 / 0.45, 1 / 1.0993, 0.0993 / 1.0993, 1 / 4.5, 0.08145)
_STANDARDS = {  # chromaticities of red, green and blue; the curve
    "sRGB": (((0.64, 0.33), (0.30, 0.60), (0.15, 0.06)), _SRGB_CURVE),
    "Display P3": (((0.68, 0.32), (0.265, 0.69), (0.15, 0.06)), _SRGB_CURVE),
    "BT.2020": (((0.708, 0.292), (0.17, 0.797), (0.131, 0.046)), _BT2020_CURVE),
}
_LEVELS = (
    np.linspace(0, 255, 18).round().astype(np.uint8)
)  # of each color, compared with each other


@lru_cache(maxsize=16)
def anonymous(profile: bytes | None) -> bytes | None:
    """Return a profile that shows the same colors and names no one; None for a damaged one."""
    if not profile:
        return None
    try:
        stripped = _stripped(profile)
        ImageCms.ImageCmsProfile(io.BytesIO(stripped))
    except (ValueError, struct.error, OSError, ImageCms.PyCMSError):
        return None
    if stripped[16:20] == b"RGB ":
        for name in _STANDARDS:
            standard = _standard(name)
            if _shows_the_same(stripped, standard):
                return standard
    return stripped


def _stripped(profile: bytes) -> bytes:
    """Return a profile with its color tags only; raises ValueError for anything else."""
    if profile[_SIGNATURE_AT : _SIGNATURE_AT + 4] != _SIGNATURE:
        raise ValueError("is no color profile")
    if profile[12:16] not in _CLASSES:
        raise ValueError("is not about the colors of an image")
    (count,) = struct.unpack_from(">I", profile, _HEADER_BYTES)
    if count > _MOST_TAGS:
        raise ValueError("has too many tags")
    tags = {}
    for number in range(count):
        name, offset, size = _ENTRY.unpack_from(profile, _HEADER_BYTES + 4 + 12 * number)
        data = profile[offset : offset + size]
        if len(data) < size:
            raise ValueError("is truncated")
        if name in _COLOR_TAGS and data[:4] in _COLOR_TYPES:
            tags[name] = data
    return _assembled(profile[:_HEADER_BYTES], tags, _NAME)


def _assembled(header: bytes, tags: dict[bytes, bytes], name: str) -> bytes:
    """Return a profile whose header keeps only what colors depend on."""
    text = _text_v4 if header[8] >= 4 else _text_v2
    named = {b"desc": text(name, b"desc"), **tags, b"cprt": text(_NO_COPYRIGHT, b"text")}
    table, content = b"", b""
    start = _HEADER_BYTES + 4 + _ENTRY.size * len(named)
    places: dict[bytes, int] = {}
    for tag, data in named.items():
        if data not in places:  # several tags may share their data
            places[data] = start + len(content)
            content += data + b"\0" * (-len(data) % 4)
        table += _ENTRY.pack(tag, places[data], len(data))
    size = start + len(content)
    kept = bytearray(_HEADER_BYTES)
    kept[0:4] = struct.pack(">I", size)
    kept[8:24] = header[8:24]  # version, class, color spaces
    kept[24:36] = _CREATED
    kept[36:40] = _SIGNATURE
    kept[44:48] = header[44:48]  # flags
    kept[56:80] = header[56:80]  # attributes, rendering intent, illuminant
    return bytes(kept) + struct.pack(">I", len(named)) + table + content


def _text_v4(text: str, _: bytes) -> bytes:
    encoded = text.encode("utf-16-be")
    return struct.pack(">4s4xII2s2sII", b"mluc", 1, 12, b"en", b"US", len(encoded), 28) + encoded


def _text_v2(text: str, kind: bytes) -> bytes:
    encoded = text.encode("ascii") + b"\0"
    if kind == b"text":
        return b"text\0\0\0\0" + encoded
    # Followed by empty texts for Unicode and for the Macintosh.
    return b"desc\0\0\0\0" + struct.pack(">I", len(encoded)) + encoded + bytes(4 + 4 + 2 + 1 + 67)


@lru_cache(maxsize=len(_STANDARDS))
def _standard(name: str) -> bytes:
    """Return the profile of a standard: three colors and a curve (ICC.1:2022, F.3)."""
    primaries, curve = _STANDARDS[name]
    adaptation = _adaptation(_xyz(_D65), np.array(_D50))
    columns = np.array([_xyz(primary) for primary in primaries]).T
    scales = np.linalg.solve(columns, _xyz(_D65))
    matrix = adaptation @ (columns * scales)
    curve_data = b"para" + struct.pack(">4xHH", 3, 0) + _fixed(curve)
    colors = (b"rXYZ", b"gXYZ", b"bXYZ")
    tags = {b"wtpt": b"XYZ \0\0\0\0" + _fixed(_D50)}
    tags |= {
        tag: b"XYZ \0\0\0\0" + _fixed(column) for tag, column in zip(colors, matrix.T, strict=True)
    }
    tags |= dict.fromkeys((b"rTRC", b"gTRC", b"bTRC"), curve_data)
    tags[b"chad"] = b"sf32\0\0\0\0" + _fixed(adaptation.ravel())
    header = bytearray(_HEADER_BYTES)
    header[8:24] = b"\x04\x40\0\0mntrRGB XYZ "
    header[68:80] = _fixed(_D50)
    return _assembled(bytes(header), tags, name)


def _xyz(chromaticity: tuple[float, float]) -> Floats:
    x, y = chromaticity
    return np.array([x / y, 1.0, (1 - x - y) / y])


def _adaptation(source: Floats, target: Floats) -> Floats:
    """Return the matrix that adapts colors to another white, after Bradford."""
    gains = (_BRADFORD @ target) / (_BRADFORD @ source)
    adaptation: Floats = np.linalg.inv(_BRADFORD) @ np.diag(gains) @ _BRADFORD
    return adaptation


def _fixed(values: Iterable[float]) -> bytes:
    """Return numbers as signed 15.16 fixed point."""
    return b"".join(struct.pack(">i", round(value * 65536)) for value in values)


def _shows_the_same(profile: bytes, standard: bytes) -> bool:
    """Return whether all colors stay what they are from one profile to the other, in 8 bits."""
    grid = np.stack(np.meshgrid(_LEVELS, _LEVELS, _LEVELS), axis=-1).reshape(-1, _LEVELS.size, 3)
    image = Image.fromarray(np.ascontiguousarray(grid))
    with suppress(ImageCms.PyCMSError, OSError):
        source, target = (
            ImageCms.ImageCmsProfile(io.BytesIO(data)) for data in (profile, standard)
        )
        for before, after in ((source, target), (target, source)):
            shown = ImageCms.profileToProfile(
                image, before, after, renderingIntent=ImageCms.Intent.RELATIVE_COLORIMETRIC
            )
            if shown is None or not np.array_equal(np.asarray(shown), grid):
                return False
        return True
    return False
