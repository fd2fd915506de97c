"""Brings pictures into the pixel format and size that an encoder takes; most are in it already."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction

import av
import numpy as np
from av.video.format import VideoFormat
from av.video.reformatter import ColorRange, Colorspace, Interpolation, VideoReformatter

from tracker_blur.video import pixel_formats
from tracker_blur.video.encoder_settings import Encoder, pixel_format
from tracker_blur.video.reformatting import reformatted
from tracker_blur.video.stream_info import VideoTrack

_HD_LINES = 720
_BT709, _BT601 = 1, 6  # ITU-T H.273, table 4
_SWSCALE_MATRIX = {_BT709: Colorspace.ITU709, _BT601: Colorspace.ITU601}


class Fit:
    """What an encoder gets of a track.

    pixel_format   FFmpeg's name of it
    size           (width, height) in pixels
    pixel_aspect   width of a pixel over its height
    color          how the samples are to be shown
    is_padded      whether the last column or row is repeated, since sides must be even
    """

    def __init__(self, track: VideoTrack, encoder: Encoder) -> None:
        self.pixel_format = pixel_format(encoder, track)
        self.pixel_aspect = track.pixel_aspect
        self._is_scaled = track.pixel_aspect != 1 and not encoder.knows_aspect
        width, height = track.size
        if self._is_scaled:
            width = max(width, round(width * track.pixel_aspect))
            height = max(height, round(height / track.pixel_aspect))
            self.pixel_aspect = Fraction(1)
        if encoder.needs_even:
            form = VideoFormat(self.pixel_format, width, height)
            width += width % 2 if form.chroma_width() < width else 0
            height += height % 2 if form.chroma_height() < height else 0
        self.size = width, height
        self.is_padded = not self._is_scaled and self.size != track.size
        self.color = track.color
        was_rgb = track.pixel_format.startswith("gbr")
        self._becomes_yuv = was_rgb and not self.pixel_format.startswith("gbr")
        if self._becomes_yuv:
            matrix = _BT709 if track.size[1] >= _HD_LINES else _BT601
            self.color = replace(self.color, matrix=matrix, range=ColorRange.MPEG)
        elif track.pixel_format.startswith("yuvj"):
            self.color = replace(self.color, range=ColorRange.JPEG)
        self._reformatter = VideoReformatter()

    def fitted(self, picture: av.VideoFrame) -> av.VideoFrame:
        """Return the picture itself where it fits already."""
        if self.is_padded:
            picture = _padded(picture, self.size)
        form = picture.width, picture.height, picture.format.name
        if form == (*self.size, self.pixel_format):
            return picture
        is_full = pixel_formats.layout(picture).full_range
        same_range = ColorRange.JPEG if is_full else ColorRange.MPEG
        return reformatted(
            self._reformatter,
            picture,
            self.size,
            self.pixel_format,
            src_color_range=same_range,
            dst_color_range=ColorRange.MPEG if self._becomes_yuv else same_range,
            dst_colorspace=_SWSCALE_MATRIX[self.color.matrix] if self._becomes_yuv else None,
            interpolation=Interpolation.BICUBIC,
        )


def _padded(picture: av.VideoFrame, size: tuple[int, int]) -> av.VideoFrame:
    """Return the picture with its last row or column repeated."""
    padded = av.VideoFrame(*size, picture.format.name)
    sources, targets = pixel_formats.planes(picture), pixel_formats.planes(padded)
    for source, target in zip(sources, targets, strict=True):
        rows = target.samples.shape[0] - source.samples.shape[0]
        columns = target.samples.shape[1] - source.samples.shape[1]
        target.samples[...] = np.pad(source.samples, ((0, rows), (0, columns)), mode="edge")
    padded.pts, padded.time_base = picture.pts, picture.time_base
    padded.duration = picture.duration
    padded.colorspace, padded.color_range = picture.colorspace, picture.color_range
    padded.color_primaries, padded.color_trc = picture.color_primaries, picture.color_trc
    return padded
