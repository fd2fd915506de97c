"""Boxes of a track file, read many lines at a time where they are as we write them.

Most lines of most files are. One by one, those of an hour of video take a second.
"""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, TypeAlias

import numpy as np
import numpy.typing as npt

from tracker_blur.core.tracks import ORIGINS

if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import BinaryIO

BoxRows: TypeAlias = npt.NDArray[np.float64]
"""Track, frame, left, top, right, bottom, score and the origin's place in `ORIGINS`; (n, 8)."""

_BLOCK_BYTES = 1 << 17  # small ones, because other threads wait while one is parsed
_EDGE = r"-?+\d{1,6}+\.\d{1,2}+"
_NAMES = [origin.value for origin in ORIGINS]
_RUN = re.compile(
    rf'(?:\{{"track":\d{{1,10}}+,"frame":\d{{1,8}}+,"box":\[{_EDGE},{_EDGE},{_EDGE},{_EDGE}\],'
    rf'"score":(?:0\.\d{{1,4}}+|1\.0),"origin":"(?:{"|".join(_NAMES)})"\}}\n)++'.encode()
)
_NUMBERS = 7  # of a line; then comes the origin
_AFTER_NAME = '"}\n'
_ENDING = 3  # letters that tell the origins apart
_ENDINGS = np.array([[ord(name[-1 - back]) for back in range(_ENDING)] for name in _NAMES])
_NO_NUMBERS = b'{}[]":abcdefghijklmnopqrstuvwxyz'
_COMMAS = bytes.maketrans(b"\n", b",")


def blocks(file: BinaryIO, max_line_bytes: int) -> Iterator[bytes]:
    """Yield a file in pieces of whole lines, up to as many bytes of the last one."""
    while block := file.read(_BLOCK_BYTES):
        yield block if block.endswith(b"\n") else block + file.readline(max_line_bytes)


def end_of_boxes(block: bytes, start: int) -> int:
    """Return where lines end that are boxes as we write them; `start` if there is none."""
    match = _RUN.match(block, start)
    return start if match is None else match.end()


def boxes_of(lines: bytes) -> BoxRows | None:
    """Return the boxes of such lines; None: one has a number that JSON does not know, as 007."""
    numbers = lines.translate(_COMMAS, _NO_NUMBERS).removesuffix(b",,")
    try:
        values = json.loads(b"[" + numbers.replace(b",,", b",") + b"]")
    except ValueError:
        return None
    rows = np.empty((len(values) // _NUMBERS, _NUMBERS + 1))
    rows[:, :_NUMBERS] = np.array(values, np.float64).reshape(-1, _NUMBERS)
    rows[:, _NUMBERS] = _origins(lines)
    return rows


def _origins(lines: bytes) -> npt.NDArray[np.int64]:
    """Return the place of each line's origin, which the last letters of its name identify."""
    letters = np.frombuffer(lines, np.uint8)
    ends = np.flatnonzero(letters == ord("\n")) - len(_AFTER_NAME)
    endings = np.stack([letters[ends - back] for back in range(_ENDING)], axis=1)
    is_name = (endings[:, None] == _ENDINGS).all(axis=2)
    return np.asarray(is_name.argmax(axis=1), np.int64)
