"""Draws a number into a frame, and reads it again after the frame was encoded.

The number is a row of square cells, black or white, along the lower border: 32 bits of the number
and 8 of a checksum, most significant first. A cell is a fortieth of the frame's width, which H.264
preserves.
"""

from __future__ import annotations

import zlib
from itertools import pairwise

import numpy as np
import numpy.typing as npt

_BITS, _CHECK_BITS = 32, 8
CELLS = _BITS + _CHECK_BITS
_BLACK, _WHITE = 16, 235
_CLEAR = 40  # levels that a cell must differ from the middle to be read


def draw(luma: npt.NDArray[np.uint8], number: int) -> None:
    """Draw a 32-bit number into a luma plane, shape (height, width)."""
    bits = _bits(number)
    edges = _edges(luma.shape[1])
    side = round(luma.shape[1] / CELLS)
    for (left, right), bit in zip(pairwise(edges), bits, strict=True):
        luma[-side:, left:right] = _WHITE if bit else _BLACK


def read(luma: npt.NDArray[np.uint8]) -> int | None:
    """Return the number in a luma plane; None if there is none."""
    edges = _edges(luma.shape[1])
    side = round(luma.shape[1] / CELLS)
    rows = luma[-side + side // 4 : -(side // 4) or None].mean(axis=0)
    means = np.array(
        [rows[left + side // 4 : right - side // 4].mean() for left, right in pairwise(edges)]
    )
    middle = (_BLACK + _WHITE) / 2
    if np.abs(means - middle).min() < _CLEAR:
        return None
    bits = means > middle
    number = int("".join("1" if bit else "0" for bit in bits[:_BITS]), 2)
    return number if np.array_equal(_bits(number), bits) else None


def _bits(number: int) -> npt.NDArray[np.bool_]:
    data = number.to_bytes(_BITS // 8, "big")
    check = (zlib.crc32(data) & 0xFF).to_bytes(1, "big")
    return np.unpackbits(np.frombuffer(data + check, np.uint8)).astype(bool)


def _edges(width: int) -> list[int]:
    return [round(width * index / CELLS) for index in range(CELLS + 1)]
