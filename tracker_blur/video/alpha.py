"""Transparency of videos: decoders that keep it, and what it hides.

FFmpeg's own decoders ignore the alpha channel of VP8 and VP9, which lies next to the packets. The
colors below transparent pixels are stored all the same, and players without alpha show them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

import av
import cv2
import numpy as np
import numpy.typing as npt

from tracker_blur.video import pixel_formats

if TYPE_CHECKING:
    from av.video.codeccontext import VideoCodecContext
    from av.video.reformatter import VideoReformatter
    from av.video.stream import VideoStream

    from tracker_blur.core.frame import Plane, Samples

_DECODERS = {"vp8": "libvpx", "vp9": "libvpx-vp9"}
_INVISIBLE = 8 / 255  # alpha up to here: lossy codecs do not keep an exact 0

Mask = npt.NDArray[np.bool_]


def decoder(stream: VideoStream) -> VideoCodecContext:
    """Return the stream's decoder, or another one that also decodes its alpha channel."""
    name = _DECODERS.get(stream.codec_context.codec.canonical_name)
    tags = {tag.lower(): value for tag, value in stream.metadata.items()}
    if name is None or tags.get("alpha_mode") != "1":
        return stream.codec_context
    context = cast("VideoCodecContext", av.CodecContext.create(name, "r"))
    context.extradata = stream.codec_context.extradata
    return context


def on_black(frame: av.VideoFrame, reformatter: VideoReformatter) -> av.VideoFrame:
    """Return a frame of any format as it is shown on black; the same object if it has no alpha."""
    if not pixel_formats.has_alpha(frame.format.name):
        return frame
    native = pixel_formats.nearest_native(frame.format.name)
    size = frame.width, frame.height
    if native != frame.format.name:
        frame = pixel_formats.reformat(reformatter, frame, size, native)
    flatten(frame)
    return frame


def plane(frame: av.VideoFrame) -> Samples:
    """Return the alpha channel of a native frame that has one, writable."""
    (component,) = (part for part in frame.format.components if part.is_alpha)
    return pixel_formats.samples(frame.planes[component.plane], component.bits)


def clear_hidden(frame: av.VideoFrame) -> None:
    """Blacken what is invisible in a native frame with alpha, so that no copy of it can be shown.

    A chroma sample is cleared when all pixels that it covers are invisible.
    """
    alpha = plane(frame)
    if int(alpha.min()) > _INVISIBLE * _peak(frame):
        return
    frame.make_writable()
    alpha = plane(frame)
    for color, black in zip(pixel_formats.planes(frame), pixel_formats.black(frame), strict=True):
        color.samples[_covered(alpha, color) <= _INVISIBLE * _peak(frame)] = black


def flatten(frame: av.VideoFrame) -> bool:
    """Show a native frame with alpha on black, and make it opaque.

    Returns:
        Whether anything of it was transparent.
    """
    peak = _peak(frame)
    if int(plane(frame).min()) == peak:
        return False
    frame.make_writable()
    alpha = plane(frame)
    for color, black in zip(pixel_formats.planes(frame), pixel_formats.black(frame), strict=True):
        share = np.float32(1 / peak) * _mean(alpha, color)
        shown = (color.samples - np.float32(black)) * share + np.float32(black)
        color.samples[...] = np.rint(shown, out=shown)
    alpha[...] = peak
    return True


def _peak(frame: av.VideoFrame) -> int:
    return (1 << frame.format.components[0].bits) - 1


def _covered(alpha: Samples, plane: Plane) -> Samples:
    """Return the largest alpha among the pixels that each sample of a plane covers."""
    x, y = plane.x_step, plane.y_step
    if (x, y) == (1, 1):
        return alpha
    height, width = alpha.shape
    padded = np.pad(alpha, ((0, -height % y), (0, -width % x)), mode="edge")
    blocks = padded.reshape(padded.shape[0] // y, y, padded.shape[1] // x, x)
    return np.asarray(blocks.max(axis=(1, 3)))


def _mean(alpha: Samples, plane: Plane) -> npt.NDArray[np.float32]:
    """Return the mean alpha of the pixels that each sample of a plane covers."""
    values = alpha.astype(np.float32)
    if alpha.shape == plane.samples.shape:
        return values
    height, width = plane.samples.shape
    return np.asarray(cv2.resize(values, (width, height), interpolation=cv2.INTER_AREA))
