"""Rewrites videos without redaction, and reads back what was written."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Any

import av

from tracker_blur.core.frame import RedactedFrame
from tracker_blur.settings import Settings
from tracker_blur.video import pixel_formats
from tracker_blur.video.reader import VideoReader
from tracker_blur.video.writer import VideoWriter

if TYPE_CHECKING:
    from fractions import Fraction
    from pathlib import Path

    from tracker_blur.video.frame import DecodedFrame


def read_frames(path: Path, **options: Any) -> list[DecodedFrame]:
    with VideoReader(path, **options) as source:
        return list(source)


def rewrite(source: Path, target: Path, **settings: Any) -> Path:
    """Read a video and write it, unredacted."""
    partial = settings.get("partial", False)
    with (
        VideoReader(source, partial=partial) as frames,
        VideoWriter(target, source, frames, Settings(**settings)) as sink,
    ):
        for frame in frames:
            sink.write(RedactedFrame(frame))
    return target


def seconds(ticks: int | None, time_base: Fraction | None) -> Fraction:
    """Return a time that must be known, in seconds."""
    assert ticks is not None
    assert time_base is not None
    return ticks * time_base


def times(path: Path) -> list[Fraction]:
    """Return the frames' times in seconds, as a plain decoder gives them."""
    with av.open(str(path)) as container:
        return [seconds(frame.pts, frame.time_base) for frame in container.decode(video=0)]


def first_frame(path: Path) -> av.VideoFrame:
    with av.open(str(path)) as container:
        return next(container.decode(video=0))


def packets(path: Path, kind: str, number: int = 0) -> list[tuple[Fraction, bytes]]:
    """Return (time in seconds, payload) of each packet of a track with content."""
    with av.open(str(path)) as container:
        stream = [stream for stream in container.streams if stream.type == kind][number]
        return [
            (seconds(packet.pts, packet.time_base), bytes(packet))
            for packet in container.demux(stream)
            if packet.size and bytes(packet) != b"\0\0"
        ]


def all_samples(path: Path) -> list[list[Any]]:
    with VideoReader(path) as source:
        return [
            [plane.samples.copy() for plane in pixel_formats.planes(frame.av_frame)]
            for frame in source
        ]


def fingerprint(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def names(folder: Path) -> list[str]:
    return sorted(entry.name for entry in folder.iterdir())
