"""Which packets of H.264 can be left out, because no other frame refers to theirs.

FFmpeg's decoder leaves the same frames out with `skip_frame=nonref`. But each packet
that it gets costs a change of threads, so that it is quicker not to give it any.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any

    from av.packet import Packet
    from av.video.stream import VideoStream

_CONFIGURATION = 1  # how the description of H.264 in MP4 and Matroska begins
_LENGTH_BYTE = 4  # of it: how many bytes the length of a unit has
_START_CODE = b"\x00\x00\x01"
_REFERENCE_BITS, _TYPE_BITS = 0x60, 0x1F
_SLICE = 1
_WITHOUT_EFFECT = {_SLICE, 9, 12}  # besides slices: delimiters of frames and filler


class DisposablePackets:
    """Says which packets of a track a decoder can do without.

    Args:
        stream: the track, of any codec.
    """

    def __init__(self, stream: VideoStream) -> None:
        extra = stream.codec_context.extradata or b""
        self._is_known = stream.codec_context.codec.canonical_name == "h264"
        has_lengths = len(extra) > _LENGTH_BYTE and extra[0] == _CONFIGURATION
        self._length_size = (extra[_LENGTH_BYTE] & 3) + 1 if has_lengths else 0

    def holds(self, packet: Packet[Any]) -> bool:
        """Return whether a packet is sure to be one of them: slices that nothing refers to."""
        if not self._is_known:
            return False
        has_slice = False
        for header in self._headers(bytes(packet)):
            kind = header & _TYPE_BITS
            if header & _REFERENCE_BITS or kind not in _WITHOUT_EFFECT:
                return False
            has_slice = has_slice or kind == _SLICE
        return has_slice

    def _headers(self, content: bytes) -> Iterator[int]:
        """Yield the first byte of each unit (ISO 14496-10, 7.3.1); 0xFF where it is cut off."""
        size, at = self._length_size, 0
        if not size:
            at = content.find(_START_CODE)
            while at >= 0:
                at += len(_START_CODE)
                yield content[at] if at < len(content) else 0xFF
                at = content.find(_START_CODE, at)
            return
        while at < len(content):
            start = at + size
            at = start + int.from_bytes(content[at:start], "big")
            yield content[start] if start < at <= len(content) else 0xFF
