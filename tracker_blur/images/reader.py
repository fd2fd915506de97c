"""ImageReader: the frames of an image file, still, animated or of several pages."""

from __future__ import annotations

import itertools
import warnings
from contextlib import contextmanager
from fractions import Fraction
from typing import TYPE_CHECKING

from PIL import UnidentifiedImageError

from tracker_blur.core.frame import VideoInfo
from tracker_blur.errors import SourceError, reason_of
from tracker_blur.files.identity import FileIdentity
from tracker_blur.files.paths import check_is_file, is_image
from tracker_blur.images.channels import UnsupportedError
from tracker_blur.images.decode import open_decoder
from tracker_blur.images.frame import MICROSECOND, ImageFrame
from tracker_blur.images.pixel_limit import PixelLimit, TooLargeError
from tracker_blur.settings import MAX_MEGAPIXELS
from tracker_blur.video.opening import open_input, video_stream

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path
    from types import TracebackType

_MAX_FILE_BYTES = 4 << 30  # the limit of TIFF; files are read as a whole
_PART_KEPT = "only the complete part is kept"
_READABLE = "jpg, png, webp, tiff, bmp, gif, tga, ico, avif and heic"
_STILL_SUFFIX = "_pipe"  # of the names of FFmpeg's formats for still images


class ImageReader:
    """Yields the frames of an animation, the pages of a TIFF, or the only image of another file.

    Args:
        path: The file. Its content, not its name, decides the format.
        content: The file's content, where it is known already; then the path is only its name.
        partial: Accept a truncated animation or document, up to its last complete frame or page. A
            single image must be complete.
        identity: Of the file when the run began; None: now. Reading another file is an error.
        max_megapixels: The most pixels of an image, in millions; 10 times as many in all frames of
            an animation.

    Attributes:
        identity: Of the file; None: its content was given.
        info: What is known at the start. The size is that of the first frame; pages may differ.
        warnings: Why a partial input ended early, once it has.

    Raises:
        SourceError: The file is missing, empty, no image, damaged, incomplete, or so large that it
            may be harmful; or it has changed.
    """

    info: VideoInfo

    def __init__(
        self,
        path: Path,
        *,
        partial: bool = False,
        identity: FileIdentity | None = None,
        content: bytes | None = None,
        max_megapixels: float = MAX_MEGAPIXELS,
    ) -> None:
        self._path = path
        self.identity: FileIdentity | None = None
        self._partial = partial
        self.warnings: tuple[str, ...] = ()
        if content is None:
            self.identity = identity or FileIdentity.of(path)
            content = _read(path)
            self.identity.check()
        if not content:
            raise SourceError(f"{path}: is empty: get the complete file")
        with self._source_errors():
            self._decoder = open_decoder(content, PixelLimit(max_megapixels))
        if not self._decoder.is_complete:
            if not partial:
                raise SourceError(
                    f"{path}: is truncated: get the complete file, or keep what can be read with",
                    remedy="partial",
                )
            self.warnings = (f"{path}: is truncated; {_PART_KEPT}",)
        self._next: ImageFrame | None = self._decode(0)
        self._count = self._frame_count()
        self.info = VideoInfo(
            size=self._next.size,
            pixel_aspect=Fraction(1),
            rate=1 / (self._next.shown_duration * MICROSECOND),
            frame_count=self._count,
            is_moving=self._decoder.may_move and self._count != 1,
        )

    @property
    def is_partial(self) -> bool:
        """Whether the file ended early, once it has, and that was accepted."""
        return bool(self.warnings)

    def __iter__(self) -> Iterator[ImageFrame]:
        """Yield each frame once; raises SourceError where the file ends early."""
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
            pts += frame.shown_duration
            yield frame

    def __enter__(self) -> ImageReader:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Close nothing: the file was read at the start."""

    def _frame_count(self) -> int | None:
        try:
            with self._source_errors():
                return self._decoder.count
        except SourceError as error:
            self._end_early(error)
            return None

    def _decode(self, index: int) -> ImageFrame:
        with self._source_errors():
            return self._decoder.decode(index)

    def _end_early(self, error: SourceError) -> None:
        """Warn that the rest is missing if the user accepts that; otherwise raise the error."""
        if not self._partial or error.remedy is not None:  # too large, not damaged
            raise error
        self.warnings = (f"{error}; {_PART_KEPT}",)

    @contextmanager
    def _source_errors(self) -> Iterator[None]:
        """Turn whatever a decoder raises into one line, and silence its warnings."""
        path = self._path
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                yield
        except UnsupportedError as error:
            raise SourceError(f"{path}: {error}: convert it to a common format first") from error
        except UnidentifiedImageError as error:
            if self.identity is not None and _holds_video(path):
                problem = "is a video: give an image"
                if is_image(path):
                    problem = "holds a video, but its name is that of an image: rename it, "
                    problem += "for example to .mp4"
                raise SourceError(f"{path}: {problem}") from error
            raise SourceError(
                f"{path}: is not a readable image: check that it opens in a viewer, and that it is "
                f"one of {_READABLE}"
            ) from error
        except TooLargeError as error:
            raise SourceError(
                f"{path}: {error}: reduce it, or raise the limit with", remedy="max_megapixels"
            ) from error
        except MemoryError as error:
            raise SourceError(f"{path}: is too large for the memory: reduce it first") from error
        except Exception as error:  # decoders raise whatever they like
            reason = str(error).partition("\n")[0] or type(error).__name__
            problem = "is damaged or truncated"
            if problem.rpartition(" ")[2] not in reason:  # else Pillow says the same in its words
                problem += f" ({reason})"
            raise SourceError(f"{path}: {problem}: get the complete file") from error


def _holds_video(path: Path) -> bool:
    try:
        with open_input(path) as container:
            video_stream(container, path)
            return not container.format.name.endswith(_STILL_SUFFIX)
    except SourceError:
        return False


def _read(path: Path) -> bytes:
    check_is_file(path)
    try:
        size = path.stat().st_size
        if size > _MAX_FILE_BYTES:
            raise SourceError(
                f"{path}: has {size >> 20} MB, and images of at most {_MAX_FILE_BYTES >> 20} MB "
                "are read: convert it to a smaller file first"
            )
        return path.read_bytes()
    except FileNotFoundError as error:
        raise SourceError(f"{path}: no such file: check the name") from error
    except IsADirectoryError as error:
        raise SourceError(f"{path}: is a folder: name an image in it") from error
    except PermissionError as error:
        raise SourceError(f"{path}: reading is not permitted: change its permissions") from error
    except SourceError:
        raise
    except OSError as error:
        reason = reason_of(error)
        raise SourceError(f"{path}: cannot be read ({reason}): check the file") from error
