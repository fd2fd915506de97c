"""Reads a file's tracks of sound and subtitles down to what tells whether two are the same."""

from __future__ import annotations

import hashlib
import re
from array import array
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import av
from av.container import InputContainer
from av.packet import Packet
from av.stream import Stream

from tracker_blur.errors import SourceError
from tracker_blur.video.captions import is_text
from tracker_blur.video.input import error_text

_STYLES = re.compile(r"\{\\[^}]*\}|<[^>]*>")
_LINE_BREAKS = re.compile(r"\\[Nn]|\r?\n")
_ASS_FIELDS = 8  # before the text
_LENGTH_BYTES = 2  # before the text of mov_text


@dataclass(slots=True)
class Contents:
    """One track of sound or subtitles.

    kind     "sound" or "subtitles"
    tags     with names in small letters
    tick     unit of its clock, in seconds
    seconds  presentation time of each packet
    digest   hash over the bytes of all packets
    texts    of subtitles that are text, without styles; else empty
    """

    index: int
    kind: str
    codec: str
    tags: Mapping[str, str]
    tick: float
    seconds: array[float] = field(default_factory=lambda: array("d"))
    digest: Any = field(default_factory=hashlib.sha256)
    texts: list[str] = field(default_factory=list)

    @property
    def language(self) -> str:
        """Its language as the file says, or "und" for undetermined."""
        return self.tags.get("language", "und")

    @property
    def title(self) -> str:
        """What the file calls it, or ""; MP4 says name."""
        return self.tags.get("title") or self.tags.get("name") or ""


def contents(container: InputContainer, path: Path) -> list[Contents]:
    """Return all tracks of sound and subtitles of a known kind; raises SourceError."""
    streams = [
        stream
        for stream in container.streams
        if stream.type in ("audio", "subtitle") and stream.codec_context is not None
    ]
    tracks = {stream.index: _contents(stream) for stream in streams}
    texts = {stream.index for stream in streams if is_text(stream)}
    if not streams:
        return []
    try:
        for packet in container.demux(streams):
            index = packet.stream.index
            _add(tracks[index], packet, is_text=index in texts)
    except (av.FFmpegError, OSError) as error:
        raise SourceError(
            f"{path}: its sound cannot be read further ({error_text(error)}): get the whole file"
        ) from error
    return list(tracks.values())


def small_tags(tags: Mapping[str, str]) -> dict[str, str]:
    """Return tags with their names in small letters: Matroska shouts them."""
    return {key.lower(): value for key, value in tags.items()}


def _contents(stream: Stream) -> Contents:
    return Contents(
        stream.index,
        "sound" if stream.type == "audio" else "subtitles",
        stream.codec_context.codec.canonical_name,
        small_tags(stream.metadata),
        float(stream.time_base or 0),
    )


def _add(track: Contents, packet: Packet[Stream], *, is_text: bool) -> None:
    time = packet.dts if packet.pts is None else packet.pts
    data = bytes(packet)
    if time is None or not data:
        return
    if track.codec == "mov_text":
        if data[:_LENGTH_BYTES] == b"\0\0":  # only fills the time between two
            return
        length = int.from_bytes(data[:_LENGTH_BYTES], "big")
        data = data[_LENGTH_BYTES : _LENGTH_BYTES + length]
    elif track.codec == "aac":
        data = _without_adts(data)
    track.seconds.append(float(time * packet.time_base))
    track.digest.update(data)
    if is_text:
        text = data.decode("utf-8", "replace").rstrip("\0")
        if track.codec in ("ass", "ssa"):
            text = text.split(",", _ASS_FIELDS)[-1]
        text = _LINE_BREAKS.sub("\n", _STYLES.sub("", text))
        track.texts.append(text.strip())


def _without_adts(data: bytes) -> bytes:
    """Return a packet of AAC without the header that only streams have."""
    if len(data) < 7 or data[0] != 0xFF or data[1] & 0xF6 != 0xF0:
        return data
    return data[7 if data[1] & 1 else 9 :]
