"""StatedOrientation: the orientation that each frame states, read without keeping its pixels."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tracker_blur.video import stream_info

if TYPE_CHECKING:
    import av

    from tracker_blur.core.frame import Orientation


class StatedOrientation:
    """Reads how the frames of one track are to be turned.

    In PyAV, a frame and the table of its side data refer to each other. So each frame whose table
    is read stays in memory until Python's garbage collector comes by, dozens of frames later. The
    angle alone can be read without the table, which is read only where the angle changes; it also
    tells whether frames are mirrored. Key frames and those between are distinguished: in a video
    that repeats the statement in key frames only, the angle would change twice for each of them.
    """

    def __init__(self) -> None:
        self._known: dict[bool, tuple[int | None, Orientation | None]] = {}

    def of(self, frame: av.VideoFrame) -> Orientation | None:
        """Return what the next frame states; None: nothing."""
        angle = _angle(frame)
        known = self._known.get(frame.key_frame)
        if known is None or known[0] != angle:
            matrix = stream_info.display_matrix(frame)
            known = angle, None if matrix is None else stream_info.orientation(matrix)
            self._known[frame.key_frame] = known
        return known[1]


def _angle(frame: av.VideoFrame) -> int | None:
    """Return by how many degrees a frame is to be turned; None for what is no rotation."""
    try:
        return frame.rotation
    except ValueError:  # of a matrix of zeros
        return None
