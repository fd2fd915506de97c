"""Decodes the bytes of an image file into frames.

Pillow reads most formats, and pillow-heif reads HEIC. Pillow reduces colors of 16 bits to 8, so
OpenCV decodes those after Pillow has checked the file: OpenCV alone accepts some damaged or planar
files.
"""

from __future__ import annotations

import io
import struct
from contextlib import suppress
from typing import TYPE_CHECKING, Any, Protocol

import cv2
import numpy as np
from PIL import Image, JpegImagePlugin, UnidentifiedImageError

from tracker_blur.core.frame import Orientation, Samples
from tracker_blur.images import apng, avif, bmp, chunks, exif, gif_decoder, icc, libtiff, tiff
from tracker_blur.images.channels import (
    FOREIGN_MODES,
    UnsupportedError,
    alpha_of_color,
    planes_of,
)
from tracker_blur.images.frame import ANIMATED_FORMATS, Encoding, ImageFrame
from tracker_blur.images.heic import HeicDecoder, is_heic

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tracker_blur.images.pixel_limit import PixelLimit

_FORMATS = ("JPEG", "PNG", "WEBP", "TIFF", "BMP", "AVIF", "ICO")
_UNUSED_ALPHA_FORMATS = frozenset({"BMP", "TGA"})  # whose writers often leave it 0
_TGA_HEADER = struct.Struct("<BBBHHBHHHHBB")
_TGA_KINDS = frozenset({1, 2, 3, 9, 10, 11})  # palette, color, gray; the same with run lengths
_TGA_PALETTE_KINDS = frozenset({1, 9})
_WEBP_QUALITY = 90  # files do not state the quality they were encoded with
_WHOLE_BITS = (1, 2, 4, 8, 16)  # of a sample; others would change their meaning when written


class Decoder(Protocol):
    """The frames in the bytes of one file."""

    @property
    def may_move(self) -> bool:
        """Whether several frames would be moments of one scene, rather than pages."""
        ...

    @property
    def is_complete(self) -> bool:
        """Whether the file has an end, where its decoder would not notice a missing one."""
        ...

    @property
    def count(self) -> int:
        """How many frames there are; may raise for a damaged file."""
        ...

    def decode(self, index: int) -> ImageFrame:
        """Return a frame, upright; raises whatever the decoder does."""
        ...


def open_decoder(data: bytes, limit: PixelLimit) -> Decoder:
    """Return the decoder for a file's content.

    Raises:
        TooLargeError: The image has more pixels than the limit allows.
        UnidentifiedImageError: The content is no image.
        UnsupportedError: The content is AVIF, and this build of Pillow does not read it.
        Exception: Whatever Pillow raises for a damaged file.
    """
    if is_heic(data):
        return HeicDecoder(data, limit)
    if gif_decoder.is_gif(data):
        return gif_decoder.GifDecoder(data, limit)
    if bmp.is_rare(data):
        return bmp.BmpDecoder(data, limit)
    if data.startswith(chunks.PNG_SIGNATURE) and apng.is_apng(data):
        return apng.ApngDecoder(data, lambda png: PillowDecoder(png, limit).decode(0), limit)
    return _open_avif(data, limit) if avif.is_avif(data) else PillowDecoder(data, limit)


def _open_avif(data: bytes, limit: PixelLimit) -> PillowDecoder:
    if not avif.is_supported():
        raise UnsupportedError("is AVIF, which this build of Pillow does not read")
    if avif.is_cropped(data):  # what is cut off would become visible
        raise UnsupportedError("is AVIF that is cropped by a property (clap)")
    with suppress(Exception):  # Pillow parses EXIF at once, and gives up where it is damaged
        return PillowDecoder(data, limit)
    try:
        return PillowDecoder(avif.without_exif(data), limit)
    except UnidentifiedImageError:  # the first bytes are those of AVIF, but not the rest
        raise ValueError("its structure cannot be parsed") from None


class PillowDecoder:
    """The frames of a file that Pillow reads."""

    is_complete = True  # Pillow notices where a file ends early

    def __init__(self, data: bytes, limit: PixelLimit) -> None:
        self._data = data
        self._is_tga = _is_tga(data)
        self._limit = limit
        self._image: Any = self._opened()
        limit.check(self._image.size)
        # A JPEG may hold further images (MPO): previews, depth maps, gain maps. None is kept.
        self._format = "JPEG" if self._image.format == "MPO" else str(self._image.format)
        self._pages: list[int] = []  # places of a TIFF's full-size pages, as far as known

    @property
    def may_move(self) -> bool:
        """Whether several frames would be moments of one scene."""
        return self._format in ANIMATED_FORMATS

    @property
    def count(self) -> int:
        """How many frames or pages there are."""
        if self._format == "JPEG":
            return 1
        stored = int(getattr(self._image, "n_frames", 1))
        if self._format == "TIFF":
            return stored - sum(self._is_reduced(place) for place in range(stored))
        self._limit.check(self._image.size, stored)
        return stored

    def decode(self, index: int) -> ImageFrame:
        """Return a frame, upright."""
        image = self._image
        place = self._page(index) if self._format == "TIFF" else index
        self._seek(place)
        self._limit.check(image.size)
        tags: Mapping[int, Any] = dict(image.tag_v2) if self._format == "TIFF" else {}
        if self._format == "TIFF":
            with libtiff.caught():
                image.load()
        image.load()
        if self._format == "PNG":
            self._scale_transparent_gray()
        planes = self._deep_planes(place, tags) if self._bits(tags) > 8 else planes_of(image)
        orientation = Orientation.UPRIGHT
        if self._format == "TIFF":
            exif_tags = image.getexif()  # Pillow and OpenCV turn its pages
        else:
            # Not getexif(): it takes an orientation from XMP too, which viewers ignore.
            exif_tags = exif.parse(image.info.get("exif"))
            orientation = exif.orientation(exif_tags)
            planes = [np.ascontiguousarray(orientation.upright(plane)) for plane in planes]
        colors = 3 if len(planes) >= 3 else 1
        alpha = planes[colors] if len(planes) > colors else None
        if self._format in _UNUSED_ALPHA_FORMATS and alpha is not None and not alpha.any():
            alpha = None  # unused, although the header names it
        frame = ImageFrame(
            channels=tuple(planes[:colors]),
            alpha=alpha,
            encoding=self._encoding(image, exif_tags, orientation, tags),
            duration=self._duration(),
        )
        if getattr(image, "n_frames", 1) == 1:
            self._image = self._opened()  # without the pixels, which no one needs twice
        return frame

    def _page(self, index: int) -> int:
        """Return the place of a full-size page in a TIFF, which may hold thumbnails too."""
        place = self._pages[-1] + 1 if self._pages else 0
        while len(self._pages) <= index:
            try:
                is_reduced = self._is_reduced(place)
            except EOFError:
                if not self._pages:
                    raise UnsupportedError("holds only reduced copies of images") from None
                raise
            if not is_reduced:
                self._pages.append(place)
            place += 1
        return self._pages[index]

    def _is_reduced(self, place: int) -> bool:
        self._seek(place)
        return tiff.is_reduced(dict(self._image.tag_v2))

    def _scale_transparent_gray(self) -> None:
        """Scale a gray that stands for transparency as Pillow scales pixels of 2 and 4 bits."""
        bits, gray = chunks.png_bits(self._data), self._image.info.get("transparency")
        if self._image.mode == "L" and bits < 8 and isinstance(gray, int):
            self._image.info["transparency"] = gray * 255 // ((1 << bits) - 1)

    def _opened(self) -> Image.Image:
        with self._limit.lifted():
            formats = ("TGA",) if self._is_tga else _FORMATS
            return Image.open(io.BytesIO(self._data), formats=formats)

    def _seek(self, place: int) -> None:
        if self._image.tell() == place:
            return
        if self._format == "TIFF":
            self._image.info = {}  # or a page without a profile keeps that of another
        with self._limit.lifted():
            self._image.seek(place)

    def _bits(self, tags: Mapping[int, Any]) -> int:
        if self._format == "PNG":
            return chunks.png_bits(self._data)
        if self._format != "TIFF":
            return 8
        bits = set(tags.get(tiff.BITS_PER_SAMPLE, (1,)))
        if len(bits) > 1 or not bits.issubset(_WHOLE_BITS):
            raise UnsupportedError(f"has samples of {sorted(bits)} bits")
        return int(bits.pop())

    def _duration(self) -> int:
        """Return how long the current frame is shown, in microseconds; 0 if that is not stated."""
        if self._format == "AVIF" and self._image.n_frames == 1:
            return 0  # Pillow reports a second for stills
        milliseconds: float = self._image.info.get("duration", 0)
        return round(milliseconds * 1000)

    def _deep_planes(self, place: int, tags: Mapping[int, Any]) -> list[Samples]:
        """Return channels of 16 bits: red, green, blue or gray, and alpha if there is one."""
        buffer = np.frombuffer(self._data, np.uint8)
        if self._format == "PNG":
            chunks.check_png_pixels(self._data)
            samples = cv2.imdecode(buffer, cv2.IMREAD_UNCHANGED)
        else:
            is_common = self._image.mode in ("I;16", "I;16B", "RGB", "RGBA")
            if not is_common or tags.get(tiff.PLANAR_CONFIGURATION) == 2:
                raise UnsupportedError(f"is a 16-bit TIFF of a rare kind ({self._image.mode})")
            _, pages = cv2.imdecodemulti(buffer, cv2.IMREAD_UNCHANGED, range=(place, place + 1))
            samples = pages[0] if pages else None
        width, height = self._image.size
        if samples is None or samples.dtype != np.uint16 or samples.shape[:2] != (height, width):
            raise UnsupportedError("is a 16-bit image that OpenCV cannot read")
        planes = list(cv2.split(samples))
        planes[:3] = planes[:3][::-1]
        transparent = self._image.info.get("transparency")
        if self._format == "PNG" and transparent is not None and len(planes) in (1, 3):
            planes.append(alpha_of_color(planes, transparent))
        if tags.get(tiff.PHOTOMETRIC) == 0:  # where 0 is white
            planes = [np.invert(plane) for plane in planes]
        if tags.get(tiff.EXTRA_SAMPLES, (tiff.UNASSOCIATED_ALPHA,))[0] == 0:
            planes = planes[:3]  # the fourth is not alpha
        return planes

    def _encoding(
        self,
        image: Image.Image,
        exif_tags: Image.Exif,
        orientation: Orientation,
        tags: Mapping[int, Any],
    ) -> Encoding:
        options: dict[str, Any] = {}
        if self._format == "JPEG":
            options = _jpeg_options(image, orientation)
        elif self._format == "WEBP":
            is_lossless = chunks.is_lossless_webp(self._data)
            options = (
                {"lossless": True, "exact": True} if is_lossless else {"quality": _WEBP_QUALITY}
            )
        elif self._format == "TGA":
            options["compression"] = image.info.get("compression")
        elif self._format == "AVIF":
            options["color_codes"] = avif.color_codes(self._data)
        elif self._format == "TIFF":
            compression = image.info.get("compression")
            is_kept = compression in tiff.COMPRESSIONS
            options["compression"] = compression if is_kept else tiff.LOSSLESS
            if tiff.EXTRA_SAMPLES in tags:
                options["alpha"] = tags[tiff.EXTRA_SAMPLES][0]
        return Encoding(
            format=self._format,
            icc_profile=(
                None
                if image.mode in FOREIGN_MODES
                else icc.anonymous(image.info.get("icc_profile"))
            ),
            dpi=_dpi(image.info.get("dpi")),
            is_bilevel=image.mode == "1",
            plays=image.info.get("loop") or 0,
            exif=exif.harmless(exif_tags),
            png_chunks=chunks.png_color_chunks(self._data) if self._format == "PNG" else b"",
            options=options,
        )


def _is_tga(data: bytes) -> bool:
    """Return whether a file can only be a TGA, which has no signature."""
    if len(data) < _TGA_HEADER.size:
        return False
    _, palette, kind, *_, width, height, bits, _ = _TGA_HEADER.unpack_from(data)
    if kind not in _TGA_KINDS or bits not in (8, 16, 24, 32) or width * height == 0:
        return False
    return palette == 1 if kind in _TGA_PALETTE_KINDS else palette in (0, 1)


def _jpeg_options(image: Image.Image, orientation: Orientation) -> dict[str, Any]:
    """Return quantization tables and chroma subsampling, turned with the pixels."""
    assert isinstance(image, JpegImagePlugin.JpegImageFile)
    tables = [np.reshape(table, (8, 8)) for table in image.quantization.values()]
    subsampling = JpegImagePlugin.get_sampling(image)
    if orientation.swaps_sides:
        tables = [table.T for table in tables]
        if subsampling == 1:  # 4:2:2: turned, Pillow cannot write it
            subsampling = 0
    options = {
        "qtables": [table.ravel().tolist() for table in tables],
        "progressive": bool(image.info.get("progressive")),
    }
    if image.mode != "L":
        options["subsampling"] = max(subsampling, 0)  # an unknown one becomes 4:4:4
        options["keep_rgb"] = image.mode == "RGB" and image.info.get("adobe_transform") == 0
    return options


def _dpi(dpi: Any) -> tuple[float, float] | None:
    try:
        across, down = (float(value) for value in dpi)
    except (TypeError, ValueError, ZeroDivisionError):
        return None
    return (across, down) if 1 <= across < 1e6 and 1 <= down < 1e6 else None
