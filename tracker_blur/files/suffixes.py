"""What a file is, by the suffix of its name: a video or a picture, to be written or only read."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from tracker_blur.errors import SettingsError

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
