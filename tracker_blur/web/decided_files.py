"""Which files someone has decided about in a review: they are not redacted as if no one had."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

from tracker_blur.annotations import track_file
from tracker_blur.errors import TrackerBlurError
from tracker_blur.files.companions import tracks_path
from tracker_blur.files.identity import sha256
from tracker_blur.files.paths import is_folder, is_media
from tracker_blur.review.decisions import is_changed_since
from tracker_blur.review.journal import Journal, journal_path

if TYPE_CHECKING:
    from collections.abc import Iterator


def decided_files(path: Path) -> Iterator[Path]:
    """Yield a file, or the files in a folder and below it, about which someone has decided."""
    if not is_folder(path):
        if is_decided(path):
            yield path
        return
    for folder, folders, names in os.walk(path):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        for file in (Path(folder, name) for name in sorted(names)):
            if is_media(file) and not file.name.startswith(".") and is_decided(file):
                yield file


def is_decided(source: Path) -> bool:
    """Return whether a review of a video or an image has decisions that change its pictures.

    They are in the journal next to it. If that cannot be read, it may have some; if it is about
    another file that was here before, it has none about this one.
    """
    tracks = tracks_path(source)
    journal = journal_path(tracks)
    if not os.path.lexists(journal):
        return False
    try:
        if track_file.read(tracks).source_bytes != source.stat().st_size:
            return False
        return is_changed_since(Journal(journal, sha256(tracks)).news(), 0)
    except (OSError, TrackerBlurError):
        return True
