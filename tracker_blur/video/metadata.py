"""Which tags of a file go into the redacted one.

By default only what is needed to tell tracks and chapters apart. A file's own title and comment,
place, time, device, software and people all may identify who is seen.
"""

from __future__ import annotations

from collections.abc import Mapping

from tracker_blur.settings import MetadataRule

_PICTURES = {"metadata_block_picture", "coverart", "apic", "thumbnail", "xmp"}
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


def file_tags(tags: Mapping[str, str], rule: MetadataRule) -> dict[str, str]:
    """Return the tags of the file as a whole that are kept."""
    return _harmless(tags) if rule == "keep" else {}


def track_tags(tags: Mapping[str, str], kind: str, rule: MetadataRule) -> dict[str, str]:
    """Return the tags of a track that are kept; `kind` is "video", "audio" or "subtitle"."""
    kept = _harmless(tags) if rule == "keep" else {}
    if "language" in tags:
        kept["language"] = tags["language"]
    title = tags.get("title") or tags.get("name")  # MP4 calls it so
    if title and (kind != "video" or rule == "keep"):  # cameras write their model there
        kept["title"] = title
    return kept


def chapter_tags(tags: Mapping[str, str]) -> dict[str, str]:
    """Return the tags of a chapter that are kept."""
    return {"title": tags["title"]} if "title" in tags else {}


def _harmless(tags: Mapping[str, str]) -> dict[str, str]:
    return {
        key: value
        for key, value in tags.items()
        if key.lower() not in _PICTURES | _STALE and not key.lower().startswith("_statistics")
    }
