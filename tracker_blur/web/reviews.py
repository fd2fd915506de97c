"""Which videos are open for review: their ids stay the same over restarts."""

from __future__ import annotations

import threading
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from tracker_blur.files.paths import real_path
from tracker_blur.web.folder import tracks_path
from tracker_blur.web.state import path_id

if TYPE_CHECKING:
    from tracker_blur.web.folder import Folder
    from tracker_blur.web.state import State

_FILE = "reviews"


@dataclass(frozen=True, slots=True)
class Review:
    """A video or an image that is reviewed.

    Attributes:
        id: 16 hexadecimal digits, of its real path.
        video: Its real path.
        tracks: Its track file; that of an image may be missing.
    """

    id: str
    video: Path
    tracks: Path


class Reviews:
    """Remembers which videos were opened.

    Args:
        state: Where they are kept.
        folder: Videos outside of it are forgotten.
    """

    def __init__(self, state: State, folder: Folder) -> None:
        self._state = state
        self._lock = threading.Lock()
        self._reviews: dict[str, Review] = {}
        for video, tracks in state.read(_FILE, []):
            review = Review(path_id(Path(video)), Path(video), Path(tracks))
            if folder.holds(review.video) and folder.holds(review.tracks):
                self._reviews[review.id] = review

    def open(self, video: Path, tracks: Path | None = None) -> Review:
        """Return the review of a video; its track file may be another than before.

        Args:
            video: The video or the image.
            tracks: Its track file; None: the one next to it.
        """
        real = real_path(video)
        review = Review(path_id(real), real, real_path(tracks or tracks_path(real)))
        with self._lock:
            if self._reviews.get(review.id) != review:
                self._reviews[review.id] = review
                known = [(str(each.video), str(each.tracks)) for each in self._reviews.values()]
                self._state.write(_FILE, known)
        return review

    def get(self, review_id: str) -> Review | None:
        """Return the review with this id; None if there is none, or its video is gone."""
        with self._lock:
            review = self._reviews.get(review_id)
        return review if review is not None and review.video.is_file() else None
