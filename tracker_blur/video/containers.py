"""The container formats that are written, and what each can hold."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from tracker_blur.errors import SinkError

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from tracker_blur.video.lossless_audio import LosslessCodec


@dataclass(frozen=True, slots=True)
class ContainerFormat:
    """A container format.

    Attributes:
        muxer: FFmpeg's name.
        codecs: The video codecs that are written into it, as FFmpeg names them.
        preferred: Those of them, best first, that replace a codec it cannot hold.
        transparent: The codecs that keep an alpha channel in it, best first. Some are written for
            that alone.
        lossless_audio: What replaces audio that it cannot hold.
        subtitles: FFmpeg's encoder of the text subtitles that all its players read.
        options: For the muxer.
        is_strict: Whether each packet of a track must be later than the previous one.
        holds_tracks: Whether it has other tracks than video.
        holds_fonts: Whether fonts can be attached.
    """

    muxer: str
    codecs: frozenset[str]
    preferred: tuple[str, ...]
    transparent: tuple[str, ...] = ()
    lossless_audio: LosslessCodec | None = None
    subtitles: str | None = None
    options: Mapping[str, str] = field(default_factory=dict)
    is_strict: bool = True
    holds_tracks: bool = True
    holds_fonts: bool = False


_MP4 = ContainerFormat(
    "mp4",
    frozenset({"h264", "hevc", "av1", "vp9", "mpeg4", "mpeg2video", "mjpeg"}),
    ("h264", "hevc"),
    lossless_audio="flac",
    subtitles="mov_text",
    options={"movflags": "+faststart"},
)
_MATROSKA_OPTIONS = {
    "default_mode": "passthrough",
    # Ids of tracks are their numbers, not random ones, and the muxer's version is left out.
    "fflags": "+bitexact",
}
_FORMATS = {
    ".mp4": _MP4,
    ".m4v": _MP4,
    ".mov": ContainerFormat(
        "mov",
        frozenset({"h264", "hevc", "mpeg4", "mpeg2video", "mjpeg", "prores"}),
        ("h264", "hevc"),
        ("prores", "png", "qtrle"),
        "pcm",
        "mov_text",
        {"movflags": "+faststart"},
    ),
    ".mkv": ContainerFormat(
        "matroska",
        frozenset(
            {"h264", "hevc", "av1", "vp9", "vp8", "mpeg4", "mpeg2video", "mjpeg", "prores", "ffv1"}
        ),
        ("h264", "hevc"),
        ("ffv1", "prores", "vp9", "vp8"),
        "flac",
        "subrip",
        _MATROSKA_OPTIONS,
        is_strict=False,
        holds_fonts=True,
    ),
    ".webm": ContainerFormat(
        "webm",
        frozenset({"vp8", "vp9", "av1"}),
        ("vp9", "av1"),
        ("vp9", "vp8"),
        subtitles="webvtt",
        options=_MATROSKA_OPTIONS,
        is_strict=False,
    ),
    ".gif": ContainerFormat("gif", frozenset({"gif"}), ("gif",), ("gif",), holds_tracks=False),
}


def container_format(path: Path) -> ContainerFormat:
    """Return the format that an output's suffix stands for; raises SinkError if there is none."""
    try:
        return _FORMATS[path.suffix.lower()]
    except KeyError:
        known = ", ".join(_FORMATS)
        raise SinkError(f"{path}: videos are written as {known}: choose one of these") from None
