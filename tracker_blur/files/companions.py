"""Names of the files that lie next to a video or an image: its tracks, and what belongs to them."""

from __future__ import annotations

import json
import os
from typing import TYPE_CHECKING

from tracker_blur.files.paths import MEDIA_SUFFIXES, exists, is_file

if TYPE_CHECKING:
    from pathlib import Path

TRACKS_SUFFIX = ".tracks.jsonl"
_HEADER_BYTES = 1 << 16


def tracks_path(source: Path) -> Path:
    """Return where the tracks of a video or an image lie, or will lie: next to it.

    That is IN.tracks.jsonl for IN.mp4. Where IN.jpg lies there, too, it is IN.mp4.tracks.jsonl: one
    file must not replace the tracks and decisions of another.
    """
    short, full = _names(source)
    if exists(full):
        return full
    return full if _has_namesake(source) and not _is_of(short, source) else short


def has_tracks(source: Path) -> bool:
    """Return whether the tracks of a video or an image lie next to it."""
    return any(map(is_file, _names(source))) and is_file(tracks_path(source))


def beside_tracks(track_file: Path, suffix: str) -> Path:
    """Return where something lies that belongs to a track file: IN.SUFFIX for IN.tracks.jsonl."""
    name = track_file.name
    stem = name.removesuffix(TRACKS_SUFFIX) if name.endswith(TRACKS_SUFFIX) else track_file.stem
    return track_file.with_name(stem + suffix)


def _names(source: Path) -> tuple[Path, Path]:
    short, full = source.stem + TRACKS_SUFFIX, source.name + TRACKS_SUFFIX
    return source.with_name(short), source.with_name(full)


def _has_namesake(source: Path) -> bool:
    """Return whether another video or image lies there whose name differs in its suffix only."""
    suffixes = (each for suffix in MEDIA_SUFFIXES for each in (suffix, suffix.upper()))
    names = {source.stem + suffix for suffix in suffixes} - {source.name}
    return any(os.path.lexists(source.with_name(name)) for name in names)


def _is_of(track_file: Path, source: Path) -> bool:
    """Return whether a track file says that it is of the file with this name."""
    try:
        with track_file.open("rb") as file:
            header = json.loads(file.readline(_HEADER_BYTES))
        return bool(header["source"]["name"] == source.name)
    except (OSError, ValueError, TypeError, KeyError, RecursionError):
        return False
