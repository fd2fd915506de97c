"""What names of files say: video or image, input or output, and whether two are the same file."""

from __future__ import annotations

import os
import re
import stat
from pathlib import Path
from typing import Literal

from tracker_blur.errors import SettingsError, SourceError, reason_of

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
    ".avif": "AVIF",
    ".tga": "TGA",
    ".ico": "ICO",
    ".heic": "HEIF",
    ".heif": "HEIF",
}
"""The image format, as Pillow calls it, that each suffix stands for."""

MediaKind = Literal["video", "image"]

NOT_A_FILE = (
    "is not a file, and only files are read and written here: "
    "for streams and addresses, use 'trackblur live SOURCE --to TARGET'"
)

_IMAGE_SUFFIXES = frozenset(FORMATS)
_WRITTEN_VIDEO_SUFFIXES = (".mp4", ".m4v", ".mov", ".mkv", ".webm")
_READ_VIDEO_SUFFIXES = frozenset(
    {".3g2", ".3gp", ".asf", ".avi", ".divx", ".dv", ".f4v", ".flv", ".m2ts", ".m2v", ".mjpeg"}
    | {".mpeg", ".mpg", ".mts", ".mxf", ".nut", ".ogm", ".ogv", ".qt", ".rm", ".rmvb", ".ts"}
    | {".vob", ".wmv", ".y4m"}
)
_360_DEGREES = (
    "two fisheye views in one frame, in which faces are not detected: export it as .mp4 or .jpg"
)
_RAW = "a raw photo, which is not read: export it as .jpg or .tif"
_NOT_READ = {
    ".insv": _360_DEGREES,
    ".insp": _360_DEGREES,
    ".360": _360_DEGREES,
    ".lrv": "a camera's small copy of a video, with its faces: delete it, or rename it to .mp4",
    ".lrf": "a camera's small copy of a video, with its faces: delete it, or rename it to .mp4",
    ".thm": "a camera's thumbnail of a video, with its faces: delete it, or rename it to .jpg",
} | dict.fromkeys(
    (
        *(".3fr", ".arw", ".cr2", ".cr3", ".dng", ".nef"),
        *(".nrw", ".orf", ".pef", ".raf", ".rw2", ".srw"),
    ),
    _RAW,
)
"""What cameras write next to videos and images, and why it is not redacted."""

_VIDEO_SUFFIXES = _READ_VIDEO_SUFFIXES.union(_WRITTEN_VIDEO_SUFFIXES)
MEDIA_SUFFIXES = _IMAGE_SUFFIXES | _VIDEO_SUFFIXES

_STANDARD_STREAM = "-"
_ADDRESS = r"\w{2,}:/"  # as a Path shows it; a single letter is a drive

_CONTAINER_FOR_ANYTHING = ".mkv"
_REDACTED_TAG = "_redacted"
_COMPARISON_TAG = "_compare"
_NUMBER = re.compile(r"_\d+(?=\.)")  # of a file's second output, and of further ones


def format_of(path: Path) -> str:
    """Return the image format that a file's suffix stands for.

    Raises:
        SettingsError: it stands for none.
    """
    try:
        return FORMATS[path.suffix.lower()]
    except KeyError:
        known = ", ".join(suffix[1:] for suffix in FORMATS)
        raise SettingsError(
            f"{path}: images are not written with this suffix: choose one of {known}"
        ) from None


def is_media(path: Path) -> bool:
    """Return whether a file's suffix is that of a video or an image."""
    return path.suffix.lower() in MEDIA_SUFFIXES


def why_not_read(path: Path) -> str | None:
    """Return why a camera's file is left out where a folder is redacted; None for any other."""
    return _NOT_READ.get(path.suffix.lower())


def is_image(path: Path) -> bool:
    """Return whether a file's suffix is that of an image, still or animated."""
    return path.suffix.lower() in _IMAGE_SUFFIXES


def is_animation(path: Path) -> bool:
    """Return whether a file's suffix stands for animations, which may become videos."""
    return path.suffix.lower() == ".gif"


def _is_written(path: Path) -> bool:
    """Return whether files with this suffix are written, too."""
    suffix = path.suffix.lower()
    return suffix in _IMAGE_SUFFIXES or suffix in _WRITTEN_VIDEO_SUFFIXES


def media_kind(source: Path, target: Path) -> MediaKind:
    """Return whether a source is processed as a video or as an image, by both suffixes.

    Images become images, animated ones included. A GIF may become a video and a video a GIF; both
    are processed as videos. FFmpeg decides about unknown suffixes.

    Raises:
        SettingsError: an image would become a video or something else, or a video a still image.
    """
    from_suffix, to_suffix = source.suffix.lower(), target.suffix.lower()
    to_image = to_suffix in _IMAGE_SUFFIXES
    if from_suffix in _IMAGE_SUFFIXES:
        if to_image:
            return "image"
        if from_suffix != ".gif":
            what = "become a video" if to_suffix in _VIDEO_SUFFIXES else "be written like this"
            raise SettingsError(
                f"{target}: {source.name} is an image, which cannot {what}: "
                f"choose a suffix such as {source.suffix}"
            )
    elif to_image and to_suffix != ".gif":
        raise SettingsError(
            f"{target}: {source.name} is a video, which cannot become an image: "
            "choose a suffix such as .mp4 or .gif"
        )
    return "video"


def check_is_written_as_video(target: Path) -> None:
    """Check that an output's suffix is one that videos are written with.

    Raises:
        SettingsError: it is not, or the output is a folder.
    """
    if is_folder(target):
        raise SettingsError(f"{target}: is a folder: name a file in it")
    written = (*_WRITTEN_VIDEO_SUFFIXES, ".gif")
    if target.suffix.lower() not in written:
        known = ", ".join(written)
        raise SettingsError(f"{target}: videos are written as {known}: choose one of these")


def is_stream(name: str) -> bool:
    """Return whether a name looks like a standard stream or an address."""
    return name == _STANDARD_STREAM or re.match(_ADDRESS, name) is not None


def check_is_file(path: Path) -> None:
    """Check that a path is not an address, nor a pipe, a device or a socket, which may never end.

    Raises:
        SourceError: it is one.
    """
    try:
        mode = path.stat().st_mode
    except OSError as error:
        if is_stream(str(path)):
            raise SourceError(f"{path}: {NOT_A_FILE}") from error
        return  # opening it will fail with the reason
    if not (stat.S_ISREG(mode) or stat.S_ISDIR(mode)):
        raise SourceError(f"{path}: {NOT_A_FILE}")


def check_is_file_name(output: str | Path) -> None:
    """Check that an output is not named like a standard stream or an address.

    Raises:
        SettingsError: it is.
    """
    if is_stream(str(output)):
        raise SettingsError(f"{output}: {NOT_A_FILE}")


def check_is_folder(path: Path) -> None:
    """Check that a path is a folder whose files can be listed.

    Raises:
        SettingsError: there is no such folder.
        SourceError: it cannot be read.
    """
    if not is_folder(path):
        raise SettingsError(f"{path}: is not a folder: name one with videos or images")
    try:
        with os.scandir(path):
            pass
    except OSError as error:
        raise SourceError(
            f"{path}: cannot be read ({reason_of(error)}): change its permissions"
        ) from error


def is_folder(path: Path) -> bool:
    """Return whether there is such a folder; there is none with too long a name."""
    try:
        return path.is_dir()
    except OSError:
        return False


def is_file(path: Path) -> bool:
    """Return whether there is such a file; there is none with too long a name."""
    try:
        return path.is_file()
    except OSError:
        return False


def exists(path: Path) -> bool:
    """Return whether there is such a file or folder; there is none with too long a name."""
    try:
        return path.exists()
    except OSError:
        return False


def size_bytes(path: Path) -> int:
    """Return a file's size; 0 if there is none, or it cannot be read."""
    try:
        return path.stat().st_size
    except OSError:
        return 0


def real_path(path: Path) -> Path:
    """Return where a path leads through all links; those that lead in a circle stay."""
    return Path(os.path.realpath(path))  # `Path.resolve` raises for a circle up to Python 3.12


def is_same_file(path: Path, other: Path) -> bool:
    """Return whether two names stand for one file, through links or not; it need not exist."""
    if real_path(path) == real_path(other):
        return True
    try:
        return path.samefile(other)
    except OSError:
        return False


def default_output(path: Path) -> Path:
    """Return the default output of a file, next to it: NAME_redacted.EXT."""
    return path.with_name(_output_name(path.name, _REDACTED_TAG))


def numbered_output(path: Path, number: int) -> Path:
    """Return another output of a file, next to it, for when others exist: NAME_redacted_2.EXT."""
    return path.with_name(_output_name(path.name, f"{_REDACTED_TAG}_{number}"))


def default_output_folder(folder: Path) -> Path:
    """Return the default folder for the outputs of a folder's files, next to it."""
    named = folder if folder.name not in ("", "..") else folder.resolve()
    return named.with_name(named.name + _REDACTED_TAG)


def original_folder_of(folder: Path) -> Path | None:
    """Return the folder next to this one whose outputs it holds, by its name; None without one."""
    path = folder.with_name(folder.name.removesuffix(_REDACTED_TAG) or folder.name)
    return path if path != folder and is_folder(path) else None


def mirrored_output(path: Path) -> Path:
    """Return the path of a file's output within another folder, from its own within the first."""
    return path.with_name(_output_name(path.name))


def comparison_path(source: Path) -> Path:
    """Return the path of the image that compares an input with its output: next to the input.

    It shows the faces, so it never lies among the outputs, which will be published.
    """
    return source.with_name(f"{source.stem}{_COMPARISON_TAG}{source.suffix}")


def is_output(file: Path) -> bool:
    """Return whether a file has the name of an output of another file next to it."""
    return original_of(file) is not None or is_comparison(file)


def original_of(file: Path) -> Path | None:
    """Return the file next to this one whose output it is, by its name; None if there is none."""
    return _original(file, _REDACTED_TAG)


def is_comparison(file: Path) -> bool:
    """Return whether a file has the name of a comparison with another file next to it."""
    return _original(file, _COMPARISON_TAG) is not None


def _original(file: Path, tag: str) -> Path | None:
    head, _, tail = file.name.rpartition(tag)
    number = _NUMBER.match(tail)
    for tail_number in ("", number[0] if number else ""):
        name = head + tail.removeprefix(tail_number)
        for original in (name, name.removesuffix(_CONTAINER_FOR_ANYTHING)):
            if original and _output_name(original, tag + tail_number) == file.name:
                path = file.with_name(original)
                if path.exists():
                    return path
    return None


def _output_name(name: str, tag: str = "") -> str:
    """Return an output's name: the input's, with a tag, in a container that is written."""
    path = Path(name)
    return path.stem + tag + path.suffix + ("" if _is_written(path) else _CONTAINER_FOR_ANYTHING)
