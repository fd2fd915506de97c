"""The times of a video's frames, read without decoding any."""

from __future__ import annotations

from typing import TYPE_CHECKING

import av
import numpy as np
import numpy.typing as npt

from tracker_blur.video.opening import open_input, video_stream

if TYPE_CHECKING:
    from pathlib import Path

_A_PACKET_A_FRAME = {"mp4", "matroska"}  # which their demuxers guarantee; so do their muxers


def frame_times(path: Path) -> npt.NDArray[np.float64] | None:
    """Return when each frame is shown, in seconds, ascending, shape (frames,).

    None: only decoding can tell, because the format is neither MP4, MOV, Matroska nor WebM, or the
    file is damaged.

    Raises:
        SourceError: The file is missing or no video.
    """
    with open_input(path) as container:
        if not _A_PACKET_A_FRAME.intersection(container.format.name.split(",")):
            return None
        stream = video_stream(container, path)
        try:
            packets = [packet for packet in container.demux(stream) if packet.size]
        except (av.FFmpegError, OSError, IndexError):
            return None
        shown = [packet.pts for packet in packets if not packet.is_discard]
        if stream.time_base is None or None in shown:
            return None
        ticks = np.sort(np.array(shown, np.int64))
        return np.asarray(ticks * float(stream.time_base), np.float64)
