"""Clips that last, for tests that wait for something to happen in them."""

from __future__ import annotations

import itertools
from fractions import Fraction
from typing import TYPE_CHECKING

import av

from tests.waiting import PATIENCE_SECONDS

if TYPE_CHECKING:
    from pathlib import Path


def first_frames(clip: Path, target: Path, count: int, size: tuple[int, int] | None = None) -> Path:
    """Write the first frames of a clip, hardly changed by encoding, at its size or another one."""
    with av.open(str(clip)) as reader, av.open(str(target), "w") as writer:
        (source,) = reader.streams.video
        stream = writer.add_stream(
            "libx264", source.average_rate, options={"preset": "ultrafast", "crf": "12"}
        )
        stream.width, stream.height = size or (source.width, source.height)
        stream.pix_fmt = "yuv420p"
        for frame in itertools.islice(reader.decode(source), count):
            resized = frame.reformat(stream.width, stream.height, "yuv420p")
            resized.pict_type = av.video.frame.PictureType.NONE
            writer.mux(stream.encode(resized))
        writer.mux(stream.encode(None))
    return target


def swinging(clip: Path, target: Path, seconds: float = PATIENCE_SECONDS) -> Path:
    """Write a clip's frames forward and backward, again and again, for at least this long.

    It has no cut, and many key frames.
    """
    with av.open(str(clip)) as reader, av.open(str(target), "w") as writer:
        (source,) = reader.streams.video
        rate = Fraction(source.average_rate or 25)
        options = {"preset": "ultrafast", "tune": "zerolatency", "crf": "16", "g": "6"}
        stream = writer.add_stream("libx264", rate, options=options)
        stream.width, stream.height, stream.pix_fmt = source.width, source.height, "yuv420p"
        stream.time_base = 1 / rate
        forward = list(reader.decode(source))
        packets = []
        for index, frame in enumerate([*forward, *forward[-2:0:-1]]):
            converted = frame.reformat(format="yuv420p")
            converted.pts, converted.time_base = index, 1 / rate
            converted.pict_type = av.video.frame.PictureType.NONE
            packets += stream.encode(converted)
        packets += stream.encode(None)
        repeats = 1 + int(seconds * rate / len(packets))
        for repeat in range(repeats):
            for number, packet in enumerate(packets):
                copy = av.Packet(bytes(packet))
                copy.stream, copy.time_base = stream, 1 / rate
                copy.pts = copy.dts = repeat * len(packets) + number
                copy.is_keyframe = packet.is_keyframe
                writer.mux(copy)
    return target


def swinging_index(index: int, count: int) -> int:
    """Return which of a clip's `count` frames is at this index of its swinging version."""
    position = index % (2 * (count - 1))
    return min(position, 2 * (count - 1) - position)
