"""Transport streams for tests."""

from __future__ import annotations

from fractions import Fraction
from itertools import zip_longest
from typing import TYPE_CHECKING, Any

import av
import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

RATE = 48000
_PACKET_BYTES = 188


def write_station(
    path: Path,
    seconds: float,
    *,
    gray: int = 128,
    hertz: int = 1000,
    program: int = 1,
    clock: Callable[[float], float] = lambda moment: moment,
    audio_start: float = 0.0,
) -> Path:
    """Write a program: gray pictures with a tone.

    Args:
        path: The file; its suffix decides the format.
        seconds: Its duration.
        gray: Of the pictures.
        hertz: Of the tone.
        program: Its number, which decides the packet identifiers.
        clock: What the file's clock shows at each moment.
        audio_start: When the tone begins.
    """
    options = {
        "mpegts_service_id": str(program),
        "mpegts_pmt_start_pid": str(4096 + program),
        "mpegts_start_pid": str(256 * program),
    }
    with av.open(
        str(path), "w", container_options=options if path.suffix == ".ts" else {}
    ) as container:
        video: Any = container.add_stream("mpeg2video", rate=25)
        video.width, video.height, video.pix_fmt = 64, 48, "yuv420p"
        audio: Any = container.add_stream("mp2", rate=RATE)
        audio.layout = "mono"
        packets = []
        for index in range(round(seconds * 25)):
            image = np.full((48, 64, 3), gray, np.uint8)
            frame = av.VideoFrame.from_ndarray(image, "rgb24").reformat(format="yuv420p")
            frame.pts, frame.time_base = index, Fraction(1, 25)
            packets += video.encode(frame)
        packets += video.encode(None)
        for first in range(round(audio_start * RATE), round(seconds * RATE), 1152):
            wave = np.sin(np.arange(first, first + 1152) * 2 * np.pi * hertz / RATE) * 12000
            sound = av.AudioFrame.from_ndarray(wave.astype(np.int16)[None], "s16", "mono")
            sound.sample_rate, sound.pts, sound.time_base = RATE, first, Fraction(1, RATE)
            packets += audio.encode(sound)
        packets += audio.encode(None)
        for packet in sorted(packets, key=lambda packet: packet.dts * packet.time_base):
            moment = float(packet.dts * packet.time_base)
            shift = round((clock(moment) - moment) / packet.time_base)
            packet.pts, packet.dts = packet.pts + shift, packet.dts + shift
            container.mux(packet)
    return path


def multiplexed(path: Path, stations: list[Path]) -> Path:
    """Write one transport stream with several programs, numbered from 1; the last comes first."""
    association = _association_packet(range(len(stations), 0, -1))
    parts = []
    for station in reversed(stations):
        data = station.read_bytes()
        packets = [data[at : at + _PACKET_BYTES] for at in range(0, len(data), _PACKET_BYTES)]
        parts.append([packet for packet in packets if int.from_bytes(packet[1:3], "big") & 0x1FFF])
    with path.open("wb") as file:
        for number, row in enumerate(zip_longest(*parts, fillvalue=b"")):
            if number % 40 == 0:
                counter = number // 40 % 16
                file.write(association[:3] + bytes([0x10 | counter]) + association[4:])
            file.writelines(row)
    return path


def _association_packet(programs: range) -> bytes:
    body = b"\0\1\xc1\0\0"
    for number in programs:
        body += number.to_bytes(2, "big") + (0xE000 | 4096 + number).to_bytes(2, "big")
    section = b"\0" + (0xB000 | len(body) + 4).to_bytes(2, "big") + body
    section += _checksum(section).to_bytes(4, "big")
    return (b"\x47\x40\0\x10\0" + section).ljust(_PACKET_BYTES, b"\xff")


def _checksum(data: bytes) -> int:
    remainder = 0xFFFFFFFF
    for byte in data:
        remainder ^= byte << 24
        for _ in range(8):
            high = remainder & 0x80000000
            remainder = (remainder << 1 & 0xFFFFFFFF) ^ (0x04C11DB7 if high else 0)
    return remainder
