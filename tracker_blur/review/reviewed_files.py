"""The files of a review: the video and its track file, which must stay what they were."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

from tracker_blur.annotations import track_file
from tracker_blur.errors import SourceError, TrackerBlurError, TrackFileError
from tracker_blur.files.identity import FileIdentity
from tracker_blur.review.background import step_back

if TYPE_CHECKING:
    from pathlib import Path

_HASHED_AT_ONCE = 256 << 20  # bytes; larger videos are hashed while the first frames are shown


class ReviewedFiles:
    """The video and the track file of a review, as they were when it began.

    Args:
        video: the video, or an image.
        track_path: its track file.

    Attributes:
        video: the same.
        track_path: the same.
        content: the track file as it was made.
        identity: the video when the review began.
        track_sha256: the hash of the track file.

    Raises:
        TrackerBlurError: one of the files cannot be read, or they do not belong together.
    """

    def __init__(self, video: Path, track_path: Path) -> None:
        self.video, self.track_path = video, track_path
        self._track_identity = FileIdentity.of(track_path, hashed=True)
        self.content = track_file.read(track_path)
        self.identity = FileIdentity.of(video)
        self._problem: TrackerBlurError | None = None
        self._hashing: threading.Thread | None = None
        self._check_video()
        assert self._track_identity.sha256 is not None  # it was requested
        self.track_sha256 = self._track_identity.sha256

    def are(self, video: Path, track_path: Path) -> bool:
        """Return whether these are the files, in the state in which they were opened."""
        if (video, track_path) != (self.video, self.track_path):
            return False
        try:
            self.identity.check()
            self._track_identity.check()
        except SourceError:
            return False
        return True

    def check_tracks(self) -> None:
        """Check that the track file is what it was; raises TrackFileError."""
        try:
            self._track_identity.check()
        except SourceError as error:
            raise TrackFileError(
                f"{self.track_path}: was changed outside of the review: open the review again"
            ) from error

    def wait_for_hash(self) -> None:
        """Wait until all of the video has been compared with what the tracks were made for."""
        if self._hashing is not None:
            self._hashing.join()

    def check_problem(self) -> None:
        """Raise TrackerBlurError if the tracks have turned out to be another video's."""
        if self._problem is not None:
            raise self._problem

    def _check_video(self) -> None:
        """Check that the tracks are this video's, of a large one while it is already shown."""
        if self.identity.size_bytes <= _HASHED_AT_ONCE:
            self.identity = track_file.check_source(self.content, self.video)
        elif self.identity.size_bytes != self.content.source_bytes:
            track_file.check_source(self.content, self.video)
        else:
            self._hashing = threading.Thread(
                target=self._check_hash, name="review hash", daemon=True
            )
            self._hashing.start()

    def _check_hash(self) -> None:
        step_back()
        try:
            track_file.check_source(self.content, self.video)
        except TrackerBlurError as error:
            self._problem = error
