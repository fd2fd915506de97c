"""Rendered pieces: encoded frames of a part of a video, apart from the file that they will be in.

A piece begins with a key frame and refers to no other piece (closed GOPs), at constant quality. It
is a sealed file: packets, then what they are, as JSON. All pieces of a video make its video track.
"""

from __future__ import annotations

import io
import json
import struct
from array import array
from dataclasses import asdict, dataclass
from fractions import Fraction
from typing import TYPE_CHECKING, Any

import av
import numpy as np

from tracker_blur.errors import SinkError, SourceError
from tracker_blur.files.sealed import sealing, unsealed
from tracker_blur.video.encoder import FrameEncoder, normal_priority
from tracker_blur.video.encoder_settings import choose_encoder
from tracker_blur.video.frame import DecodedFrame

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from pathlib import Path

    from av.packet import Packet
    from av.video.stream import VideoStream

    from tracker_blur.core.frame import RedactedFrame
    from tracker_blur.settings import Settings
    from tracker_blur.video.containers import ContainerFormat
    from tracker_blur.video.stream_info import VideoInput

_PACKET = struct.Struct("<qqqBI")  # pts, dts, duration, whether it is a key frame, bytes
_LENGTH = struct.Struct("<I")


@dataclass(frozen=True, slots=True)
class PieceInfo:
    """What is in a piece. Times are in units of the track's time base.

    Attributes:
        codec: FFmpeg's name of the encoder.
        setup: What a decoder needs to know first, in hexadecimal.
        time_base: Of the packets, in seconds, as a fraction.
        frames: How many there are.
        first_pts: When the first one is shown.
        last_pts: When the last one is.
        reordered: By how many frames decoding is ahead of showing.
        has_flattened: Whether a frame was transparent somewhere, and is on black.
    """

    codec: str
    setup: str
    time_base: str
    frames: int
    first_pts: int
    last_pts: int
    reordered: int
    has_flattened: bool


def write_piece(
    path: Path,
    frames: Iterable[RedactedFrame],
    source: VideoInput,
    form: ContainerFormat,
    settings: Settings,
) -> PieceInfo:
    """Encode redacted frames into a piece.

    Args:
        path: The piece.
        frames: At least one.
        source: Where they come from.
        form: The container format of the video that it will be in.
        settings: Quality and encoder.

    Raises:
        SinkError: It cannot be encoded or written.
    """
    encoder = choose_encoder(settings, source.track, form)
    with av.open(io.BytesIO(), "w", format=form.muxer) as container, sealing(path) as append:
        track = FrameEncoder(container, source.track, encoder, settings, reproducible=True)
        with normal_priority():
            track.stream.codec_context.open()
        written = _Written(source.track.time_base)
        for redacted in frames:
            if not isinstance(redacted.frame, DecodedFrame):
                raise TypeError(f"a video is written from decoded frames: {redacted.frame!r}")
            for packet in track.encode(redacted.frame.av_frame):
                append(written.bytes_of(packet))
        for packet in track.finish():
            append(written.bytes_of(packet))
        info = written.info(track, encoder.name)
        footer = json.dumps(asdict(info)).encode()
        append(footer + _LENGTH.pack(len(footer)))
    return info


class _Written:
    """Puts packets into bytes, and notes what they are."""

    def __init__(self, time_base: Fraction) -> None:
        self._time_base = time_base
        self._pts: list[int] = []

    def bytes_of(self, packet: Packet[VideoStream]) -> bytes:
        ratio = packet.time_base / self._time_base
        pts, dts, duration = (
            round((value or 0) * ratio) for value in (packet.pts, packet.dts, packet.duration)
        )
        if not self._pts and not packet.is_keyframe:
            raise SinkError("the encoder does not begin with a key frame: choose another encoder")
        self._pts.append(pts)
        content = bytes(packet)
        return _PACKET.pack(pts, dts, duration, packet.is_keyframe, len(content)) + content

    def info(self, track: FrameEncoder, codec: str) -> PieceInfo:
        if not self._pts:
            raise SinkError("a part of the video has no frames")
        shown = sorted(self._pts)
        setup = bytes(track.stream.codec_context.extradata or b"")
        return PieceInfo(
            codec,
            setup.hex(),
            str(self._time_base),
            len(shown),
            shown[0],
            shown[-1],
            _reordered(self._pts),
            track.has_flattened,
        )


def _reordered(pts: Sequence[int]) -> int:
    """Return by how many frames decoding must be ahead, given when frames are shown, as decoded."""
    places = np.empty(len(pts), np.int64)
    places[np.argsort(np.array(pts, np.int64), kind="stable")] = np.arange(len(pts))
    return int(np.max(np.arange(len(pts)) - places, initial=0))


@dataclass(frozen=True, slots=True)
class RenderedPiece:
    """A piece that was written.

    Attributes:
        path: Where it is.
        info: What is in it.
    """

    path: Path
    info: PieceInfo

    @classmethod
    def of(cls, path: Path) -> RenderedPiece:
        """Return the piece in a file.

        Raises:
            SourceError: It is missing or damaged.
        """
        _, footer = _parts(path)
        return cls(path, PieceInfo(**json.loads(footer)))

    def packets(self) -> Iterator[Packet[Any]]:
        """Yield its packets, in the order of decoding.

        Raises:
            SourceError: The piece is damaged.
        """
        content, _ = _parts(self.path)
        at = 0
        while at < len(content):
            pts, dts, duration, is_key, size = _PACKET.unpack_from(content, at)
            at += _PACKET.size
            packet: Packet[Any] = av.Packet(content[at : at + size])
            packet.pts, packet.dts, packet.duration = pts, dts, duration
            packet.time_base = Fraction(self.info.time_base)
            packet.is_keyframe = bool(is_key)
            at += size
            yield packet


def _parts(path: Path) -> tuple[bytes, bytes]:
    """Return the packets and the footer of a piece."""
    content = unsealed(path)
    end = len(content) - _LENGTH.size
    (length,) = _LENGTH.unpack_from(content, end)
    return content[: end - length], content[end - length : end]


def joined_packets(
    pieces: Sequence[RenderedPiece], setup: bytes, step: int
) -> Iterator[Packet[Any]]:
    """Yield the packets of all pieces of a video, with decoding times that ascend through it.

    Encoders place the decoding times of their first packets before the first frame, where the piece
    before still has its own: so all get new ones. A frame is decoded when the one is shown that is
    as many frames earlier as decoding is ahead.

    Args:
        pieces: All of them, in order.
        setup: What the file says to decoders.
        step: How long a frame usually is, in units of the track's time base.

    Raises:
        SourceError: The pieces do not belong together, or one is damaged.
    """
    first = pieces[0].info
    for piece in pieces:
        if (piece.info.codec, piece.info.setup) != (first.codec, setup.hex()):
            raise SourceError(f"{piece.path}: is encoded otherwise than on this machine")
    reordered = max(piece.info.reordered for piece in pieces)
    times = array("q", (first.first_pts - step * ahead for ahead in range(reordered, 0, -1)))
    index = 0
    for piece in pieces:
        packets = list(piece.packets())
        times.extend(sorted(packet.pts or 0 for packet in packets))
        for packet in packets:
            packet.dts = times[index]
            index += 1
            yield packet
