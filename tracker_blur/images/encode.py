"""Encodes frames into the bytes of an image file: pixels, color profile and resolution, no more.

An image of the same format as its input is stored the same way: with a JPEG's quantization tables
and chroma subsampling, a TIFF's compression and bit depth, a WebP's losslessness. Formats of 8 bits
get the upper 8 of 16. Formats without transparency get the image on white, so that nothing that was
transparent becomes visible.
"""

from __future__ import annotations

import io
from functools import partial
from typing import TYPE_CHECKING, Any, BinaryIO

import cv2
import numpy as np
from PIL import Image

from tracker_blur.images import apng, avif, chunks, exif, heic
from tracker_blur.images import gif_encoder as gif
from tracker_blur.images.frame import (
    OPAQUE_FORMATS,
    ImageFrame,
    blue_first,
    upper_8_bits,
)
from tracker_blur.images.tiff import LOSSLESS, UNASSOCIATED_ALPHA, TiffPage
from tracker_blur.images.tiff import encode as encode_tiff

if TYPE_CHECKING:
    from tracker_blur.core.frame import Samples
    from tracker_blur.images.frame_store import FrameStore

_DEFAULTS: dict[str, dict[str, Any]] = {  # if the input has another format
    "JPEG": {"quality": 95, "subsampling": "4:4:4"},
    "WEBP": {"lossless": True, "exact": True},
}
_BAND_ROWS = 512
_MAX_ICO_SIDE = 256
_AVIF_QUALITY = 90  # of 0 to 100; files do not state theirs
_BILEVEL_FORMATS = frozenset({"PNG", "TIFF", "BMP"})


def encode(frames: FrameStore, file_format: str, keep_exif: bool, file: BinaryIO) -> None:
    """Write the frames into a file.

    Args:
        frames: One; several for animations (AVIF, GIF, PNG, WEBP) and for the pages of a TIFF.
        file_format: Pillow's name of the format.
        keep_exif: Write the harmless EXIF tags of the first frame, or of each page.
        file: The output, empty; it is read, too.

    Raises:
        ValueError: The format cannot hold the frames, for example because of their size.
        OSError: The same.
    """
    if file_format != "TIFF" and len(frames.sizes) > 1:
        raise ValueError("its pages differ in size")
    exif_block = frames[0].encoding.exif if keep_exif else b""
    if file_format == "TIFF":
        encode_tiff((_tiff_page(frame, keep_exif) for frame in frames), file)
    elif file_format == "HEIF":
        file.write(heic.encode(frames[0], exif_block))
    elif file_format == "PNG":
        _write_png(frames, exif_block, file)
    elif file_format == "GIF":
        gif.write(file, frames, is_transparent=frames.is_transparent)
    elif file_format == "ICO":
        _write_ico(frames, file)
    elif file_format == "AVIF":
        file.write(_avif(frames, exif_block))
    else:
        _save(frames, file_format, file, exif=exif_block, **_options(frames[0], file_format))


def _options(frame: ImageFrame, file_format: str) -> dict[str, Any]:
    """Return Pillow's options that store an image as its input was."""
    encoding = frame.encoding
    is_same = encoding.format == file_format
    options = dict(encoding.options if is_same else _DEFAULTS.get(file_format, {}))
    if encoding.icc_profile:
        options["icc_profile"] = encoding.icc_profile
    if encoding.dpi:
        options["dpi"] = encoding.dpi
    return options


def _write_png(frames: FrameStore, exif_block: bytes, file: BinaryIO) -> None:
    encoding = frames[0].encoding
    if encoding.format == "PNG":
        extra = encoding.png_chunks
    else:
        extra = chunks.new_png_color_chunks(encoding.icc_profile, encoding.dpi)
    if exif_block:
        extra += chunks.png_chunk(b"eXIf", exif_block.removeprefix(b"Exif\0\0"))
    if frames.is_deep:
        still = partial(_deep_png, has_alpha=frames.has_alpha, has_color=frames.has_color)
    else:
        still = partial(_png, mode=_mode(frames, "PNG"))
    if len(frames) == 1:
        file.write(chunks.with_png_chunks(still(frames[0]), extra))
    else:
        apng.write(file, frames, still, extra)


def _deep_png(frame: ImageFrame, *, has_alpha: bool, has_color: bool) -> bytes:
    samples = _interleaved(frame, has_alpha=has_alpha, has_color=has_color)
    return cv2.imencode(".png", blue_first(samples))[1].tobytes()


def _png(frame: ImageFrame, mode: str) -> bytes:
    file = io.BytesIO()
    _in_mode(_pillow_image(frame), mode).save(file, "PNG")
    return file.getvalue()


def _write_ico(frames: FrameStore, file: BinaryIO) -> None:
    size = frames[0].size
    if max(size) > _MAX_ICO_SIDE:
        raise ValueError(f"its longest side is above {_MAX_ICO_SIDE} pixels")
    _save(frames, "ICO", file, sizes=[size])  # without the usual smaller copies


def _avif(frames: FrameStore, exif_block: bytes) -> bytes:
    encoding = frames[0].encoding
    options: dict[str, Any] = {}
    if len(frames) > 1:
        options["duration"] = avif.durations(frames.heads())
    if encoding.icc_profile:
        options["icc_profile"] = encoding.icc_profile
    file = io.BytesIO()
    _save(
        frames,
        "AVIF",
        file,
        quality=_AVIF_QUALITY,
        subsampling="4:0:0" if _mode(frames, "AVIF") == "L" else "4:4:4",
        exif=exif_block,
        **options,
    )
    codes = encoding.options.get("color_codes") if encoding.format == "AVIF" else None
    content = file.getvalue()
    return avif.with_color_codes(content, codes) if codes else content


def _tiff_page(frame: ImageFrame, keep_exif: bool) -> TiffPage:
    encoding = frame.encoding
    options = encoding.options if encoding.format == "TIFF" else {}
    alpha = UNASSOCIATED_ALPHA
    if frame.layout.bits > 8:
        samples = _interleaved(frame, frame.alpha is not None, len(frame.channels) == 3)
        alpha = options.get("alpha", alpha)
    else:
        is_bilevel = encoding.is_bilevel and frame.alpha is None
        image = _pillow_image(frame)
        samples = np.asarray(_in_mode(image, "1") if is_bilevel else image)
    return TiffPage(
        samples=samples,
        compression=options.get("compression", LOSSLESS),
        alpha=alpha,
        icc_profile=encoding.icc_profile,
        dpi=encoding.dpi,
        exif=exif.tags(encoding.exif) if keep_exif else {},
    )


class _Animation(Image.Image):
    """The frames of a store as one Pillow image, from which encoders take one frame at a time."""

    is_animated = True

    def __init__(self, frames: FrameStore, mode: str) -> None:
        super().__init__()
        self._frames = frames
        self._frame_mode = mode
        self.n_frames = len(frames)
        self.seek(0)

    def seek(self, frame: int) -> None:
        """Become another frame; raises EOFError after the last."""
        if frame >= self.n_frames:
            raise EOFError("no more frames")
        image = _in_mode(_pillow_image(self._frames[frame]), self._frame_mode)
        self._im, self._mode, self._size = image.im, image.mode, image.size
        self._place = frame

    def tell(self) -> int:
        """Return the number of the current frame."""
        return self._place


def _save(frames: FrameStore, file_format: str, file: BinaryIO, **options: Any) -> None:
    """Have Pillow write the frames."""
    mode = _mode(frames, file_format)
    if len(frames) == 1:
        _in_mode(_pillow_image(frames[0]), mode).save(file, file_format, **options)
        return
    durations = [float(frame.duration * frame.time_base * 1000) for frame in frames.heads()]
    options = {"duration": durations, "loop": frames[0].encoding.plays} | options
    _Animation(frames, mode).save(file, file_format, save_all=True, **options)


def _mode(frames: FrameStore, file_format: str) -> str:
    """Return the mode of 8 bits, or 1, that the format has and that suits all frames."""
    has_alpha = frames.has_alpha and file_format not in OPAQUE_FORMATS
    if frames.is_bilevel and not has_alpha and file_format in _BILEVEL_FORMATS:
        return "1"
    return ("RGB" if frames.has_color else "L") + "A" * has_alpha


def _in_mode(image: Image.Image, mode: str) -> Image.Image:
    """Return an image in another mode; without transparency, it comes to lie on white."""
    if image.mode.endswith("A") and not mode.endswith("A"):
        white = Image.new("RGBA", image.size, "white")
        image = Image.alpha_composite(white, image.convert("RGBA"))
    return image if image.mode == mode else image.convert(mode, dither=Image.Dither.NONE)


def _pillow_image(frame: ImageFrame) -> Image.Image:
    """Return a frame as a Pillow image, made by bands to save memory."""
    planes = frame.channels if frame.alpha is None else (*frame.channels, frame.alpha)
    image = Image.new({1: "L", 2: "LA", 3: "RGB", 4: "RGBA"}[len(planes)], frame.size)
    for top in range(0, frame.size[1], _BAND_ROWS):
        band = [upper_8_bits(plane[top : top + _BAND_ROWS]) for plane in planes]
        image.paste(Image.fromarray(cv2.merge(band)), (0, top))
    return image


def _interleaved(frame: ImageFrame, has_alpha: bool, has_color: bool) -> Samples:
    """Return samples of shape (height, width), or (height, width, 3 or 4) with red first.

    Gray with transparency becomes color: no reader here knows it with 16 bits.
    """
    colors = frame.channels
    if len(colors) == 1 and (has_alpha or has_color):
        colors *= 3
    if not has_alpha:
        return colors[0] if len(colors) == 1 else cv2.merge(colors)
    alpha = np.full_like(colors[0], np.iinfo(colors[0].dtype).max)
    return cv2.merge([*colors, alpha if frame.alpha is None else frame.alpha])
