"""Pictures: still, animated, or of several pages."""

from __future__ import annotations

import itertools
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from fractions import Fraction
from pathlib import Path
from types import TracebackType

from PIL import Image, UnidentifiedImageError

from tracker_blur.core.frame import VideoInfo
from tracker_blur.errors import MissingPackageError, SourceError, reason_of
from tracker_blur.files.paths import check_is_file
from tracker_blur.images.decode import UnsupportedError, opened
from tracker_blur.images.frame import MICROSECOND, ImageFrame
from tracker_blur.video.reader import open_input, picture_stream

_READABLE = "jpg, png, webp, tiff, bmp, gif and heic"
_STILLS = "_pipe"  # how FFmpeg's formats of single pictures are called
_DEFAULT_DURATION = 100_000  # microseconds, where a file tells none: as browsers assume


class ImageReader:
    """Gives the frames of an animation, the pages of a TIFF, or the one picture of another file.

    info      what is known at the start; the size is the first frame's, pages may differ in it
    warnings  why a partial input ended early, once it did

    path     the file; its content, not its name, tells the format
    partial  accept an animation or pages that break off, up to the last whole one; a single
             picture must be whole

    Raises SourceError when the file is missing, empty, no picture, damaged, not whole, or too
    large to be harmless; MissingPackageError for HEIC without its package.
    """

    info: VideoInfo

    def __init__(self, path: Path, *, partial: bool = False) -> None:
        self._path = path
        self._partial = partial
        self.warnings: tuple[str, ...] = ()
        data = _read(path)
        with self._explained():
            self._decoder = opened(data)
        if not self._decoder.is_whole:
            self._end_early(
                SourceError(f"{path}: breaks off: get a complete copy, or accept a partial one")
            )
        self._next: ImageFrame | None = self._decode(0)
        self._count = self._counted()
        self.info = VideoInfo(
            size=self._next.size,
            pixel_aspect=Fraction(1),
            rate=1 / (_shown(self._next) * MICROSECOND),
            frame_count=self._count,
            is_moving=self._decoder.may_move and self._count != 1,
        )

    def __iter__(self) -> Iterator[ImageFrame]:
        """Give each frame once; raises SourceError where the file breaks off."""
        pts = 0
        for index in itertools.count() if self._count is None else range(self._count):
            frame, self._next = self._next, None
            if frame is None:
                try:
                    frame = self._decode(index)
                except SourceError as error:
                    self._end_early(error)
                    return
            frame.index, frame.pts = index, pts
            pts += _shown(frame)
            yield frame

    def __enter__(self) -> ImageReader:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Nothing is to be closed: the file was read whole at the start."""

    def _counted(self) -> int | None:
        try:
            with self._explained():
                return self._decoder.count
        except SourceError as error:
            self._end_early(error)
            return None

    def _decode(self, index: int) -> ImageFrame:
        with self._explained():
            return self._decoder.decode(index)

    def _end_early(self, error: SourceError) -> None:
        """Note that there is not more, if the user takes what there is; else raise the error."""
        if not self._partial:
            raise error
        self.warnings = (f"{error} (only the part before is kept)",)

    @contextmanager
    def _explained(self) -> Iterator[None]:
        """Turn whatever a decoder raises into one line, and keep its warnings from printing."""
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                yield
        except MissingPackageError:
            raise
        except UnsupportedError as error:
            raise SourceError(
                f"{self._path}: {error}: convert it to a common kind of picture first"
            ) from error
        except UnidentifiedImageError as error:
            if _holds_video(self._path):
                raise SourceError(
                    f"{self._path}: holds a video, by its name a picture: rename it, as to .mp4"
                ) from error
            raise SourceError(
                f"{self._path}: is no picture that can be read: give one of {_READABLE}"
            ) from error
        except (Image.DecompressionBombError, MemoryError) as error:
            raise SourceError(
                f"{self._path}: is too large to be read safely: reduce it first"
            ) from error
        except Exception as error:  # decoders raise whatever they stumble over
            reason = str(error).partition("\n")[0] or type(error).__name__
            raise SourceError(
                f"{self._path}: is damaged or breaks off ({reason}): get a complete copy"
            ) from error


def _shown(frame: ImageFrame) -> int:
    """Return for how long, in microseconds, viewers show a frame."""
    return frame.duration or _DEFAULT_DURATION


def _holds_video(path: Path) -> bool:
    try:
        with open_input(path) as container:
            picture_stream(container, path)
            return not container.format.name.endswith(_STILLS)
    except SourceError:
        return False


def _read(path: Path) -> bytes:
    check_is_file(path)
    try:
        data = path.read_bytes()
    except FileNotFoundError as error:
        raise SourceError(f"{path}: no such file: check the name") from error
    except IsADirectoryError as error:
        raise SourceError(f"{path}: is a folder: name a picture in it") from error
    except OSError as error:
        reason = reason_of(error)
        raise SourceError(f"{path}: cannot be read ({reason}): check the file") from error
    if not data:
        raise SourceError(f"{path}: is empty: get a complete copy")
    return data
