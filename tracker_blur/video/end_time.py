"""When a video ends, read without decoding, for times that may lie after that."""

from __future__ import annotations

from collections import defaultdict
from fractions import Fraction
from typing import TYPE_CHECKING

import av

from tracker_blur.video import ogg_chain
from tracker_blur.video.opening import open_input, video_stream

if TYPE_CHECKING:
    from pathlib import Path


def end_before(path: Path, seconds: Fraction) -> Fraction | None:
    """Return when a video with its audio ends, if that is before a time.

    The whole file is read only if it says so, or says nothing.

    Args:
        path: the video.
        seconds: the time, in seconds since the first frame.

    Returns:
        The end in seconds since the first frame; None: it is not before that time, or not known.

    Raises:
        SourceError: The file is missing or no video.
    """
    with open_input(path) as container:
        if ogg_chain.is_link(container):
            return None
        if container.duration and Fraction(container.duration, av.time_base) > seconds:
            return None
        stream = video_stream(container, path)
        first: Fraction | None = None
        last = Fraction(0)
        # Where a clock starts again in the middle, as in joined recordings, the sum says more.
        sums: defaultdict[int, Fraction] = defaultdict(Fraction)
        try:
            for packet in container.demux(*container.streams.video, *container.streams.audio):
                if packet.pts is None or packet.time_base is None:
                    continue
                lasts = (packet.duration or 0) * packet.time_base
                begin = packet.pts * packet.time_base
                if packet.stream is stream and not packet.is_discard:
                    first = begin if first is None else min(first, begin)
                last = max(last, begin + lasts)
                sums[packet.stream.index] += lasts
        except (av.FFmpegError, OSError, IndexError):
            return None  # reading it will fail with the reason
    if first is None:
        return None
    end = max(last - first, *sums.values())
    return end if end < seconds else None
