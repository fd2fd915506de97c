"""Encodes frames into the bytes of an image file: pixels, color profile and resolution, no more.

An image of the same format as its input is stored the same way: with a JPEG's quantization tables
and chroma subsampling, a TIFF's compression and bit depth, a WebP's losslessness. Formats of 8 bits
get the upper 8 of 16. Formats without transparency get the image on white, so that nothing that was
transparent becomes visible.
"""

from __future__ import annotations

import io
from typing import TYPE_CHECKING, Any

import cv2
import numpy as np
from PIL import Image

from tracker_blur.images import avif, chunks, exif, gif, heic
from tracker_blur.images.frame import (
    OPAQUE_FORMATS,
    Encoding,
    ImageFrame,
    blue_first,
    upper_8_bits,
)
from tracker_blur.images.tiff import LOSSLESS, UNASSOCIATED_ALPHA, TiffPage
from tracker_blur.images.tiff import encode as encode_tiff

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tracker_blur.core.frame import Samples

_DEFAULTS: dict[str, dict[str, Any]] = {  # if the input has another format
    "JPEG": {"quality": 95, "subsampling": "4:4:4"},
    "WEBP": {"lossless": True, "exact": True},
}
_AVIF_QUALITY = 90  # of 0 to 100; files do not state theirs
_BILEVEL_FORMATS = frozenset({"PNG", "TIFF", "BMP"})


def encode(frames: Sequence[ImageFrame], file_format: str, keep_exif: bool) -> bytes:
    """Return a file that holds the frames.

    Args:
        frames: One; several for animations (AVIF, GIF, PNG, WEBP) and for the pages of a TIFF.
        file_format: Pillow's name of the format.
        keep_exif: Write the harmless EXIF tags of the first frame, or of each page.

    Raises:
        MissingPackageError: The format is HEIF, and its package is not installed.
        ValueError: The format cannot hold the frames, for example because of their size.
        OSError: The same.
    """
    exif_block = frames[0].encoding.exif if keep_exif else b""
    if file_format == "TIFF":
        return encode_tiff(_tiff_page(frame, keep_exif) for frame in frames)
    if file_format == "HEIF":
        return heic.encode(frames[0], exif_block)
    if file_format == "PNG":
        return _png(frames, exif_block)
    if file_format == "GIF":
        return _gif(frames)
    if file_format == "AVIF":
        return _avif(frames, exif_block)
    images = _uniform_images(frames, file_format)
    options = _options(frames[0].encoding, file_format) | _animation_options(frames, images)
    return _save(images[0], file_format, exif=exif_block, **options)


def _options(encoding: Encoding, file_format: str) -> dict[str, Any]:
    """Return Pillow's options that store an image as its input was."""
    is_same = encoding.format == file_format
    options = dict(encoding.options if is_same else _DEFAULTS.get(file_format, {}))
    if encoding.icc_profile:
        options["icc_profile"] = encoding.icc_profile
    if encoding.dpi:
        options["dpi"] = encoding.dpi
    return options


def _png(frames: Sequence[ImageFrame], exif_block: bytes) -> bytes:
    encoding = frames[0].encoding
    if len(frames) == 1 and frames[0].layout.bits > 8:
        png = cv2.imencode(".png", blue_first(_interleaved(frames[0])))[1].tobytes()
    else:
        images = _uniform_images(frames, "PNG")
        png = _save(images[0], "PNG", **_animation_options(frames, images))
    if encoding.format == "PNG":
        extra = encoding.png_chunks
    else:
        extra = chunks.new_png_color_chunks(encoding.icc_profile, encoding.dpi)
    if exif_block:
        extra += chunks.png_chunk(b"eXIf", exif_block.removeprefix(b"Exif\0\0"))
    return chunks.with_png_chunks(png, extra)


def _avif(frames: Sequence[ImageFrame], exif_block: bytes) -> bytes:
    encoding = frames[0].encoding
    images = _uniform_images(frames, "AVIF")
    options = _animation_options(frames, images)
    if options:
        options["duration"] = avif.durations(frames)
    if encoding.icc_profile:
        options["icc_profile"] = encoding.icc_profile
    content = _save(
        images[0],
        "AVIF",
        quality=_AVIF_QUALITY,
        subsampling="4:0:0" if images[0].mode == "L" else "4:4:4",
        exif=exif_block,
        **options,
    )
    codes = encoding.options.get("color_codes") if encoding.format == "AVIF" else None
    return avif.with_color_codes(content, codes) if codes else content


def _gif(frames: Sequence[ImageFrame]) -> bytes:
    images = [gif.paletted(frame) for frame in frames]
    options = _animation_options(frames, images)
    if options:
        plays = options.pop("loop")
        if plays != 1:
            options["loop"] = max(0, plays - 1)  # a GIF counts the repetitions
        # Through a transparent pixel the previous frame must not be visible. Without any, only
        # what changes is stored.
        is_clear = any("transparency" in image.info for image in images)
        options |= {"disposal": 2 if is_clear else 1, "optimize": not is_clear}
    return _save(images[0], "GIF", **options)


def _tiff_page(frame: ImageFrame, keep_exif: bool) -> TiffPage:
    encoding = frame.encoding
    options = encoding.options if encoding.format == "TIFF" else {}
    alpha = UNASSOCIATED_ALPHA
    if frame.layout.bits > 8:
        samples = _interleaved(frame)
        alpha = options.get("alpha", alpha)
    else:
        (image,) = _uniform_images([frame], "TIFF")
        samples = np.asarray(image)
    return TiffPage(
        samples=samples,
        compression=options.get("compression", LOSSLESS),
        alpha=alpha,
        icc_profile=encoding.icc_profile,
        dpi=encoding.dpi,
        exif=exif.tags(encoding.exif) if keep_exif else {},
    )


def _animation_options(
    frames: Sequence[ImageFrame], images: Sequence[Image.Image]
) -> dict[str, Any]:
    """Return Pillow's options that write several frames; none for a single one."""
    if len(frames) == 1:
        return {}
    if len({image.size for image in images}) > 1:
        raise ValueError("its pages differ in size")
    return {
        "save_all": True,
        "append_images": images[1:],
        "duration": [float(frame.duration * frame.time_base * 1000) for frame in frames],
        "loop": frames[0].encoding.plays,
    }


def _save(image: Image.Image, file_format: str, **options: Any) -> bytes:
    file = io.BytesIO()
    image.save(file, file_format, **options)
    return file.getvalue()


def _uniform_images(frames: Sequence[ImageFrame], file_format: str) -> list[Image.Image]:
    """Return the frames as Pillow images of 8 bits, all in one mode that the format has."""
    images = [_pillow_image(frame) for frame in frames]
    if file_format in OPAQUE_FORMATS:
        images = [_on_white(image) for image in images]
    if all(frame.encoding.is_bilevel for frame in frames) and file_format in _BILEVEL_FORMATS:
        return [image.convert("1", dither=Image.Dither.NONE) for image in images]
    modes = {image.mode for image in images}
    has_color = any(mode.startswith("RGB") for mode in modes)
    has_alpha = any(mode.endswith("A") for mode in modes)
    mode = ("RGB" if has_color else "L") + "A" * has_alpha
    return [image if image.mode == mode else image.convert(mode) for image in images]


def _pillow_image(frame: ImageFrame) -> Image.Image:
    planes = frame.channels if frame.alpha is None else (*frame.channels, frame.alpha)
    return Image.fromarray(cv2.merge([upper_8_bits(plane) for plane in planes]))


def _on_white(image: Image.Image) -> Image.Image:
    if not image.mode.endswith("A"):
        return image
    white = Image.new("RGBA", image.size, "white")
    return Image.alpha_composite(white, image.convert("RGBA")).convert(image.mode[:-1])


def _interleaved(frame: ImageFrame) -> Samples:
    """Return samples of shape (height, width), or (height, width, 3 or 4) with red first.

    Gray with transparency becomes color: no reader here knows it with 16 bits.
    """
    if frame.alpha is None:
        return frame.channels[0] if len(frame.channels) == 1 else cv2.merge(frame.channels)
    colors = frame.channels if len(frame.channels) == 3 else frame.channels * 3
    return cv2.merge([*colors, frame.alpha])
