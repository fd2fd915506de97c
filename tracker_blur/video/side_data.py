"""Takes out of decoded frames what their pixels do not need, and what PyAV cannot read.

Some encoders write what a frame carries into its copy: those of PNG and Motion JPEG its color
profile, which may name people, and EXIF, which states the place; those of some graphics cards the
time of day. So it goes, right after decoding.

PyAV must not even look at a color profile: it frees the profile's name, and so does FFmpeg. A kind
that PyAV does not know makes all others unreadable.
"""

from __future__ import annotations

from fractions import Fraction
from typing import TYPE_CHECKING

from av.filter import Graph
from av.sidedata.sidedata import Type

if TYPE_CHECKING:
    import av

_IDENTIFYING = (Type.ICC_PROFILE, Type.GOP_TIMECODE, Type.S12M_TIMECODE, Type.SEI_UNREGISTERED)
_KINDS = 48  # that FFmpeg may define; version 8 has 33, numbered without gaps
_ANY_TIME_BASE = Fraction(1, 1000)  # the graph passes times on as they are


class SideDataFilter:
    """Removes side data from the frames of one track.

    What is kept: captions, orientation, pixels' meaning (HDR, stereo), and whatever else PyAV knows
    and no encoder writes.
    """

    def __init__(self) -> None:
        self._graph: Graph | None = None
        self._form: tuple[object, ...] = ()

    def clean(self, frame: av.VideoFrame) -> av.VideoFrame:
        """Return the same pixels without this side data; raises av.FFmpegError."""
        time_base = frame.time_base or _ANY_TIME_BASE
        form = frame.width, frame.height, frame.format.name, time_base
        if self._graph is None or form != self._form:
            self._graph, self._form = _graph(frame, time_base), form
        self._graph.vpush(frame)
        return self._graph.vpull()


def _graph(frame: av.VideoFrame, time_base: Fraction) -> Graph:
    graph = Graph()
    kept: set[object] = {kind.value for kind in Type if kind not in _IDENTIFYING}
    removed = [number for number in range(_KINDS) if number not in kept]
    nodes = [
        graph.add_buffer(
            width=frame.width, height=frame.height, format=frame.format, time_base=time_base
        ),
        *(graph.add("sidedata", f"mode=delete:type={number}") for number in removed),
        graph.add("buffersink"),
    ]
    graph.link_nodes(*nodes).configure()
    return graph
