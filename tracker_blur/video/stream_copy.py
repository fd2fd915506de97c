"""Text subtitles, turned from one container's form into another's.

Which tags of a file go into the redacted one.

By default only what is needed to tell tracks and chapters apart. A file's own title and comment,
place, time, device, software and people all may identify who is seen.

The headers of a Vorbis track, without the comments that may tell of people, places and faces.

They lie where a stream copy takes them along: in what the decoder is set up with. A comment may
even hold a cover picture (METADATA_BLOCK_PICTURE).

Vorbis I specification, Xiph.Org 2020, sections 4.2 and 5.

Carries sound and subtitles over as they are, in step with the pictures.
"""

from __future__ import annotations

import io
import struct
from collections.abc import Iterator, Mapping
from fractions import Fraction
from pathlib import Path
from typing import cast

import av
from av.codec.codec import Properties
from av.container import InputContainer, OutputContainer
from av.packet import Packet
from av.stream import Discard, Stream
from av.subtitles.codeccontext import SubtitleCodecContext
from av.subtitles.stream import SubtitleStream

from tracker_blur.errors import SinkError, SourceError
from tracker_blur.settings import MetadataRule
from tracker_blur.video.containers import ContainerFormat

_MILLISECOND = Fraction(1, 1000)


def is_text(stream: Stream) -> bool:
    """Return whether a track holds subtitles as text, not as pictures of text."""
    properties = Properties(stream.codec_context.codec.properties)
    return stream.type == "subtitle" and Properties.TEXT_SUB in properties


class CaptionConverter:
    """Decodes subtitles and encodes them anew, text and simple styles.

    target   the track in the output

    codec   FFmpeg's name of the encoder
    """

    def __init__(self, stream: Stream, output: OutputContainer, codec: str) -> None:
        self._decoder = cast(SubtitleCodecContext, stream.codec_context)
        self._decoder.open(strict=False)
        self.target = cast(SubtitleStream, output.add_stream(codec))
        self._encoder = self.target.codec_context
        self._encoder.subtitle_header = self._decoder.subtitle_header
        self._encoder.time_base = _MILLISECOND

    def converted(self, packet: Packet[Stream]) -> Packet[Stream] | None:
        """Return the subtitle in its new form; None where the packet only ends the last one."""
        shown = self._decoder.decode2(packet)
        if shown is None:
            return None
        encoded = self._encoder.encode_subtitle(shown)
        if not encoded.size:
            return None
        encoded.pts, encoded.dts = packet.pts, packet.dts
        encoded.duration, encoded.time_base = packet.duration, packet.time_base
        return encoded


_PICTURES = {"metadata_block_picture", "coverart", "apic", "thumbnail", "xmp"}
_STALE = {  # true of the input only
    "major_brand",
    "minor_version",
    "compatible_brands",
    "encoder",
    "vendor_id",
    "rotate",
    "duration",
    "bps",
    "number_of_frames",
    "number_of_bytes",
}


def file_tags(tags: Mapping[str, str], rule: MetadataRule) -> dict[str, str]:
    """Return the tags of the file as a whole that are kept."""
    return _harmless(tags) if rule == "keep" else {}


def track_tags(tags: Mapping[str, str], kind: str, rule: MetadataRule) -> dict[str, str]:
    """Return the tags of a track that are kept; `kind` is "video", "audio" or "subtitle"."""
    kept = _harmless(tags) if rule == "keep" else {}
    if "language" in tags:
        kept["language"] = tags["language"]
    title = tags.get("title") or tags.get("name")  # MP4 calls it so
    if title and (kind != "video" or rule == "keep"):  # cameras write their model there
        kept["title"] = title
    return kept


def chapter_tags(tags: Mapping[str, str]) -> dict[str, str]:
    """Return the tags of a chapter that are kept."""
    return {"title": tags["title"]} if "title" in tags else {}


def _harmless(tags: Mapping[str, str]) -> dict[str, str]:
    return {
        key: value
        for key, value in tags.items()
        if key.lower() not in _PICTURES | _STALE and not key.lower().startswith("_statistics")
    }


_COMMENT_TYPE = b"\x03vorbis"
_NO_COMMENTS = _COMMENT_TYPE + struct.pack("<II", 0, 0) + b"\x01"  # no vendor, none, framing bit
_LACED = 2  # how many of the three headers have their sizes told
_IDENTIFICATION_BYTES = 30


def without_comments(setup: bytes) -> bytes:
    """Return the three headers, as Matroska stores them, with an empty one for comments.

    Raises ValueError when they are no headers of Vorbis.
    """
    first, comments, last = headers(setup)
    if not comments.startswith(_COMMENT_TYPE) or not last:
        raise ValueError("its sound is no Vorbis that can be copied")
    return laced(first, _NO_COMMENTS, last)


def laced(first: bytes, comments: bytes, last: bytes) -> bytes:
    """Return three headers as one block, the first two behind their sizes."""
    return bytes([_LACED]) + _lacing(first) + _lacing(comments) + first + comments + last


def headers(setup: bytes) -> tuple[bytes, bytes, bytes]:
    """Return the three headers of a block of either form that FFmpeg knows."""
    if setup[:2] == struct.pack(">H", _IDENTIFICATION_BYTES):  # each header behind its size
        parts = []
        at = 0
        for _ in range(3):
            size = int.from_bytes(setup[at : at + 2], "big")
            parts.append(setup[at + 2 : at + 2 + size])
            at += 2 + size
        return parts[0], parts[1], parts[2]
    at, sizes = 1, []
    for _ in range(_LACED):
        size = 0
        while setup[at : at + 1] == b"\xff":
            size, at = size + 255, at + 1
        sizes.append(size + int.from_bytes(setup[at : at + 1], "big"))
        at += 1
    middle, end = at + sizes[0], at + sum(sizes)
    return setup[at:middle], setup[middle:end], setup[end:]


def _lacing(header: bytes) -> bytes:
    return b"\xff" * (len(header) // 255) + bytes([len(header) % 255])


class CopiedTrack:
    """A track of sound or subtitles in the output.

    Packets are passed on as they are, but for text subtitles that the container knows in another
    form only.

    start   seconds that the output's clock is behind the input's

    Raises SinkError when the container cannot hold the track.
    """

    def __init__(
        self,
        stream: Stream,
        output: OutputContainer,
        form: ContainerFormat,
        rule: MetadataRule,
        start: Fraction,
    ) -> None:
        self._converter: CaptionConverter | None = None
        if _can_hold(form, stream):
            self.target: Stream = output.add_stream_from_template(stream, opaque=True)
            if stream.codec_context.codec.canonical_name == "vorbis":
                setup = stream.codec_context.extradata or b""
                self.target.codec_context.extradata = without_comments(setup)
        elif form.subtitles and is_text(stream):
            self._converter = CaptionConverter(stream, output, form.subtitles)
            self.target = self._converter.target
        else:
            advice = "remove it first" if form.muxer == "matroska" else "write a .mkv file"
            raise SinkError(f"{form.muxer} files cannot hold {_described(stream)}: {advice}")
        self.target.metadata.update(track_tags(stream.metadata, stream.type, rule))
        self.target.disposition = stream.disposition
        self._start = start
        self._least_step = 1 if form.is_strict and stream.type == "audio" else 0
        self._last: int | None = None
        self._fills_gaps = stream.codec_context.codec.canonical_name == "mov_text"

    def carried(self, packet: Packet[Stream]) -> Packet[Stream] | None:
        """Return what the output takes for a packet of the input, if anything."""
        if self._is_padding(packet):
            return None
        converted = packet if self._converter is None else self._converter.converted(packet)
        if converted is None:
            return None
        dts = converted.pts if converted.dts is None else converted.dts
        if dts is None:
            return None  # a packet without any time, which no player shows
        pts = dts if converted.pts is None else converted.pts
        shift = round(self._start / converted.time_base)
        dts, pts = dts - shift, pts - shift
        if self._last is not None:  # muxers refuse what goes back in time
            dts = max(dts, self._last + self._least_step)
        self._last = dts
        converted.dts, converted.pts = dts, max(dts, pts)
        converted.stream = self.target
        return converted

    def _is_padding(self, packet: Packet[Stream]) -> bool:
        """Whether it only fills the time between two subtitles; the muxer does that itself."""
        return self._fills_gaps and bytes(packet)[:2] == b"\0\0"


class Copier:
    """Reads the tracks that are kept, no faster than the pictures are written.

    tracks    by the index of the track in the input
    partial   accept an input that breaks off
    """

    def __init__(
        self,
        path: Path,
        container: InputContainer,
        tracks: Mapping[int, CopiedTrack],
        *,
        partial: bool,
    ) -> None:
        self._path = path
        self._tracks = tracks
        self._partial = partial
        for stream in container.streams:
            if stream.index not in tracks:
                stream.discard = Discard.all
        self._packets = container.demux([container.streams[index] for index in tracks])
        self._next: Packet[Stream] | None = None

    def up_to(self, seconds: Fraction | None) -> Iterator[Packet[Stream]]:
        """Give the packets that are due before a time on the input's clock; None: all the rest.

        Raises SourceError when the input cannot be read further.
        """
        if not self._tracks:
            return
        while True:
            packet = self._read() if self._next is None else self._next
            self._next = packet
            if packet is None or (seconds is not None and _time(packet) > seconds):
                return
            self._next = None
            carried = self._tracks[packet.stream.index].carried(packet)
            if carried is not None:
                yield carried

    def _read(self) -> Packet[Stream] | None:
        try:
            for packet in self._packets:
                if packet.size and not (self._partial and packet.is_corrupt):
                    return packet
        except (av.FFmpegError, OSError) as error:
            if not self._partial:
                raise SourceError(
                    f"{self._path}: its sound cannot be read further: "
                    "get the whole file, or accept a part of it (`partial`)"
                ) from error
        return None


def _can_hold(form: ContainerFormat, stream: Stream) -> bool:
    """Try it with a file in memory: muxers accept what they then refuse to write."""
    try:
        with av.open(io.BytesIO(), "w", format=form.muxer) as trial:
            trial.add_stream_from_template(stream, opaque=True)
            trial.start_encoding()
    except (av.FFmpegError, ValueError):
        return False
    return True


def _time(packet: Packet[Stream]) -> Fraction:
    dts = packet.pts if packet.dts is None else packet.dts
    return (dts or 0) * packet.time_base


def _described(stream: Stream) -> str:
    codec = stream.codec_context.codec.canonical_name
    language = f", {stream.language}" if stream.language else ""
    return f"track {stream.index} ({stream.type}, {codec}{language})"
