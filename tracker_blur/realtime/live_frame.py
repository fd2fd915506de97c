"""Arrival: a picture as it came, in the one form that all pictures of a session have."""

from __future__ import annotations

from fractions import Fraction

import av
from av.video.frame import PictureType
from av.video.reformatter import ColorRange, Colorspace, Interpolation, VideoReformatter

from tracker_blur.core.frame import Orientation
from tracker_blur.realtime.delivery import TIME_BASE
from tracker_blur.video import pixel_formats, stream_info
from tracker_blur.video.frame import DecodedFrame, Scaler
from tracker_blur.video.pixel_formats import reformatted

PIXEL_FORMAT = "yuv420p"
_BLACK = 16, 128, 128
_BT709 = 1  # ITU-T H.273, table 4


class LiveFrame(DecodedFrame):
    """A frame in 8 bit YUV 4:2:0, upright, in memory of its own that never moves.

    arrived  `time.monotonic()` when it was at hand
    """

    def __init__(self, picture: av.VideoFrame, index: int, scaler: Scaler, arrived: float) -> None:
        super().__init__(picture, index, Orientation.UPRIGHT, scaler)
        self.arrived = arrived
        self.planes()  # another thread may copy them while they are redacted

    def set_seconds(self, seconds: float) -> None:
        """Have it shown at another time."""
        _set_time(self.picture, seconds)
        self.pts = round(Fraction(seconds) / TIME_BASE)

    def copy(self, seconds: float) -> LiveFrame:
        """Return a copy of it as it is now, to be shown at another time."""
        picture = _like(self.picture, self.size)
        for source, target in zip(self.planes(), pixel_formats.planes(picture), strict=True):
            target.samples[...] = source.samples
        _set_time(picture, seconds)
        return LiveFrame(picture, self.index, self._scaler, self.arrived)


class LiveFrameConverter:
    """Makes arrivals of all kinds of pictures; the first one's size is that of all.

    size  (width, height) in pixels; None: as the first picture's. Odd sides lose their last row.
    """

    def __init__(self, size: tuple[int, int] | None) -> None:
        self.size = None if size is None else _even(size)
        self._reformatter = VideoReformatter()
        self._scaler = Scaler()
        self._count = 0

    def arrival(self, picture: av.VideoFrame, seconds: float, arrived: float) -> LiveFrame:
        """Return a picture in that form; a picture of another size is scaled and padded."""
        orientation = stream_info.orientation(stream_info.display_matrix(picture))
        if orientation is not Orientation.UPRIGHT:
            size = picture.width // 2 * 2, picture.height // 2 * 2
            picture = _upright(self._converted(picture, size), orientation)
        if self.size is None:
            self.size = _even((picture.width, picture.height))
        inner = _fitting((picture.width, picture.height), self.size)
        picture = self._converted(picture, inner)
        if inner != self.size:
            picture = _padded(picture, self.size)
        picture.pict_type = PictureType.NONE  # an encoder would repeat the sender's key frames
        picture.make_writable()
        _set_time(picture, seconds)
        self._count += 1
        return LiveFrame(picture, self._count - 1, self._scaler, arrived)

    def _converted(self, picture: av.VideoFrame, size: tuple[int, int]) -> av.VideoFrame:
        """Return the picture at this size, in 8 bit YUV 4:2:0 with the range of video."""
        is_rgb = picture.format.is_rgb
        is_full = is_rgb or (
            picture.format.name.startswith("yuvj") or picture.color_range == ColorRange.JPEG
        )
        form = picture.width, picture.height, picture.format.name
        if form == (*size, PIXEL_FORMAT) and not is_full:
            return picture
        converted = reformatted(
            self._reformatter,
            picture,
            size,
            PIXEL_FORMAT,
            src_color_range=ColorRange.JPEG if is_full else ColorRange.MPEG,
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
    """Return a size with even sides and the same proportions that fits into another."""
    if _even(size) == into:
        return into
    ratio = min(into[0] / size[0], into[1] / size[1])
    width, height = _even((round(size[0] * ratio), round(size[1] * ratio)))
    return min(width, into[0]), min(height, into[1])


def _upright(picture: av.VideoFrame, orientation: Orientation) -> av.VideoFrame:
    size = picture.width, picture.height
    turned = _like(picture, size[::-1] if orientation.swaps_sides else size)
    sources, targets = pixel_formats.planes(picture), pixel_formats.planes(turned)
    for source, target in zip(sources, targets, strict=True):
        target.samples[...] = orientation.upright(source.samples)
    return turned


def _padded(picture: av.VideoFrame, size: tuple[int, int]) -> av.VideoFrame:
    """Return the picture in the middle of a black one."""
    padded = _like(picture, size)
    left = (size[0] - picture.width) // 4 * 2
    top = (size[1] - picture.height) // 4 * 2
    sources, targets = pixel_formats.planes(picture), pixel_formats.planes(padded)
    for source, target, black in zip(sources, targets, _BLACK, strict=True):
        height, width = source.samples.shape
        x, y = left // target.x_step, top // target.y_step
        target.samples[...] = black
        target.samples[y : y + height, x : x + width] = source.samples
    return padded


def _like(picture: av.VideoFrame, size: tuple[int, int]) -> av.VideoFrame:
    """Return a new picture of this size, tagged as the other."""
    new = av.VideoFrame(*size, PIXEL_FORMAT)
    new.colorspace, new.color_range = picture.colorspace, picture.color_range
    new.color_primaries, new.color_trc = picture.color_primaries, picture.color_trc
    return new


def _set_time(picture: av.VideoFrame, seconds: float) -> None:
    picture.time_base = TIME_BASE
    picture.pts = round(Fraction(seconds) / TIME_BASE)
