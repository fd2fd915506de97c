"""The EXIF tags that are kept when a user asks for it: an explicit list, nothing else.

The list has tags about how, when, where and by whom an image was taken, as numbers and short texts.
It leaves out everything that can hold pixels (the thumbnail's directory, maker notes, previews,
user comments, private tags) and the orientation, which is applied to the pixels.

Exif 2.32, CIPA DC-008-2019, sections 4.6.4 to 4.6.6.
"""

from __future__ import annotations

from typing import Any

from PIL import ExifTags, Image

from tracker_blur.core.frame import Orientation
from tracker_blur.images.channels import UnsupportedError

_MAX_BYTES = 4 << 20  # cameras write a tenth of a megabyte; 64 MB of numbers take a minute
_LONGEST_TEXT = 1000
_MOST_NUMBERS = 16

_Base, _IFD = ExifTags.Base, ExifTags.IFD

_IMAGE_TAGS = (
    _Base.ImageDescription,
    _Base.Make,
    _Base.Model,
    _Base.Software,
    _Base.DateTime,
    _Base.Artist,
    _Base.Copyright,
)
_EXIF_TAGS = (
    _Base.ExposureTime,
    _Base.FNumber,
    _Base.ExposureProgram,
    _Base.ISOSpeedRatings,
    _Base.DateTimeOriginal,
    _Base.DateTimeDigitized,
    _Base.OffsetTime,
    _Base.OffsetTimeOriginal,
    _Base.OffsetTimeDigitized,
    _Base.ShutterSpeedValue,
    _Base.ApertureValue,
    _Base.BrightnessValue,
    _Base.ExposureBiasValue,
    _Base.MaxApertureValue,
    _Base.SubjectDistance,
    _Base.MeteringMode,
    _Base.LightSource,
    _Base.Flash,
    _Base.FocalLength,
    _Base.SubsecTime,
    _Base.SubsecTimeOriginal,
    _Base.SubsecTimeDigitized,
    _Base.ExposureMode,
    _Base.WhiteBalance,
    _Base.DigitalZoomRatio,
    _Base.FocalLengthIn35mmFilm,
    _Base.SceneCaptureType,
    _Base.Contrast,
    _Base.Saturation,
    _Base.Sharpness,
    _Base.CameraOwnerName,
    _Base.BodySerialNumber,
    _Base.LensSpecification,
    _Base.LensMake,
    _Base.LensModel,
    _Base.LensSerialNumber,
)
_GPS_TAGS = (
    ExifTags.GPS.GPSLatitudeRef,
    ExifTags.GPS.GPSLatitude,
    ExifTags.GPS.GPSLongitudeRef,
    ExifTags.GPS.GPSLongitude,
    ExifTags.GPS.GPSAltitude,
    ExifTags.GPS.GPSTimeStamp,
    ExifTags.GPS.GPSDateStamp,
    ExifTags.GPS.GPSImgDirectionRef,
    ExifTags.GPS.GPSImgDirection,
    ExifTags.GPS.GPSMapDatum,
)


def parse(block: bytes | None) -> Image.Exif:
    """Return the tags of an EXIF block: none if there is no block, or a damaged one.

    Raises:
        UnsupportedError: It is so large that its parser might take minutes.
    """
    if block is not None and len(block) > _MAX_BYTES:
        raise UnsupportedError(f"has {len(block) >> 20} MB of EXIF data")
    exif = Image.Exif()
    try:
        exif.load(block or b"")
    except Exception:  # noqa: BLE001  # Pillow raises whatever its parser does
        return Image.Exif()
    return exif


def orientation(tags: Image.Exif) -> Orientation:
    """Return how an image with these tags is turned."""
    try:
        return Orientation(tags.get(_Base.Orientation, 1))
    except ValueError:
        return Orientation.UPRIGHT


def harmless(exif: Image.Exif) -> bytes:
    """Return an EXIF block with only the listed tags; empty if none of them can be read."""
    kept = Image.Exif()
    try:
        for tag, value in _listed(exif, _IMAGE_TAGS).items():
            kept[tag] = value
        for directory, tags in ((_IFD.Exif, _EXIF_TAGS), (_IFD.GPSInfo, _GPS_TAGS)):
            if listed := _listed(exif.get_ifd(directory), tags):
                kept[directory] = listed
        return kept.tobytes() if kept else b""
    except Exception:  # noqa: BLE001  # damaged directories fail only now, when they are parsed
        return b""


def tags(exif: bytes) -> dict[int, Any]:
    """Return a block from `harmless` as tags, some of which hold a dict of further tags."""
    block = parse(exif)
    return {
        tag: block.get_ifd(tag) if tag in (_IFD.Exif, _IFD.GPSInfo) else value
        for tag, value in block.items()
    }


def _listed(tags: Any, listed: tuple[int, ...]) -> dict[int, Any]:
    return {int(tag): tags[tag] for tag in listed if tag in tags and _is_harmless(tags[tag])}


def _is_harmless(value: Any) -> bool:
    if isinstance(value, str):
        return len(value) <= _LONGEST_TEXT
    if isinstance(value, tuple):
        return len(value) <= _MOST_NUMBERS and not any(isinstance(v, (str, bytes)) for v in value)
    return not isinstance(value, (bytes, dict))
