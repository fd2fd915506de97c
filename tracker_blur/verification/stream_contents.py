"""What audio and subtitle tracks hold, reduced to what two equal tracks have in common."""

from __future__ import annotations

import hashlib
import re
from array import array
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import av

from tracker_blur.errors import SourceError, reason_of
from tracker_blur.video.edit_lists import ShownMedia
from tracker_blur.video.metadata import track_tags
from tracker_blur.video.opening import video_stream
from tracker_blur.video.silenced_cues import SilencedCues
from tracker_blur.video.stream_copy import cue_starts, track_packets
from tracker_blur.video.subtitle_tracks import SubtitleFilter, is_text

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from av.container import InputContainer
    from av.packet import Packet
    from av.stream import Stream

    from tracker_blur.settings import MetadataRule
    from tracker_blur.video.audio_editing import AudioEditor

_ASS_FIELDS = 8  # before the text
_MOV_TEXT_LENGTH_BYTES = 2  # before the text
_TEXT_STYLES = re.compile(r"\{\\[^{}]*\}|<[^<>]*>")
_LINE_BREAKS = re.compile(r"\\[Nn]|\r?\n")


@dataclass(slots=True)
class StreamContents:
    """One audio or subtitle track, reduced to what two equal tracks have in common.

    Attributes:
        index: number of the stream.
        kind: "sound" or "subtitles", as checks name it.
        codec: FFmpeg's name of the codec.
        tags: with names in lower case.
        tick: unit of its clock, in seconds.
        seconds: presentation time of each packet.
        digest: hash of the bytes of all packets.
        texts: text subtitles, without styles; otherwise empty.
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
        """Its language tag, or "und" for undetermined."""
        return self.tags.get("language", "und")

    @property
    def title(self) -> str:
        """Its title, or ""; MP4 calls it name."""
        return self.tags.get("title") or self.tags.get("name") or ""

    def add(self, packet: Packet[Stream], *, is_text: bool) -> None:
        """Add a packet; `is_text` says whether its bytes are subtitles as text."""
        time = packet.dts if packet.pts is None else packet.pts
        data = bytes(packet)
        if time is None or not data:
            return
        if self.codec == "mov_text":
            size = _MOV_TEXT_LENGTH_BYTES
            length = int.from_bytes(data[:size], "big")
            if not length:  # fills the time between two subtitles
                return
            data = data[size : size + length]
        elif self.codec == "aac":
            data = _without_adts(data)
        self.seconds.append(float(time * packet.time_base))
        self.digest.update(data)
        if is_text:
            self.texts.append(self._plain_text(data))

    def _plain_text(self, data: bytes) -> str:
        text = data.decode("utf-8", "replace").rstrip("\0")
        if self.codec in ("ass", "ssa"):
            text = text.split(",", _ASS_FIELDS)[-1]
        return _LINE_BREAKS.sub("\n", _TEXT_STYLES.sub("", text)).strip()


def stream_contents(
    container: InputContainer, path: Path, rule: MetadataRule, editor: AudioEditor | None = None
) -> list[StreamContents]:
    """Return what is shown of all audio and subtitle tracks, as `rule` lets it be written.

    Args:
        container: the file.
        path: the same.
        rule: which metadata is kept.
        editor: subtitles that are shown while it replaces audio are left out; None: none are.

    Raises:
        SourceError: They cannot be read to their end.
    """
    streams = [
        stream
        for stream in container.streams
        if stream.type in ("audio", "subtitle") and stream.codec_context is not None
    ]
    if not streams:
        return []
    contents = {
        stream.index: StreamContents(
            stream.index,
            "sound" if stream.type == "audio" else "subtitles",
            stream.codec_context.codec.canonical_name,
            track_tags(lower_case(stream.metadata), stream.type, rule),
            float(stream.time_base or 0),
        )
        for stream in streams
    }
    shown = ShownMedia(path, container)
    texts = {stream.index for stream in streams if is_text(stream)}
    filters = {
        stream.index: SubtitleFilter(stream, as_is=rule == "keep")
        for stream in streams
        if stream.type == "subtitle"
    }
    try:
        video = video_stream(container, path)
        silenced: dict[int, SilencedCues] = {}
        if editor is not None:
            silenced = {
                index: SilencedCues(container.streams[index], starts, editor)
                for index, starts in cue_starts(path, video.index, filters).items()
            }
        for index, packet in track_packets(path, container, video.index, contents):
            part = shown.part(packet) if packet.size else None
            if part is None:
                continue
            kept = filters[index].filtered(part) if index in filters else part
            if kept is not None and not (index in silenced and silenced[index].has(part)):
                contents[index].add(kept, is_text=index in texts)
    except (av.FFmpegError, OSError, IndexError) as error:  # IndexError: a joined recording
        raise SourceError(
            f"{path}: its audio and subtitles cannot be read to the end ({reason_of(error)}): get "
            "the complete file"
        ) from error
    return list(contents.values())


def _without_adts(data: bytes) -> bytes:
    """Return an AAC packet without the ADTS header that it has in MPEG-TS only."""
    if len(data) < 7 or data[0] != 0xFF or data[1] & 0xF6 != 0xF0:
        return data
    return data[7 if data[1] & 1 else 9 :]


def lower_case(tags: Mapping[str, str]) -> dict[str, str]:
    """Return tags with names in lower case; Matroska writes them in capitals."""
    return {key.lower(): value for key, value in tags.items()}
