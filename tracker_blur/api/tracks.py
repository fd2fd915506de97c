"""What callers of the library give as tracks: Tracks, or the path of a track file."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from tracker_blur.annotations import track_file
from tracker_blur.api.arguments import path_of, shown
from tracker_blur.core.tracks import Tracks
from tracker_blur.errors import InputError, TrackFileError
from tracker_blur.files.identity import FileIdentity

if TYPE_CHECKING:
    from pathlib import Path


def read_tracks(
    tracks: object, source: Path | None, *, is_shown: bool = False
) -> tuple[Tracks, FileIdentity | None]:
    """Return tracks, and the identity of the source if it is known what they were made for.

    Args:
        tracks: The tracks, or the path of their file.
        source: Their video, if there is one.
        is_shown: Whether those whom they leave visible are shown.

    Raises:
        TrackFileError: The track file is invalid, or not reviewed, or the tracks are another
            video's.
    """
    given = _checked(tracks)
    if not isinstance(given, Tracks):
        content = track_file.read(given)
        if is_shown:
            track_file.check_reviewed(content, given)
        identity = None if source is None else track_file.check_source(content, source)
        return content.tracks, identity
    if source is None or given.source_sha256 is None:
        return given, None
    identity = FileIdentity.of(source, hashed=True)
    if identity.sha256 != given.source_sha256:
        raise TrackFileError(
            f"{source}: is not the video that the tracks were made for: track this one"
        )
    return given, identity


def _checked(value: object) -> Tracks | Path:
    """Return tracks, or the path of a track file; raises InputError."""
    if isinstance(value, Tracks):
        return value
    if not isinstance(value, (str, os.PathLike)):
        raise InputError(f"tracks is {shown(value)}: give Tracks, or the path of a track file")
    return path_of(value, "tracks")
