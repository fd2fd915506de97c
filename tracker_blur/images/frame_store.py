"""FrameStore: the frames of an output on their way to an encoder; memory holds one of them.

Encoders take all frames of an animation at once, and some must know of all before the first. A
file of few bytes may hold gigabytes of them, so they wait on the disk, compressed.
"""

from __future__ import annotations

import tempfile
import zlib
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import replace
from typing import TYPE_CHECKING, BinaryIO, cast, overload

import numpy as np

from tracker_blur.images.frame import ImageFrame

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path
    from types import TracebackType

    from tracker_blur.core.frame import Samples

_LEVEL = 1  # of zlib's compression: the fastest
_NOTHING = np.zeros((1, 1), np.uint8)


class FrameStore(Sequence[ImageFrame]):
    """Redacted frames, to be read back in order. A single one stays in memory.

    The file has no name, so nothing of it stays, whatever happens.

    Args:
        folder: Where the file lies; the output's, which has the space.

    Attributes:
        sizes: (width, height) of the frames, each once.
        has_color: Whether a frame has colors.
        has_alpha: Whether a frame has an alpha channel.
        is_transparent: Whether a pixel of any frame is not opaque.
        is_bilevel: Whether all frames are only black or white.
        is_deep: Whether all frames have 16 bits.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._closing = ExitStack()
        self._file: BinaryIO | None = None
        self._first: ImageFrame | None = None
        self._stored: list[tuple[ImageFrame, list[tuple[int, int]], str]] = []
        self.sizes: set[tuple[int, int]] = set()
        self.has_color = self.has_alpha = self.is_transparent = False
        self.is_bilevel = self.is_deep = True

    def append(self, frame: ImageFrame) -> None:
        """Take a frame.

        Raises:
            OSError: There is no space for it.
        """
        self.sizes.add(frame.size)
        self.has_color |= len(frame.channels) == 3
        self.has_alpha |= frame.alpha is not None
        self.is_transparent |= not frame.is_opaque
        self.is_bilevel &= frame.encoding.is_bilevel
        self.is_deep &= frame.layout.bits > 8
        if self._first is None and not self._stored:
            self._first = frame
            return
        if self._first is not None:
            self._store(self._first)
            self._first = None
        self._store(frame)

    def __len__(self) -> int:
        return len(self._stored) or int(self._first is not None)

    def __iter__(self) -> Iterator[ImageFrame]:
        return (self[index] for index in range(len(self)))

    @overload
    def __getitem__(self, index: int) -> ImageFrame: ...

    @overload
    def __getitem__(self, index: slice) -> Sequence[ImageFrame]: ...

    def __getitem__(self, index: int | slice) -> ImageFrame | Sequence[ImageFrame]:
        """Return a frame, read back from the file."""
        if isinstance(index, slice):
            return [self[place] for place in range(len(self))[index]]
        if self._first is not None and index in (0, -1):
            return self._first
        frame, places, dtype = self._stored[index]
        planes = [self._read(place, dtype) for place in places]
        alpha = planes.pop() if len(planes) in (2, 4) else None
        return replace(frame, channels=tuple(planes), alpha=alpha)

    def heads(self) -> Iterator[ImageFrame]:
        """Yield the frames without their pixels, which need not be read for it."""
        if self._first is not None:
            yield self._first
        for frame, *_ in self._stored:
            yield frame

    def __enter__(self) -> FrameStore:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Delete the file."""
        self._closing.close()

    def _store(self, frame: ImageFrame) -> None:
        if self._file is None:
            file = tempfile.TemporaryFile(dir=self._folder)  # noqa: SIM115  # closed at the end
            self._file = cast("BinaryIO", self._closing.enter_context(file))
        planes = frame.channels if frame.alpha is None else (*frame.channels, frame.alpha)
        places = [self._write(plane) for plane in planes]
        without_pixels = replace(frame, channels=(_NOTHING,), alpha=None)
        self._stored.append((without_pixels, places, planes[0].dtype.str))

    def _write(self, plane: Samples) -> tuple[int, int]:
        assert self._file is not None
        position = self._file.seek(0, 2)
        height, width = plane.shape
        self._file.write(np.array([height, width], "<u4").tobytes())
        size = self._file.write(zlib.compress(np.ascontiguousarray(plane).data, _LEVEL))
        return position, size

    def _read(self, place: tuple[int, int], dtype: str) -> Samples:
        assert self._file is not None
        position, size = place
        self._file.seek(position)
        height, width = np.frombuffer(self._file.read(8), "<u4")
        content = bytearray(zlib.decompress(self._file.read(size)))
        return np.frombuffer(content, dtype).reshape(height, width)
