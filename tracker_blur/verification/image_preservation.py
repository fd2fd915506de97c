"""Preservation for images: whether everything that was not to be hidden is as it was."""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING

from PIL import ExifTags, Image

from tracker_blur.errors import SourceError, reason_of
from tracker_blur.verification.verdict import Check

if TYPE_CHECKING:
    from pathlib import Path

    from tracker_blur.images.reader import ImageReader
    from tracker_blur.settings import MetadataRule
    from tracker_blur.verification.frame_comparison import FrameComparison

_TEXT_KEYS = ("xmp", "comment", "photoshop", "XML:com.adobe.xmp", "Raw profile type exif")
"""Pillow's names of what an image may hold in writing besides EXIF."""

_TECHNICAL_TAGS = {  # they say how the samples are stored, or how to show them
    ExifTags.Base.Orientation,
    ExifTags.Base.ColorSpace,
    ExifTags.Base.ExifImageWidth,
    ExifTags.Base.ExifImageHeight,
}
_FIRST_EXIF_TAGS = {ExifTags.Base.Make, ExifTags.Base.Model, ExifTags.Base.Software} | {
    ExifTags.Base.DateTime,
    ExifTags.Base.Artist,
    ExifTags.Base.Copyright,
    ExifTags.Base.ImageDescription,
    ExifTags.Base.HostComputer,
    ExifTags.Base.XPTitle,
    ExifTags.Base.XPComment,
    ExifTags.Base.XPAuthor,
    ExifTags.Base.XPKeywords,
    ExifTags.Base.XPSubject,
}
"""Tags of the first directory that identify; the others of a TIFF say how it is stored."""


def compare(
    output: Path,
    after: ImageReader,
    before: ImageReader,
    frames: FrameComparison,
    metadata: MetadataRule,
) -> tuple[Check, ...]:
    """Return a check for each part of an image.

    Args:
        output: the finished file.
        after: its reader.
        before: the reader of the input that it was made from.
        frames: how the frames or pages of both compare, to their ends.
        metadata: whether identifying metadata was to be dropped.

    Raises:
        SourceError: the file cannot be read.
    """
    width, height = after.info.size
    text = f"{width}x{height}"
    is_same = after.info.size == before.info.size
    if not is_same:
        text += " instead of {}x{}".format(*before.info.size)
    checks = [*frames.checks(float(1 / after.info.rate)), Check("shape", is_same, text)]
    if metadata == "drop":
        checks.append(_dropped_tags(output))
    return tuple(checks)


def _dropped_tags(output: Path) -> Check:
    """Check that nothing written in the file identifies a place, device or person."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            with Image.open(output) as image:
                left = _identifying(image)
    except Exception as error:  # decoders raise whatever they like
        raise SourceError(f"{output}: its metadata cannot be read ({reason_of(error)})") from error
    found = f"still there: {', '.join(left)}" if left else "no place, device or person"
    return Check("dropped tags", not left, found)


def _identifying(image: Image.Image) -> list[str]:
    exif = image.getexif()
    tags = {ExifTags.TAGS.get(tag, str(tag)) for tag in exif if tag in _FIRST_EXIF_TAGS}
    for directory in (ExifTags.IFD.Exif, ExifTags.IFD.GPSInfo):
        names = ExifTags.GPSTAGS if directory is ExifTags.IFD.GPSInfo else ExifTags.TAGS
        block = exif.get_ifd(directory)
        tags |= {names.get(tag, str(tag)) for tag in block if tag not in _TECHNICAL_TAGS}
    return sorted(tags | {key for key in _TEXT_KEYS if image.info.get(key)})
