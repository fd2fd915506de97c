"""Picture frames into the bytes of a file: pixels, color profile and resolution, nothing else.

A picture of the same format as its input is stored as that was: with a JPEG's quantization
tables and chroma subsampling, a TIFF's compression and bit depth, a WebP's losslessness. Formats
of 8 bits get the upper 8 of 16; JPEG, which has no transparency, gets the picture on white.
"""

from __future__ import annotations

import io
from collections.abc import Sequence
from typing import Any

import cv2
from PIL import Image

from tracker_blur.core.frame import Samples
from tracker_blur.images import bmp, gif, heic, png, tiff
from tracker_blur.images.exif import tags
from tracker_blur.images.frame import Encoding, ImageFrame, eight_bits

_DEFAULTS: dict[str, dict[str, Any]] = {  # where the input has another format
    "JPEG": {"quality": 95, "subsampling": "4:4:4"},
    "WEBP": {"lossless": True, "exact": True},
}
_BILEVEL_FORMATS = frozenset({"PNG", "TIFF", "BMP"})


def encode(frames: Sequence[ImageFrame], file_format: str, keep_exif: bool) -> bytes:
    """Return a file of this format that holds the frames.

    frames     one; several for animations (GIF, PNG, WEBP) and for the pages of a TIFF
    keep_exif  write the harmless EXIF tags of the first frame, or of each page

    Raises MissingPackageError for HEIF without its package, ValueError or OSError for what the
    format cannot hold, such as too large a size.
    """
    exif = frames[0].encoding.exif if keep_exif else b""
    if file_format == "TIFF":
        return tiff.joined([_tiff_page(frame, keep_exif) for frame in frames])
    if file_format == "HEIF":
        return heic.encoded(frames[0], exif)
    if file_format == "PNG":
        return _png(frames, exif)
    if file_format == "GIF":
        return _gif(frames)
    images = _alike(frames, file_format)
    if file_format == "BMP" and images[0].mode == "RGBA":
        return bmp.encoded(images[0], frames[0].encoding.dpi)
    options = _options(frames[0].encoding, file_format) | _animated(frames, images)
    return _saved(images[0], file_format, exif=exif, **options)


def _options(encoding: Encoding, file_format: str) -> dict[str, Any]:
    """Return what Pillow must be told to store a picture as its input was."""
    alike = encoding.format == file_format
    options = dict(encoding.options if alike else _DEFAULTS.get(file_format, {}))
    if encoding.icc_profile:
        options["icc_profile"] = encoding.icc_profile
    if encoding.dpi:
        options["dpi"] = encoding.dpi
    return options


def _png(frames: Sequence[ImageFrame], exif: bytes) -> bytes:
    encoding = frames[0].encoding
    if len(frames) == 1 and frames[0].layout.bits > 8:
        stored = cv2.imencode(".png", _interleaved(frames[0]))[1].tobytes()
    else:
        images = _alike(frames, "PNG")
        stored = _saved(images[0], "PNG", **_animated(frames, images))
    if encoding.format == "PNG":
        chunks = encoding.png_chunks
    else:
        chunks = png.described(encoding.icc_profile, encoding.dpi)
    if exif:
        chunks += png.chunk(b"eXIf", exif.removeprefix(b"Exif\0\0"))
    return png.with_chunks(stored, chunks)


def _gif(frames: Sequence[ImageFrame]) -> bytes:
    images = [gif.paletted(frame) for frame in frames]
    options = _animated(frames, images)
    if options:
        plays = options.pop("loop")
        if plays != 1:
            options["loop"] = max(0, plays - 1)  # a GIF counts the repetitions
        # Where a frame is clear, the one before must not shine through; else only what changes
        # is stored.
        clear = any("transparency" in image.info for image in images)
        options |= {"disposal": 2 if clear else 1, "optimize": not clear}
    return _saved(images[0], "GIF", **options)


def _tiff_page(frame: ImageFrame, keep_exif: bool) -> tuple[bytes, dict[int, Any]]:
    """Return a page as a file of its own, and the tags to set in it."""
    encoding = frame.encoding
    options = encoding.options if encoding.format == "TIFF" else {}
    compression = options.get("compression", tiff.LOSSLESS)
    set_tags = tiff.described(encoding.icc_profile, encoding.dpi)
    if frame.layout.bits > 8:
        page = tiff.encoded(_interleaved(frame), compression)
        if frame.alpha is not None:
            set_tags[tiff.EXTRA_SAMPLES] = options.get("extra_samples", tiff.UNASSOCIATED)
    else:
        (image,) = _alike([frame], "TIFF")
        page = _saved(image, "TIFF", **tiff.options(compression, image.mode))
    return page, set_tags | (tags(encoding.exif) if keep_exif else {})


def _animated(frames: Sequence[ImageFrame], images: Sequence[Image.Image]) -> dict[str, Any]:
    """Return what Pillow must be told to write several frames; nothing for one."""
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


def _saved(image: Image.Image, file_format: str, **options: Any) -> bytes:
    file = io.BytesIO()
    image.save(file, file_format, **options)
    return file.getvalue()


def _alike(frames: Sequence[ImageFrame], file_format: str) -> list[Image.Image]:
    """Return the frames as Pillow pictures of 8 bits, all in one mode that the format knows."""
    images = [_picture(frame) for frame in frames]
    if file_format == "JPEG":
        return [_on_white(image) for image in images]
    if all(frame.encoding.is_bilevel for frame in frames) and file_format in _BILEVEL_FORMATS:
        return [image.convert("1", dither=Image.Dither.NONE) for image in images]
    modes = {image.mode for image in images}
    has_color = any(mode.startswith("RGB") for mode in modes)
    has_alpha = any(mode.endswith("A") for mode in modes)
    mode = ("RGB" if has_color or (has_alpha and file_format == "BMP") else "L") + "A" * has_alpha
    return [image if image.mode == mode else image.convert(mode) for image in images]


def _picture(frame: ImageFrame) -> Image.Image:
    planes = frame.channels if frame.alpha is None else (*frame.channels, frame.alpha)
    return Image.fromarray(cv2.merge([eight_bits(plane) for plane in planes]))


def _on_white(image: Image.Image) -> Image.Image:
    if not image.mode.endswith("A"):
        return image
    white = Image.new("RGBA", image.size, "white")
    return Image.alpha_composite(white, image.convert("RGBA")).convert(image.mode[:-1])


def _interleaved(frame: ImageFrame) -> Samples:
    """Return the samples as OpenCV takes them: (height, width), or with BGR or BGRA last."""
    if frame.alpha is None:
        return frame.channels[0] if len(frame.channels) == 1 else cv2.merge(frame.channels[::-1])
    blue_first = frame.channels[::-1] if len(frame.channels) == 3 else frame.channels * 3
    return cv2.merge([*blue_first, frame.alpha])
