"""ImageWriter: writes frames into an image file, still, animated or of several pages."""

from __future__ import annotations

import errno
import io
import os
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from tracker_blur.errors import SinkError, TrackerBlurError, reason_of
from tracker_blur.files.atomic import NO_SPACE, replacing
from tracker_blur.files.paths import format_of
from tracker_blur.images import avif
from tracker_blur.images.encode import encode
from tracker_blur.images.frame import MANY_FRAMES_FORMATS, OPAQUE_FORMATS, ImageFrame
from tracker_blur.images.frame_store import FrameStore

if TYPE_CHECKING:
    from collections.abc import Iterator
    from types import TracebackType

    from tracker_blur.core.frame import FrameReader, Image, RedactedFrame
    from tracker_blur.settings import Settings

_GAP_PX = 8


class ImageWriter:
    """Writes frames into one file, in the format that its suffix stands for.

    Frames wait on the disk, next to the output, until the last one is known.

    Args:
        path: The output; written only when complete.
        source: Where the frames come from.
        settings: `metadata` and `overwrite` are used. The quality is that of the input.

    Attributes:
        warnings: What the user should know: transparency that the format cannot hold.

    Raises:
        SettingsError: The suffix stands for no image format.
        SinkError: The format holds a single image and the input has several; this build of Pillow
            does not write AVIF; the output already exists or cannot be written.
    """

    def __init__(self, path: Path, source: FrameReader, settings: Settings) -> None:
        self.warnings: tuple[str, ...] = ()
        self._path = path
        self._format = format_of(path)
        self._settings = settings
        self._output = ExitStack()
        count = source.info.frame_count
        if count != 1 and self._format not in MANY_FRAMES_FORMATS:
            raise SinkError(
                f"{path}: can hold only one image, and the input has {count or 'several'}: "
                "choose gif, png, webp, avif or tiff"
            )
        if self._format == "AVIF" and not avif.is_supported():
            raise SinkError(f"{path}: this build of Pillow does not write AVIF: choose png or webp")

    def write(self, redacted: RedactedFrame) -> None:
        """Take one frame, which must be an ImageFrame."""
        frame = redacted.frame
        if not isinstance(frame, ImageFrame):
            raise TypeError(f"an image cannot be written from a {type(frame).__name__}")
        frame.clear_hidden()
        try:
            self._frames.append(frame)
        except OSError as error:
            raise SinkError(
                f"{self._path}: its frames cannot be stored ({reason_of(error)}): free some space, "
                "or choose another folder"
            ) from error
        if self._format in OPAQUE_FORMATS and not frame.is_opaque:
            self.warnings = (
                f"{self._path}: {self._format} is written without transparency, on white: "
                "choose png or webp to keep it",
            )

    def __enter__(self) -> ImageWriter:
        overwrite = self._settings.overwrite
        self._temporary = self._output.enter_context(replacing(self._path, overwrite))
        self._frames = self._output.enter_context(FrameStore(self._temporary.parent))
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Write the file, or leave nothing of it if there was an error."""
        if kind is not None:
            self._output.__exit__(kind, error, trace)
            return
        with self._output:
            _write(self._temporary, self._path, self._frames, self._settings.metadata == "keep")


def encoded(redacted: RedactedFrame) -> bytes:
    """Return a still image as a file of the format that it was read from, without metadata.

    Raises:
        SinkError: It cannot be stored in this format.
    """
    frame = redacted.frame
    if not isinstance(frame, ImageFrame):
        raise TypeError(f"an image cannot be encoded from a {type(frame).__name__}")
    frame.clear_hidden()
    frames = FrameStore(Path())  # a single frame stays in memory
    frames.append(frame)
    content = io.BytesIO()
    file_format = frame.encoding.format
    with _encoding("the image", file_format):
        encode(frames, file_format, keep_exif=False, file=content)
    return content.getvalue()


def _is_for_lack_of_space(error: OSError) -> bool:
    """Return whether a disk is full; NumPy says only how much of an array it wrote."""
    return error.errno in NO_SPACE or " requested and " in str(error)


def side_by_side(path: Path, before: Image, after: Image, overwrite: bool) -> None:
    """Write two upright views of one size next to each other, as an image for comparing.

    It shows the faces: only its owner may read the file, and no one should publish it.

    Raises:
        SettingsError: The suffix stands for no image format.
        SinkError: The file already exists or cannot be written.
    """
    gap = np.full((before.shape[0], _GAP_PX, 3), 255, np.uint8)
    write_view(path, np.hstack([before, gap, after]), overwrite)


def write_view(path: Path, image: Image, overwrite: bool) -> None:
    """Write an upright BGR image that shows faces: only its owner may read the file.

    Raises:
        SettingsError: The suffix stands for no image format.
        SinkError: The file already exists or cannot be written.
    """
    format_of(path)
    frame = ImageFrame(tuple(np.ascontiguousarray(image[..., i]) for i in (2, 1, 0)))
    frames = FrameStore(path.parent)
    frames.append(frame)
    with replacing(path, overwrite, is_private=True) as temporary:
        _write(temporary, path, frames, keep_exif=False)


def _write(temporary: Path, path: Path, frames: FrameStore, keep_exif: bool) -> None:
    """Write frames into the temporary file that becomes `path`."""
    file_format = format_of(path)
    if not frames:
        raise SinkError(f"{path}: there is no image to write: check the input")
    with _encoding(str(path), file_format), temporary.open("w+b") as file:
        encode(frames, file_format, keep_exif, file)


@contextmanager
def _encoding(name: str, file_format: str) -> Iterator[None]:
    """Turn whatever an encoder raises into one line."""
    try:
        yield
    except TrackerBlurError:
        raise
    except Exception as error:  # encoders raise whatever they like
        if isinstance(error, OSError) and _is_for_lack_of_space(error):
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC)) from error
        reason = str(error).partition("\n")[0] or type(error).__name__
        raise SinkError(
            f"{name}: the image cannot be stored as {file_format} ({reason}): choose another format"
        ) from error
