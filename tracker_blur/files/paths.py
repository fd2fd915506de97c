"""What a file is, by the suffix of its name: a video or a picture, to be written or only read.

What is a file, and what is none: pipes, devices, standard streams, addresses.

What the output of a file is called, and whose output a file is.
"""

from __future__ import annotations

import re
import stat
from pathlib import Path
from typing import Literal

from tracker_blur.errors import SettingsError, SourceError

FORMATS = {
    ".jpg": "JPEG",
    ".jpeg": "JPEG",
    ".jpe": "JPEG",
    ".jfif": "JPEG",
    ".png": "PNG",
    ".apng": "PNG",
    ".webp": "WEBP",
    ".tif": "TIFF",
    ".tiff": "TIFF",
    ".bmp": "BMP",
    ".gif": "GIF",
    ".heic": "HEIF",
    ".heif": "HEIF",
}
"""The format, as Pillow calls it, that each suffix of a picture stands for."""

MediaKind = Literal["video", "picture"]

_PICTURE_SUFFIXES = frozenset(FORMATS)
_WRITTEN_VIDEO_SUFFIXES = frozenset({".mp4", ".m4v", ".mov", ".mkv", ".webm"})
_READ_VIDEO_SUFFIXES = frozenset(
    {".3g2", ".3gp", ".asf", ".avi", ".divx", ".dv", ".f4v", ".flv", ".m2ts", ".m2v", ".mjpeg"}
    | {".mpeg", ".mpg", ".mts", ".mxf", ".nut", ".ogm", ".ogv", ".qt", ".rm", ".rmvb", ".ts"}
    | {".vob", ".wmv", ".y4m"}
)
_SUFFIXES = _PICTURE_SUFFIXES | _WRITTEN_VIDEO_SUFFIXES | _READ_VIDEO_SUFFIXES


def format_of(path: Path) -> str:
    """Return the format that a file's suffix stands for; SettingsError when there is none."""
    try:
        return FORMATS[path.suffix.lower()]
    except KeyError:
        known = ", ".join(suffix[1:] for suffix in FORMATS)
        raise SettingsError(
            f"{path}: no picture is written with this suffix: choose one of {known}"
        ) from None


def is_media(path: Path) -> bool:
    """Whether a file is a video or a picture."""
    return path.suffix.lower() in _SUFFIXES


def is_written(path: Path) -> bool:
    """Whether files of this name can be written, too."""
    suffix = path.suffix.lower()
    return suffix in _PICTURE_SUFFIXES or suffix in _WRITTEN_VIDEO_SUFFIXES


def kind_of(source: Path, target: Path) -> MediaKind:
    """Return which way leads from a source to a target, by their suffixes.

    Pictures go to pictures, animated ones included. A GIF may become a video and a video a GIF:
    both go the way of videos. What is not known as a picture is left to FFmpeg.

    Raises SettingsError for a picture that would become a video, or the reverse.
    """
    from_suffix, to_suffix = source.suffix.lower(), target.suffix.lower()
    to_picture = to_suffix in _PICTURE_SUFFIXES
    if from_suffix in _PICTURE_SUFFIXES:
        if to_picture:
            return "picture"
        if from_suffix != ".gif":
            raise SettingsError(
                f"{target}: a picture such as {source.name} is written as a picture: "
                f"choose a suffix such as {source.suffix}"
            )
    elif to_picture and to_suffix != ".gif":
        raise SettingsError(
            f"{target}: a video such as {source.name} cannot become a picture: "
            "choose a suffix such as .mp4 or .gif"
        )
    return "video"


NO_FILE = (
    "is no file, and files are what is read and written here: "
    "for streams and addresses there is 'trackblur live SOURCE --to TARGET'"
)
_STANDARD_STREAM = "-"
_ADDRESS = r"\w{2,}:/"  # as a Path shows it; one letter is a drive


def is_stream(word: str) -> bool:
    """Whether a word stands for a standard stream or an address, by its look."""
    return word == _STANDARD_STREAM or re.match(_ADDRESS, word) is not None


def check_is_file(path: Path) -> None:
    """Raise SourceError for a pipe, a device or a socket, which may never end, and an address."""
    try:
        mode = path.stat().st_mode
    except OSError as error:
        if is_stream(str(path)):
            raise SourceError(f"{path}: {NO_FILE}") from error
        return  # opening it will tell why
    if not (stat.S_ISREG(mode) or stat.S_ISDIR(mode)):
        raise SourceError(f"{path}: {NO_FILE}")


def check_names_file(output: str | Path) -> None:
    """Raise SettingsError for an output that is a standard stream or an address."""
    if is_stream(str(output)):
        raise SettingsError(f"{output}: {NO_FILE}")


def is_folder(path: Path) -> bool:
    """Whether there is such a folder; where a name is too long there is none."""
    try:
        return path.is_dir()
    except OSError:
        return False


_CONTAINER_FOR_ANYTHING = ".mkv"
_REDACTED_TAG = "_redacted"
_COMPARE_TAG = "_compare"


def redacted(path: Path) -> Path:
    """Return the name of a file's output, beside it."""
    return path.with_name(_written_name(path.name, _REDACTED_TAG))


def redacted_folder(folder: Path) -> Path:
    """Return the name of the folder for the outputs of a folder's files, beside it."""
    named = folder if folder.name not in ("", "..") else folder.resolve()
    return named.with_name(named.name + _REDACTED_TAG)


def mirrored(place: Path) -> Path:
    """Return the name of a file's output where it lies in another folder, in the same place."""
    return place.with_name(_written_name(place.name))


def compared(output: Path) -> Path:
    """Return the name of the picture that shows an output beside its input."""
    return output.with_name(f"{output.stem}{_COMPARE_TAG}{output.suffix}")


def is_output(file: Path) -> bool:
    """Whether a file has the name of an output of a file beside it."""
    return any(_is_made_from_another(file, tag) for tag in (_REDACTED_TAG, _COMPARE_TAG))


def _is_made_from_another(file: Path, tag: str) -> bool:
    head, _, tail = file.name.rpartition(tag)
    return any(
        _written_name(original, tag) == file.name and file.with_name(original).exists()
        for original in (head + tail, (head + tail).removesuffix(_CONTAINER_FOR_ANYTHING))
    )


def _written_name(name: str, tag: str = "") -> str:
    """Return an output's name: the input's, with a tag, in a container that is written."""
    path = Path(name)
    return path.stem + tag + path.suffix + ("" if is_written(path) else _CONTAINER_FOR_ANYTHING)
