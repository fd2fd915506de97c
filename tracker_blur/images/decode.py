"""Whether a WebP picture was stored without loss.

WebP Container Specification, RFC 9649, section 2.

The bytes of a picture's file into frames: Pillow, and OpenCV for 16 bits.

Pillow reads every format, but brings colors of 16 bits down to 8; those it only checks, and
OpenCV reads them. OpenCV alone would not do: it takes some damaged or planar files for good ones.
"""

from __future__ import annotations

import io
import struct
from collections.abc import Mapping
from typing import Any, Protocol

import cv2
import numpy as np
from PIL import Image, ImageCms, JpegImagePlugin

from tracker_blur.core.frame import Orientation, Samples
from tracker_blur.images import gif, png, tiff
from tracker_blur.images.exif import keepable, loaded
from tracker_blur.images.frame import ANIMATED_FORMATS, Encoding, ImageFrame
from tracker_blur.images.heic import HeicDecoder, is_heic

_FRAME_HEADER_SIZE = 16


def is_lossless(webp: bytes) -> bool:
    """Return whether the first picture in the file is in the lossless format."""
    position = 12  # after RIFF, its size, WEBP
    while position + 8 <= len(webp):
        kind, size = struct.unpack_from("<4sI", webp, position)
        if kind in (b"VP8 ", b"VP8L"):
            return bool(kind == b"VP8L")
        position += 8
        if kind == b"ANMF":  # a frame of an animation: its chunks lie inside
            position += _FRAME_HEADER_SIZE
        else:
            position += size + size % 2
    return False


_FORMATS = ("JPEG", "PNG", "WEBP", "TIFF", "BMP", "GIF")
_ORIENTATION_TAG = 274
_WEBP_QUALITY = 90  # what the input's was, a file does not tell
_WHOLE_BITS = (1, 2, 4, 8, 16)  # of a sample; others would change their meaning when written


class UnsupportedError(ValueError):
    """The file is whole, but its pixels are of a kind that cannot be written as they were."""


class Decoder(Protocol):
    """The frames in the bytes of one file."""

    @property
    def may_move(self) -> bool:
        """Whether several frames would be moments of one scene, rather than pages."""
        ...

    @property
    def is_whole(self) -> bool:
        """Whether the file has an end, where its decoder would not miss one."""
        ...

    @property
    def count(self) -> int:
        """How many frames there are; asking may fail for a damaged file."""
        ...

    def decode(self, index: int) -> ImageFrame:
        """Return a frame, upright; raises whatever a decoder stumbles over."""
        ...


def opened(data: bytes) -> Decoder:
    """Return the decoder for a file's content.

    Raises MissingPackageError for HEIC without its package, UnidentifiedImageError for what is
    not a picture, and whatever Pillow stumbles over in a damaged one.
    """
    return HeicDecoder(data) if is_heic(data) else PillowDecoder(data)


class PillowDecoder:
    """The frames of a file that Pillow reads."""

    def __init__(self, data: bytes) -> None:
        self._data = data
        self._image: Any = Image.open(io.BytesIO(data), formats=_FORMATS)
        # A JPEG may hold further pictures (MPO): previews, depth maps, gain maps. None is kept.
        self._format = "JPEG" if self._image.format == "MPO" else str(self._image.format)
        # An APNG may hold a picture for viewers that show no animations, outside of it.
        self._first = int(getattr(self._image, "default_image", False))
        self._pages: list[int] = []  # of a TIFF: those known so far that are no smaller copies

    @property
    def may_move(self) -> bool:
        """Whether several frames would be moments of one scene."""
        return self._format in ANIMATED_FORMATS

    @property
    def is_whole(self) -> bool:
        """Whether the file has an end; Pillow itself fails where other formats lack theirs."""
        return self._format != "GIF" or gif.is_whole(self._data)

    @property
    def count(self) -> int:
        """How many frames or pages there are."""
        if self._format == "JPEG":
            return 1
        held = int(getattr(self._image, "n_frames", 1))
        if self._format == "TIFF":
            return held - sum(self._is_reduced(page) for page in range(held))
        return held - self._first

    def decode(self, index: int) -> ImageFrame:
        """Return a frame, upright."""
        image = self._image
        place = self._page(index) if self._format == "TIFF" else index + self._first
        if place:
            image.seek(place)
        tags: Mapping[int, Any] = dict(image.tag_v2) if self._format == "TIFF" else {}
        image.load()
        is_deep = self._bits(tags) > 8
        if is_deep:
            planes = self._deep_planes(place, tags)
        else:
            planes = list(cv2.split(np.asarray(_flat(image))))
        orientation = Orientation.UPRIGHT
        if self._format == "TIFF":
            exif = image.getexif()  # its pages are turned already
        else:
            # Not getexif(): it takes an orientation from XMP too, which viewers ignore.
            exif = loaded(image.info.get("exif"))
            orientation = _orientation(exif)
            planes = [np.ascontiguousarray(orientation.upright(plane)) for plane in planes]
        colors = 3 if len(planes) >= 3 else 1
        frame = ImageFrame(
            channels=tuple(planes[:colors]),
            alpha=planes[colors] if len(planes) > colors else None,
            encoding=self._encoding(image, exif, orientation, tags),
            duration=round(image.info.get("duration", 0) * 1000),
        )
        if self._format == "GIF":
            used = np.unique(gif.packed(frame.channels))
            frame.palette = used if used.size <= 256 else None
        return frame

    def _page(self, index: int) -> int:
        """Return the place in a TIFF of a page: a smaller copy of another, a thumbnail, is none."""
        place = self._pages[-1] + 1 if self._pages else 0
        while len(self._pages) <= index:
            try:
                is_reduced = self._is_reduced(place)
            except EOFError:
                if not self._pages:
                    raise UnsupportedError("holds nothing but smaller copies of pictures") from None
                raise
            if not is_reduced:
                self._pages.append(place)
            place += 1
        return self._pages[index]

    def _is_reduced(self, place: int) -> bool:
        self._image.seek(place)
        return tiff.is_reduced(dict(self._image.tag_v2))

    def _bits(self, tags: Mapping[int, Any]) -> int:
        if self._format == "PNG":
            return png.bits(self._data)
        if self._format != "TIFF":
            return 8
        bits = set(tags.get(tiff.BITS_PER_SAMPLE, (1,)))
        if len(bits) > 1 or not bits.issubset(_WHOLE_BITS):
            raise UnsupportedError(f"has samples of {sorted(bits)} bits")
        return int(bits.pop())

    def _deep_planes(self, place: int, tags: Mapping[int, Any]) -> list[Samples]:
        """Return channels of 16 bits: red, green, blue or gray, and alpha if there is one."""
        buffer = np.frombuffer(self._data, np.uint8)
        if self._format == "PNG":
            if self.count > 1:
                raise UnsupportedError("is an animated PNG with samples of 16 bits")
            samples = cv2.imdecode(buffer, cv2.IMREAD_UNCHANGED)
        else:
            if (
                self._image.mode not in ("I;16", "I;16B", "RGB", "RGBA")
                or tags.get(tiff.PLANAR) == 2
            ):
                raise UnsupportedError(f"is a 16-bit TIFF of a rare kind ({self._image.mode})")
            _, pages = cv2.imdecodemulti(buffer, cv2.IMREAD_UNCHANGED, range=(place, place + 1))
            samples = pages[0] if pages else None
        if (
            samples is None
            or samples.dtype != np.uint16
            or samples.shape[:2] != self._upright_shape()
        ):
            raise UnsupportedError("is a 16-bit picture that OpenCV does not read")
        planes = list(cv2.split(samples))
        planes[:3] = planes[:3][::-1]
        if tags.get(tiff.PHOTOMETRIC) == 0:  # where 0 is white
            planes = [np.invert(plane) for plane in planes]
        if tags.get(tiff.EXTRA_SAMPLES, (tiff.UNASSOCIATED,))[0] == 0:
            planes = planes[:3]  # the fourth is anything but opacity
        return planes

    def _upright_shape(self) -> tuple[int, int]:
        width, height = self._image.size
        return height, width

    def _encoding(
        self,
        image: Image.Image,
        exif: Image.Exif,
        orientation: Orientation,
        tags: Mapping[int, Any],
    ) -> Encoding:
        options: dict[str, Any] = {}
        if self._format == "JPEG":
            options = _jpeg_options(image, orientation)
        elif self._format == "WEBP":
            lossless = is_lossless(self._data)
            options = {"lossless": True, "exact": True} if lossless else {"quality": _WEBP_QUALITY}
        elif self._format == "TIFF":
            compression = image.info.get("compression")
            known = compression in tiff.COMPRESSIONS
            options["compression"] = compression if known else tiff.LOSSLESS
            if tiff.EXTRA_SAMPLES in tags:
                options["extra_samples"] = tags[tiff.EXTRA_SAMPLES][0]
        loop = image.info.get("loop")
        if self._format == "GIF":  # which counts the repetitions, and plays once unless told
            loop = 1 if loop is None else loop and loop + 1
        return Encoding(
            format=self._format,
            icc_profile=None if image.mode in _FOREIGN_MODES else image.info.get("icc_profile"),
            dpi=_dpi(image.info.get("dpi")),
            is_bilevel=image.mode == "1",
            plays=loop or 0,
            exif=keepable(exif),
            png_chunks=png.kept_chunks(self._data) if self._format == "PNG" else b"",
            options=options,
        )


_FOREIGN_MODES = frozenset({"CMYK", "LAB"})


def _flat(image: Image.Image) -> Image.Image:
    """Return a picture of 8 bits in one of the modes L, LA, RGB and RGBA."""
    if image.mode in ("L", "LA", "RGB", "RGBA") and "transparency" not in image.info:
        return image
    if image.mode in ("1", "L"):
        return image.convert("LA" if "transparency" in image.info else "L")
    if image.mode in ("P", "PA", "RGB", "RGBX", "YCbCr"):
        return image.convert("RGBA" if image.has_transparency_data else "RGB")
    if image.mode in _FOREIGN_MODES:
        return _from_foreign(image)
    raise UnsupportedError(f"has pixels of a rare kind ({image.mode})")


def _from_foreign(image: Image.Image) -> Image.Image:
    """Return colors for print as sRGB, by the file's own profile where it has a good one."""
    profile = image.info.get("icc_profile")
    if profile or image.mode == "LAB":
        try:
            source = (
                ImageCms.ImageCmsProfile(io.BytesIO(profile))
                if profile
                else ImageCms.createProfile("LAB")
            )
            converted = ImageCms.profileToProfile(
                image, source, ImageCms.createProfile("sRGB"), outputMode="RGB"
            )
            assert converted is not None  # it is only None where it works in place
            return converted
        except ImageCms.PyCMSError:
            if image.mode == "LAB":
                raise
    return image.convert("RGB")


def _jpeg_options(image: Image.Image, orientation: Orientation) -> dict[str, Any]:
    """Return quantization tables and chroma subsampling, turned with the pixels."""
    assert isinstance(image, JpegImagePlugin.JpegImageFile)
    tables = [np.reshape(table, (8, 8)) for table in image.quantization.values()]
    subsampling = JpegImagePlugin.get_sampling(image)
    if orientation.swaps_sides:
        tables = [table.T for table in tables]
        if subsampling == 1:  # halved across only: turned, Pillow cannot write it
            subsampling = 0
    options = {
        "qtables": [table.ravel().tolist() for table in tables],
        "progressive": bool(image.info.get("progressive")),
    }
    if image.mode != "L":
        options["subsampling"] = max(subsampling, 0)  # an unusual one becomes none
        options["keep_rgb"] = image.mode == "RGB" and image.info.get("adobe_transform") == 0
    return options


def _orientation(exif: Image.Exif) -> Orientation:
    try:
        return Orientation(exif.get(_ORIENTATION_TAG, 1))
    except ValueError:
        return Orientation.UPRIGHT


def _dpi(dpi: Any) -> tuple[float, float] | None:
    try:
        across, down = (float(value) for value in dpi)
    except (TypeError, ValueError, ZeroDivisionError):
        return None
    return (across, down) if 1 <= across < 1e6 and 1 <= down < 1e6 else None
