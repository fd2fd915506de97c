"""Takes out of copied audio what lies next to the samples: containers have room there for anything.

The setup data of most codecs has a known size, or there is none; what follows is not for decoders.
Packets may have further data attached, in Matroska a block's additions.
"""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING, Final

from av.packet import Packet

from tracker_blur.video.metadata import without_vorbis_comments

if TYPE_CHECKING:
    from av.packet import PktSideDataT
    from av.stream import Stream

_WITHOUT_SETUP = frozenset({"ac3", "eac3", "dts", "truehd", "mp1", "mp2", "mp3"})
_OPUS_BYTES, _OPUS_CHANNELS_AT, _OPUS_MAPPING_AT = 19, 9, 18  # RFC 7845, section 5.1
_ALAC_BYTES, _ALAC_LAYOUT_BYTES = 36, 24  # the box with its header; the layout of the channels
_FOR_DECODERS: Final[tuple[PktSideDataT, ...]] = ("skip_samples", "new_extradata")


def clean_setup(codec: str, setup: bytes) -> bytes:
    """Return what a decoder needs of a track's setup data.

    Args:
        codec: FFmpeg's name.
        setup: The data in FFmpeg's form.

    Raises:
        ValueError: It is not that of this codec.
    """
    if codec in _WITHOUT_SETUP or codec.startswith("pcm_"):
        return b""
    if codec == "vorbis":
        return without_vorbis_comments(setup)
    if codec == "opus" and len(setup) >= _OPUS_BYTES:
        has_mapping = setup[_OPUS_MAPPING_AT] != 0
        return setup[: _OPUS_BYTES + has_mapping * (2 + setup[_OPUS_CHANNELS_AT])]
    if codec == "alac" and len(setup) >= _ALAC_BYTES:
        has_layout = setup[_ALAC_BYTES + 4 : _ALAC_BYTES + 8] == b"chan"
        size = _ALAC_BYTES + has_layout * _ALAC_LAYOUT_BYTES
        return struct.pack(">I", size) + setup[4:size]
    return setup


def clean_packet(packet: Packet[Stream]) -> Packet[Stream]:
    """Return a packet with the same audio and times, and with nothing else but trimming."""
    clean: Packet[Stream] = Packet(bytes(packet))
    clean.stream, clean.time_base = packet.stream, packet.time_base
    clean.pts, clean.dts, clean.duration = packet.pts, packet.dts, packet.duration
    clean.is_keyframe = packet.is_keyframe
    for kind in _FOR_DECODERS:
        if packet.has_sidedata(kind):
            clean.set_sidedata(packet.get_sidedata(kind))
    return clean
