"""GifEncoder: encodes frames into an animated GIF, each with a palette of its own."""

from __future__ import annotations

from fractions import Fraction
from typing import TYPE_CHECKING

import av
import numpy as np
from av.filter import Graph
from av.video.format import VideoFormat
from av.video.reformatter import Interpolation, VideoReformatter

from tracker_blur.video import pixel_formats, stream_info

if TYPE_CHECKING:
    from av.container import OutputContainer
    from av.packet import Packet
    from av.video.stream import VideoStream

    from tracker_blur.video.stream_info import VideoTrack

_TICK = Fraction(1, 100)  # GIF89a counts delays in hundredths of a second
_SHORTEST_DELAY = 2  # viewers show shorter ones as 10


class GifEncoder:
    """The only track of a GIF: upright, square pixels, at most 50 frames per second.

    GIF has neither rotation nor pixel aspect, so frames are turned and scaled. Frames that come too
    fast are dropped. An alpha channel becomes one bit deep.

    Attributes:
        stream: The track in the output.
    """

    def __init__(self, output: OutputContainer, track: VideoTrack) -> None:
        self._track = track
        self._orientation = stream_info.orientation(track.matrix)
        width, height = track.size
        if track.pixel_aspect > 1:
            height = round(height / track.pixel_aspect)
        else:
            width = round(width * track.pixel_aspect)
        self._stored_size = max(1, width), max(1, height)
        size = self._stored_size[::-1] if self._orientation.swaps_sides else self._stored_size
        self._reformatter = VideoReformatter()
        self._graph = _palette_graph(size)
        self._last_pts: int | None = None
        self.stream: VideoStream = output.add_stream("gif", rate=track.rate)
        self.stream.width, self.stream.height = size
        self.stream.pix_fmt = "pal8"
        self.stream.codec_context.time_base = self.stream.time_base = _TICK

    def encode(self, frame: av.VideoFrame) -> list[Packet[VideoStream]]:
        """Encode one frame, and return the packets that are ready."""
        seconds = (frame.pts or 0) * self._track.time_base - self._track.clock_start
        pts = round(seconds / _TICK)
        if self._last_pts is not None and pts - self._last_pts < _SHORTEST_DELAY:
            return []
        self._last_pts = pts
        upright = self._upright(frame)
        upright.pts, upright.time_base = pts, _TICK
        self._graph.vpush(upright)
        return self._drain()

    def finish(self) -> list[Packet[VideoStream]]:
        """Return the packets that were still held back."""
        self._graph.vpush(None)
        return self._drain() + self.stream.encode(None)

    def _upright(self, frame: av.VideoFrame) -> av.VideoFrame:
        rgba = pixel_formats.reformat(
            self._reformatter,
            frame,
            self._stored_size,
            "rgba",
            interpolation=Interpolation.BICUBIC,
        )
        pixels = self._orientation.upright(rgba.to_ndarray())
        return av.VideoFrame.from_ndarray(np.ascontiguousarray(pixels), "rgba")

    def _drain(self) -> list[Packet[VideoStream]]:
        packets: list[Packet[VideoStream]] = []
        while True:
            try:
                frame = self._graph.vpull()
            except (av.BlockingIOError, av.EOFError):
                return packets
            frame.pict_type = 0
            packets.extend(self.stream.encode(frame))


def _palette_graph(size: tuple[int, int]) -> Graph:
    graph = Graph()
    source = graph.add_buffer(
        width=size[0], height=size[1], format=VideoFormat("rgba"), time_base=_TICK
    )
    split = graph.add("split")
    palette = graph.add("palettegen", "stats_mode=single")
    mapped = graph.add("paletteuse", "new=1")
    source.link_to(split)
    split.link_to(palette, 0, 0)
    split.link_to(mapped, 1, 0)
    palette.link_to(mapped, 0, 1)
    mapped.link_to(graph.add("buffersink"))
    graph.configure()
    return graph
