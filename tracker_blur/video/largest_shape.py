"""Which of a video's shapes is the largest: all frames are fitted into it.

Calls and streams often begin small. Fitted into their first frame, later ones would lose what a
detector needs to see in them, and what the viewer had.
"""

from __future__ import annotations

from contextlib import suppress
from dataclasses import replace
from fractions import Fraction
from typing import TYPE_CHECKING

import av

from tracker_blur.video import stream_info
from tracker_blur.video.fitting import Shape
from tracker_blur.video.side_data import SideDataFilter

if TYPE_CHECKING:
    from collections.abc import Iterator

    from av.container import InputContainer
    from av.video.stream import VideoStream

    from tracker_blur.video.frame_limit import FrameLimit

_STEP_SECONDS = Fraction(1, 4)  # between the key frames that are decoded, at least
_LARGER = Fraction(101, 100)


def largest_shape(
    container: InputContainer, stream: VideoStream, limit: FrameLimit
) -> Shape | None:
    """Return the shape of the largest frame, as shown, in the orientation of the first.

    Shapes change at key frames. At most four of them are decoded for each second of the video: a
    few percent of all frames, or a sixth where each is a key frame.

    Args:
        container: The file, at its start.
        stream: The track.
        limit: How large a frame may be.
    """
    first = best = None
    limit.restrict(stream.codec_context)
    for shape in _key_shapes(container, stream):
        if first is None or best is None:
            first = best = shape
        elif _area(shape) > _area(best) * _LARGER:
            best = shape
    if first is None or best is None or best is first:
        return first
    if best.orientation.swaps_sides != first.orientation.swaps_sides:
        best = Shape(best.size[::-1], 1 / best.pixel_aspect, first.orientation)
    return replace(best, orientation=first.orientation)


def _area(shape: Shape) -> Fraction:
    return shape.size[0] * shape.pixel_aspect * shape.size[1]


def _key_shapes(container: InputContainer, stream: VideoStream) -> Iterator[Shape]:
    decoder = stream.codec_context
    decoder.thread_count = 1
    stream_aspect = stream.sample_aspect_ratio or Fraction(1)
    correction: Fraction | None = None
    last: int | None = None
    side_data = SideDataFilter()
    # What cannot be read or decoded here is reported when all frames are.
    with suppress(av.FFmpegError, OSError, IndexError):
        for packet in container.demux(stream):
            is_soon = (
                last is not None
                and packet.pts is not None
                and 0 <= (packet.pts - last) * packet.time_base < _STEP_SECONDS
            )
            if not packet.is_keyframe or not packet.size or is_soon:
                continue
            last = packet.pts
            frames = []
            with suppress(av.FFmpegError):
                frames = [*decoder.decode(packet), *decoder.decode(None)]
            decoder.flush_buffers()
            for frame in map(side_data.clean, frames):
                aspect = decoder.sample_aspect_ratio or Fraction(1)
                if correction is None:
                    correction = stream_aspect / aspect
                yield Shape(
                    (frame.width, frame.height),
                    aspect * correction,
                    stream_info.orientation(stream_info.display_matrix(frame)),
                )
