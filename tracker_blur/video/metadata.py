"""Which metadata of a video gets into the redacted one; the rest is dropped.

By default, only what is needed to distinguish tracks and chapters is kept. A file's own title and
comment, place, time, device, software and people may all identify who is in it.
"""

from __future__ import annotations

import re
import struct
from typing import TYPE_CHECKING

from tracker_blur.video.telemetry import Evidence, evidence
from tracker_blur.video.track_titles import is_common_title

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tracker_blur.settings import MetadataRule

_IMAGES = {"metadata_block_picture", "coverart", "apic", "thumbnail", "xmp"}
_STALE = {  # true of the input only
    "major_brand",
    "minor_version",
    "compatible_brands",
    "encoder",
    "vendor_id",
    "rotate",
    "duration",
    "bps",
    "number_of_frames",
    "number_of_bytes",
}

_LANGUAGE = re.compile(r"[A-Za-z]{2,3}(?:-[A-Za-z]{4})?(?:-(?:[A-Za-z]{2}|\d{3}))?")  # RFC 5646
_COMMENT_TYPE = b"\x03vorbis"
_NO_COMMENTS = _COMMENT_TYPE + struct.pack("<II", 0, 0) + b"\x01"  # no vendor, none, framing bit
_LACED = 2  # how many of the three headers have their sizes stated
_IDENTIFICATION_BYTES = 30


def file_tags(tags: Mapping[str, str], rule: MetadataRule) -> dict[str, str]:
    """Return the tags of a file that are kept."""
    return _harmless(tags) if rule == "keep" else {}


def track_tags(tags: Mapping[str, str], kind: str, rule: MetadataRule) -> dict[str, str]:
    """Return the tags of a track that are kept; `kind` is "video", "audio" or "subtitle"."""
    kept = _harmless(tags) if rule == "keep" else {}
    language = tags.get("language", "")
    if _LANGUAGE.fullmatch(language):
        kept["language"] = language
    title = tags.get("title") or tags.get("name")  # MP4 calls it so
    if title and (rule == "keep" or (kind != "video" and is_common_title(title))):
        kept["title"] = title
    return kept


def chapter_tags(tags: Mapping[str, str], rule: MetadataRule) -> dict[str, str]:
    """Return the tags of a chapter that are kept; titles go where cameras stamped them."""
    title = tags.get("title", "")
    is_stamp = rule != "keep" and evidence(title) is not Evidence.NONE
    return {"title": title} if title and not is_stamp else {}


def _harmless(tags: Mapping[str, str]) -> dict[str, str]:
    return {
        key: value
        for key, value in tags.items()
        if key.lower() not in _IMAGES | _STALE and not key.lower().startswith("_statistics")
    }


def without_vorbis_comments(setup: bytes) -> bytes:
    """Return the three headers of a Vorbis track, as Matroska stores them, without comments.

    Comments may name people and places, and may even hold a cover image. A stream copy would take
    them along, because they lie in the decoder's setup data (Vorbis I, Xiph.Org 2020, sections 4.2
    and 5).

    Raises:
        ValueError: These are not headers of Vorbis.
    """
    first, comments, last = vorbis_headers(setup)
    if not comments.startswith(_COMMENT_TYPE) or not last:
        raise ValueError("its audio is not Vorbis that can be copied")
    return laced_vorbis_headers(first, _NO_COMMENTS, last)


def vorbis_headers(setup: bytes) -> tuple[bytes, bytes, bytes]:
    """Return the three headers of a block in either of FFmpeg's forms."""
    if setup[:2] == struct.pack(">H", _IDENTIFICATION_BYTES):  # each header behind its size
        parts = []
        at = 0
        for _ in range(3):
            size = int.from_bytes(setup[at : at + 2], "big")
            parts.append(setup[at + 2 : at + 2 + size])
            at += 2 + size
        return parts[0], parts[1], parts[2]
    at, sizes = 1, []
    for _ in range(_LACED):
        size = 0
        while setup[at : at + 1] == b"\xff":
            size, at = size + 255, at + 1
        sizes.append(size + int.from_bytes(setup[at : at + 1], "big"))
        at += 1
    middle, end = at + sizes[0], at + sum(sizes)
    return setup[at:middle], setup[middle:end], setup[end:]


def laced_vorbis_headers(first: bytes, comments: bytes, last: bytes) -> bytes:
    """Return three headers as one block, with the sizes of the first two in front."""
    return bytes([_LACED]) + _lacing(first) + _lacing(comments) + first + comments + last


def _lacing(header: bytes) -> bytes:
    return b"\xff" * (len(header) // 255) + bytes([len(header) % 255])
