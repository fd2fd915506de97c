"""The reviews that are open: a few at a time, because each keeps frames in memory."""

from __future__ import annotations

import threading
from collections import OrderedDict, defaultdict
from functools import partial
from typing import TYPE_CHECKING

from tracker_blur.errors import TrackerBlurError
from tracker_blur.review.session import ReviewSession

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

_MOST_OPEN = 12
_MOST_WITH_FRAMES = 3
_NEWS_SECONDS = 1.0


class Sessions:
    """Opens reviews, keeps the last ones open, and reports what is new in them.

    Only the last few keep decoded frames, which take most of the memory.

    Args:
        notify: called with the id and the version of a review that has a new version, or more to
            show; from any thread.
        models_folder: a folder with weight files, searched first.
    """

    def __init__(
        self, notify: Callable[[str, int], None], models_folder: Path | None = None
    ) -> None:
        self._notify = notify
        self._models_folder = models_folder
        self._open: OrderedDict[str, ReviewSession] = OrderedDict()
        self._lock = threading.Lock()
        self._opening: defaultdict[str, threading.Lock] = defaultdict(threading.Lock)
        self._is_closed = threading.Event()
        self._watcher = threading.Thread(target=self._watch, name="review news", daemon=True)
        self._has_begun = False

    def get(self, review_id: str, video: Path, track_path: Path) -> ReviewSession:
        """Return the session of a review, opened if it is not; what others wrote is taken over.

        Args:
            review_id: its id.
            video: the video or the image.
            track_path: its track file.

        Raises:
            TrackerBlurError: it cannot be opened.
        """
        with self._opening_lock(review_id):
            with self._lock:
                session = self._open.get(review_id)
            if session is not None and not session.is_of(video, track_path):
                self._forget(review_id)
                session = None
            if session is None:
                notify = partial(self._notify_open, review_id)
                session = ReviewSession(video, track_path, notify, self._models_folder)
            self._keep(review_id, session)
        if session.refresh():
            self._notify(review_id, session.version)
        return session

    def notify(self, review_id: str, session: ReviewSession) -> None:
        """Report a session's version."""
        self._notify(review_id, session.version)

    def _notify_open(self, review_id: str) -> None:
        with self._lock:
            session = self._open.get(review_id)
        if session is not None:
            self._notify(review_id, session.version)

    def close(self) -> None:
        """Close all sessions."""
        self._is_closed.set()
        if self._has_begun:
            self._watcher.join()
        for review_id in list(self._open):
            self._forget(review_id)

    def _opening_lock(self, review_id: str) -> threading.Lock:
        with self._lock:
            return self._opening[review_id]

    def _keep(self, review_id: str, session: ReviewSession) -> None:
        with self._lock:
            self._open[review_id] = session
            self._open.move_to_end(review_id)
            oldest = next(iter(self._open)) if len(self._open) > _MOST_OPEN else None
            resting = list(self._open.values())[:-_MOST_WITH_FRAMES]
            if not self._has_begun:
                self._has_begun = True
                self._watcher.start()
        for session in resting:
            session.forget_frames()
        if oldest is not None:
            self._forget(oldest)

    def _forget(self, review_id: str) -> None:
        with self._lock:
            session = self._open.pop(review_id, None)
        if session is not None:
            session.close()

    def _watch(self) -> None:
        """Look again and again for what other processes wrote."""
        while not self._is_closed.wait(_NEWS_SECONDS):
            with self._lock:
                sessions = list(self._open.items())
            for review_id, session in sessions:
                try:
                    has_news = session.refresh()
                except TrackerBlurError:  # the next request says so
                    continue
                if has_news:
                    self._notify(review_id, session.version)
