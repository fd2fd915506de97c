"""Clips that last, for whoever waits for something to happen in them."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import av

from tests.waiting import PATIENCE_SECONDS


def swinging(clip: Path, target: Path, seconds: float = PATIENCE_SECONDS) -> Path:
    """Write a clip's pictures to and fro, over and over, for at least so long.

    Nothing in it jumps, and a key picture comes often.
    """
    with av.open(str(clip)) as reader, av.open(str(target), "w") as writer:
        (source,) = reader.streams.video
        rate = Fraction(source.average_rate or 25)
        options = {"preset": "ultrafast", "tune": "zerolatency", "crf": "16", "g": "6"}
        stream = writer.add_stream("libx264", rate, options=options)
        stream.width, stream.height, stream.pix_fmt = source.width, source.height, "yuv420p"
        stream.time_base = 1 / rate
        there = list(reader.decode(source))
        packets = []
        for index, frame in enumerate([*there, *there[-2:0:-1]]):
            picture = frame.reformat(format="yuv420p")
            picture.pts, picture.time_base = index, 1 / rate
            picture.pict_type = av.video.frame.PictureType.NONE
            packets += stream.encode(picture)
        packets += stream.encode(None)
        turns = 1 + int(seconds * rate / len(packets))
        for turn in range(turns):
            for number, packet in enumerate(packets):
                again = av.Packet(bytes(packet))
                again.stream, again.time_base = stream, 1 / rate
                again.pts = again.dts = turn * len(packets) + number
                again.is_keyframe = packet.is_keyframe
                writer.mux(again)
    return target


def place(index: int, count: int) -> int:
    """Return which of so many pictures of a clip comes as this one, where it swings."""
    way = index % (2 * (count - 1))
    return min(way, 2 * (count - 1) - way)
