"""Live frames: captured frames of any format, converted to the one format of the session."""

from __future__ import annotations

import math
from dataclasses import dataclass
from fractions import Fraction
from typing import Literal, TypeAlias

import av
from av.video.frame import PictureType
from av.video.reformatter import ColorRange, Colorspace, Interpolation, VideoReformatter

from tracker_blur.core.frame import Orientation
from tracker_blur.realtime.delivery import TIME_BASE, UNTAGGED
from tracker_blur.video import pixel_formats
from tracker_blur.video.frame import DecodedFrame, Scaler
from tracker_blur.video.pixel_formats import nearest_native, reformat, untagged_matrix
from tracker_blur.video.stated_orientation import StatedOrientation
from tracker_blur.video.stream_info import ColorTags

PIXEL_FORMAT = "yuv420p"
_BLACK = 16, 128, 128
_SQUARE = Fraction(1)
_MAX_SIDE_PX = 8192  # of frames whose pixels are made square

Matrix: TypeAlias = Literal["bt601", "bt709", "bt2020"]

# ITU-T H.273, tables 2 to 4
_UNSPECIFIED = 2
_MATRIX_OF_TAG: dict[int, Matrix] = {1: "bt709", 5: "bt601", 6: "bt601", 9: "bt2020"}
_TAG_OF_MATRIX = {"bt709": 1, "bt601": 6, "bt2020": 9}
_SWSCALE_MATRIX = {**pixel_formats.SWSCALE_MATRIX, "bt2020": Colorspace.BT2020}


class LiveFrame(DecodedFrame):
    """An upright frame in 8-bit YUV 4:2:0, in memory of its own that never moves.

    Attributes:
        captured_at: `time.monotonic()` when it was captured.
        form: How often the captured frames have changed their form so far: size, pixel aspect or
            rotation; a source that was reconnected counts as another form.
    """

    def __init__(
        self, av_frame: av.VideoFrame, index: int, scaler: Scaler, captured_at: float, form: int
    ) -> None:
        super().__init__(av_frame, index, Orientation.UPRIGHT, scaler)
        self.captured_at = captured_at
        self.form = form
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
        return LiveFrame(av_frame, self.index, self._scaler, self.captured_at, self.form)


class LiveFrameConverter:
    """Converts captured frames to live frames of one size, with square pixels and one color.

    Attributes:
        size: (width, height) in pixels; known once a frame came.
        color: What the samples of all frames mean, as the first frame's tags say. YUV without tags
            is tagged with what its height makes a player assume; so is RGB.

    Args:
        size: (width, height) in pixels; None: the first frame's. Odd sides lose their last row.
    """

    def __init__(self, size: tuple[int, int] | None) -> None:
        self.size = None if size is None else _even(size)
        self.color = UNTAGGED
        self._reformatter = VideoReformatter()
        self._scaler = Scaler()
        self._count = self._form_count = 0
        self._form: object = None
        self._stated_orientation = StatedOrientation()

    def restart(self) -> None:
        """Count the next frame as one of another form: the source was reconnected."""
        self._form = None
        self._stated_orientation = StatedOrientation()

    def convert(
        self,
        av_frame: av.VideoFrame,
        seconds: float,
        captured_at: float,
        pixel_aspect: Fraction = _SQUARE,
    ) -> LiveFrame:
        """Return a captured frame as a live frame, turned upright, scaled and padded.

        Args:
            av_frame: The frame, which may be changed.
            seconds: When to show it, on the session's clock.
            captured_at: `time.monotonic()` when it was captured.
            pixel_aspect: Width of a stored pixel over its height.
        """
        orientation = self._stated_orientation.of(av_frame) or Orientation.UPRIGHT
        form = av_frame.width, av_frame.height, pixel_aspect, orientation
        self._form_count += form != self._form
        self._form = form
        shape = _square(av_frame.width, av_frame.height, pixel_aspect)
        if orientation.swaps_sides:
            shape = shape[::-1]
        if self.size is None:
            self.size = _even(shape)
        meaning = _Meaning.of(av_frame)
        if not self._count:
            self.color = meaning.tags(av_frame, self.size[1])
        inner = _fitting(shape, self.size)
        stored = inner[::-1] if orientation.swaps_sides else inner
        av_frame = self._reformatted(av_frame, meaning, stored)
        if orientation is not Orientation.UPRIGHT:
            av_frame = _upright(av_frame, orientation)
        if inner != self.size:
            av_frame = _padded(av_frame, self.size)
        av_frame.pict_type = PictureType.NONE  # or an encoder would repeat the sender's key frames
        av_frame.make_writable()
        _set_time(av_frame, seconds)
        self._count += 1
        return LiveFrame(av_frame, self._count - 1, self._scaler, captured_at, self._form_count)

    def _reformatted(
        self, av_frame: av.VideoFrame, meaning: _Meaning, size: tuple[int, int]
    ) -> av.VideoFrame:
        """Return the frame at this size, in limited-range 8-bit YUV 4:2:0, of our color."""
        matrix = _MATRIX_OF_TAG[self.color.matrix]
        form = av_frame.width, av_frame.height, av_frame.format.name
        is_as_wanted = not meaning.is_full_range and meaning.matrix in (matrix, None)
        if form != (*size, PIXEL_FORMAT) or not is_as_wanted:
            av_frame = reformat(
                self._reformatter,
                av_frame,
                size,
                PIXEL_FORMAT,
                src_color_range=ColorRange.JPEG if meaning.is_full_range else ColorRange.MPEG,
                dst_color_range=ColorRange.MPEG,
                src_colorspace=_SWSCALE_MATRIX[meaning.matrix or matrix],
                dst_colorspace=_SWSCALE_MATRIX[matrix],
                interpolation=Interpolation.BILINEAR,
            )
        color = self.color
        av_frame.color_primaries, av_frame.color_trc = color.primaries, color.transfer
        av_frame.colorspace, av_frame.color_range = color.matrix, color.range
        return av_frame


class FormChanges:
    """Tells which frames come soon after the frames have changed their form.

    Faces in them are where no one expects them, and may not be detected at once.

    Args:
        settle_seconds: What is soon.
    """

    def __init__(self, settle_seconds: float) -> None:
        self._settle_seconds = settle_seconds
        self._form: int | None = None
        self._settled_at = -math.inf

    def is_recent(self, frame: LiveFrame) -> bool:
        """Return whether the next frame comes soon after a change."""
        if self._form not in (None, frame.form):
            self._settled_at = frame.seconds + self._settle_seconds
        self._form = frame.form
        return frame.seconds < self._settled_at


@dataclass(frozen=True, slots=True)
class _Meaning:
    """What the samples of a captured frame mean.

    Attributes:
        is_rgb: Whether they are red, green and blue.
        is_full_range: Whether black is 0.
        matrix: Between RGB and YUV; None: RGB and gray have none.
    """

    is_rgb: bool
    is_full_range: bool
    matrix: Matrix | None

    @classmethod
    def of(cls, av_frame: av.VideoFrame) -> _Meaning:
        """Return what a frame's format, its tags and, without them, its height say."""
        name = av_frame.format.name
        native = nearest_native(name)
        is_rgb, is_gray = native.startswith("gbr"), native.startswith("gray")
        is_full_range = is_rgb or name.startswith("yuvj") or av_frame.color_range == ColorRange.JPEG
        if is_gray and av_frame.color_range == ColorRange.UNSPECIFIED:
            is_full_range = True
        layout = pixel_formats.layout(av_frame)
        return cls(is_rgb, is_full_range, None if is_rgb or is_gray else layout.matrix)

    def tags(self, av_frame: av.VideoFrame, height: int) -> ColorTags:
        """Return the tags of a session of this height that begins with this frame."""
        matrix = _TAG_OF_MATRIX[self.matrix or untagged_matrix(height)]
        if self.matrix is not None and self.matrix == _MATRIX_OF_TAG.get(av_frame.colorspace):
            matrix = av_frame.colorspace  # one of two names of BT.601, such as PAL's
        primaries, transfer = av_frame.color_primaries, av_frame.color_trc
        if self.is_rgb and _UNSPECIFIED in (primaries, transfer):  # a camera's: sRGB
            primaries = transfer = _TAG_OF_MATRIX["bt709"]
        return ColorTags(primaries, transfer, matrix, ColorRange.MPEG)


def _square(width: int, height: int, pixel_aspect: Fraction) -> tuple[int, int]:
    """Return the size with square pixels of a frame: one side grows, so that no detail is lost."""
    if pixel_aspect == _SQUARE:
        return width, height
    if pixel_aspect > 1:
        wide, high = width * pixel_aspect, Fraction(height)
    else:
        wide, high = Fraction(width), height / pixel_aspect
    ratio = min(Fraction(1), _MAX_SIDE_PX / max(wide, high, Fraction(1)))
    return max(1, round(wide * ratio)), max(1, round(high * ratio))


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
