"""Which videos are open for review: their ids stay the same over restarts."""

from __future__ import annotations

import threading
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from tracker_blur.files.companions import tracks_path
from tracker_blur.files.paths import real_path
from tracker_blur.web.state import path_id

if TYPE_CHECKING:
    from tracker_blur.web.folder import Folder
    from tracker_blur.web.state import State

_FILE = "reviews"


@dataclass(frozen=True, slots=True)
class Review:
    """A video or an image that is reviewed.

    Attributes:
        id: 16 hexadecimal digits; see `review_id`.
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
        for record in state.read_list(_FILE):
            with suppress(TypeError, ValueError):  # one that was not kept whole
                video, tracks = map(Path, record)
                review = Review(review_id(video, tracks), video, tracks)
                if folder.holds(video) and folder.holds(tracks):
                    self._reviews[review.id] = review

    def open(self, video: Path, tracks: Path | None = None) -> Review:
        """Return the review of a video with a track file.

        Args:
            video: The video or the image.
            tracks: Its track file; None: the one next to it.
        """
        real = real_path(video)
        real_tracks = real_path(tracks or tracks_path(real))
        review = Review(review_id(real, real_tracks), real, real_tracks)
        with self._lock:
            if self._reviews.get(review.id) != review:
                self._reviews[review.id] = review
                known = [(str(each.video), str(each.tracks)) for each in self._reviews.values()]
                self._state.write(_FILE, known)
        return review

    def get(self, review_id: str) -> Review | None:
        """Return the review with this id; None if there is none, or its video is gone.

        Its paths were checked when it was opened: if they lead elsewhere by now, it is gone, too.
        """
        with self._lock:
            review = self._reviews.get(review_id)
        if review is None or not review.video.is_file():
            return None
        paths = review.video, review.tracks
        return review if all(real_path(path) == path for path in paths) else None


def review_id(video: Path, tracks: Path | None = None) -> str:
    """Return what stands for a review, over restarts: 16 hexadecimal digits.

    Another track file than the one next to the video makes another review: its edits are others,
    and a window that is open continues with its own.
    """
    if tracks is None or real_path(tracks) == real_path(tracks_path(real_path(video))):
        return path_id(video)
    return path_id(video, tracks)
