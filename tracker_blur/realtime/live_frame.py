"""Live frames: captured frames of any format, converted to the one format of the session."""

from __future__ import annotations

from fractions import Fraction

import av
from av.video.frame import PictureType
from av.video.reformatter import ColorRange, Colorspace, Interpolation, VideoReformatter

from tracker_blur.core.frame import Orientation
from tracker_blur.realtime.delivery import TIME_BASE
from tracker_blur.video import pixel_formats, stream_info
from tracker_blur.video.frame import DecodedFrame, Scaler
from tracker_blur.video.pixel_formats import reformat

PIXEL_FORMAT = "yuv420p"
_BLACK = 16, 128, 128
_BT709 = 1  # ITU-T H.273, table 4


class LiveFrame(DecodedFrame):
    """An upright frame in 8-bit YUV 4:2:0, in memory of its own that never moves.

    Attributes:
        captured_at: `time.monotonic()` when it was captured.
    """

    def __init__(
        self, av_frame: av.VideoFrame, index: int, scaler: Scaler, captured_at: float
    ) -> None:
        super().__init__(av_frame, index, Orientation.UPRIGHT, scaler)
        self.captured_at = captured_at
        self.planes()  # now: another thread may copy them while they are redacted

    def set_seconds(self, seconds: float) -> None:
        """Change the time at which it is shown."""
        _set_time(self.av_frame, seconds)
        self.pts = round(Fraction(seconds) / TIME_BASE)

    def copy(self, seconds: float) -> LiveFrame:
        """Return a copy of its current content, to be shown at another time."""
        av_frame = _empty_like(self.av_frame, self.size)
        for source, target in zip(self.planes(), pixel_formats.planes(av_frame), strict=True):
            target.samples[...] = source.samples
        _set_time(av_frame, seconds)
        return LiveFrame(av_frame, self.index, self._scaler, self.captured_at)


class LiveFrameConverter:
    """Converts captured frames to live frames of one size.

    Args:
        size: (width, height) in pixels; None: the first frame's. Odd sides lose their last row.
    """

    def __init__(self, size: tuple[int, int] | None) -> None:
        self.size = None if size is None else _even(size)
        self._reformatter = VideoReformatter()
        self._scaler = Scaler()
        self._count = 0

    def convert(self, av_frame: av.VideoFrame, seconds: float, captured_at: float) -> LiveFrame:
        """Return a captured frame as a live frame, turned upright, scaled and padded."""
        orientation = stream_info.orientation(stream_info.display_matrix(av_frame))
        if orientation is not Orientation.UPRIGHT:
            size = av_frame.width // 2 * 2, av_frame.height // 2 * 2
            av_frame = _upright(self._reformatted(av_frame, size), orientation)
        if self.size is None:
            self.size = _even((av_frame.width, av_frame.height))
        inner = _fitting((av_frame.width, av_frame.height), self.size)
        av_frame = self._reformatted(av_frame, inner)
        if inner != self.size:
            av_frame = _padded(av_frame, self.size)
        av_frame.pict_type = PictureType.NONE  # or an encoder would repeat the sender's key frames
        av_frame.make_writable()
        _set_time(av_frame, seconds)
        self._count += 1
        return LiveFrame(av_frame, self._count - 1, self._scaler, captured_at)

    def _reformatted(self, av_frame: av.VideoFrame, size: tuple[int, int]) -> av.VideoFrame:
        """Return the frame at this size, in limited-range 8-bit YUV 4:2:0."""
        is_rgb = av_frame.format.is_rgb
        is_full_range = is_rgb or (
            av_frame.format.name.startswith("yuvj") or av_frame.color_range == ColorRange.JPEG
        )
        form = av_frame.width, av_frame.height, av_frame.format.name
        if form == (*size, PIXEL_FORMAT) and not is_full_range:
            return av_frame
        converted = reformat(
            self._reformatter,
            av_frame,
            size,
            PIXEL_FORMAT,
            src_color_range=ColorRange.JPEG if is_full_range else ColorRange.MPEG,
            dst_color_range=ColorRange.MPEG,
            dst_colorspace=Colorspace.ITU709 if is_rgb else None,
            interpolation=Interpolation.BILINEAR,
        )
        converted.color_range = ColorRange.MPEG
        if is_rgb:
            converted.colorspace = _BT709
        return converted


def _even(size: tuple[int, int]) -> tuple[int, int]:
    return max(2, size[0] // 2 * 2), max(2, size[1] // 2 * 2)


def _fitting(size: tuple[int, int], into: tuple[int, int]) -> tuple[int, int]:
    """Return the largest size with even sides and the same aspect ratio that fits into another."""
    if _even(size) == into:
        return into
    ratio = min(into[0] / size[0], into[1] / size[1])
    width, height = _even((round(size[0] * ratio), round(size[1] * ratio)))
    return min(width, into[0]), min(height, into[1])


def _upright(av_frame: av.VideoFrame, orientation: Orientation) -> av.VideoFrame:
    size = av_frame.width, av_frame.height
    turned = _empty_like(av_frame, size[::-1] if orientation.swaps_sides else size)
    sources, targets = pixel_formats.planes(av_frame), pixel_formats.planes(turned)
    for source, target in zip(sources, targets, strict=True):
        target.samples[...] = orientation.upright(source.samples)
    return turned


def _padded(av_frame: av.VideoFrame, size: tuple[int, int]) -> av.VideoFrame:
    """Return the frame in the middle of a black one."""
    padded = _empty_like(av_frame, size)
    left = (size[0] - av_frame.width) // 4 * 2
    top = (size[1] - av_frame.height) // 4 * 2
    sources, targets = pixel_formats.planes(av_frame), pixel_formats.planes(padded)
    for source, target, black in zip(sources, targets, _BLACK, strict=True):
        height, width = source.samples.shape
        x, y = left // target.x_step, top // target.y_step
        target.samples[...] = black
        target.samples[y : y + height, x : x + width] = source.samples
    return padded


def _empty_like(av_frame: av.VideoFrame, size: tuple[int, int]) -> av.VideoFrame:
    """Return a new frame of this size with the color tags of another."""
    new = av.VideoFrame(*size, PIXEL_FORMAT)
    new.colorspace, new.color_range = av_frame.colorspace, av_frame.color_range
    new.color_primaries, new.color_trc = av_frame.color_primaries, av_frame.color_trc
    return new


def _set_time(av_frame: av.VideoFrame, seconds: float) -> None:
    av_frame.time_base = TIME_BASE
    av_frame.pts = round(Fraction(seconds) / TIME_BASE)
