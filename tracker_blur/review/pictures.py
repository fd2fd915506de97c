"""What a reviewer is shown of a video: frames as they are, frames as they will be, and faces."""

from __future__ import annotations

import threading
from collections import OrderedDict
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from tracker_blur.core.timeline import Timeline, split
from tracker_blur.redaction.redactor import turned_areas
from tracker_blur.review.previews import Redactions, face_crop, jpeg, shown_size

if TYPE_CHECKING:
    from fractions import Fraction

    from tracker_blur.annotations.track_file import TrackFile
    from tracker_blur.core.frame import Frame
    from tracker_blur.core.tracks import Track, Tracks
    from tracker_blur.review.frames import FrameStore
    from tracker_blur.review.state import ReviewState

_MAX_CROPS = 4096  # of some kilobytes each


class Pictures:
    """Makes the pictures of a review. Any thread may use it.

    Args:
        frames: the decoded frames.
        content: the track file as it was made.
        pixel_aspect: width of a pixel over its height.
    """

    def __init__(self, frames: FrameStore, content: TrackFile, pixel_aspect: Fraction) -> None:
        self._frames = frames
        self._content = content
        self._pixel_aspect = pixel_aspect
        self._lock = threading.Lock()
        self._timeline: tuple[Tracks, Timeline, list[Track]] | None = None
        self._redactions: tuple[str | None, Redactions] | None = None
        self._crops: OrderedDict[tuple[Any, ...], bytes] = OrderedDict()

    def frame(
        self,
        number: int,
        redacted_as: ReviewState | None,
        width: int | None,
        client: str = "",
        seq: int = 0,
    ) -> bytes:
        """Return a frame as JPEG.

        Args:
            number: from 0.
            redacted_as: as it will be after these decisions; None: as it is.
            width: at most, in pixels.
            client: the window that asks, and
            seq: the number of its request, as for `FrameStore.frame`.

        Raises:
            IndexError: there is no such frame.
            OvertakenError: the same window has requested another one since.
            SourceError: it cannot be read.
        """
        frame = self._frames.frame(number, client, seq)
        if redacted_as is not None:
            self._redact(frame, number, redacted_as)
        size = shown_size(frame.size, width, self._pixel_aspect)
        return jpeg(frame.view(size))

    def face(self, tracks: Tracks, track_id: int, number: int, px: int) -> bytes:
        """Return the face of a track in one frame, with its surroundings, as JPEG.

        Raises:
            IndexError: the track has no box in this frame.
            SourceError: it cannot be read.
        """
        track = next((one for one in tracks.tracks if one.track_id == track_id), None)
        rows = [] if track is None else (track.frames == number).nonzero()[0].tolist()
        if track is None or not rows:
            raise IndexError(number)
        box = track.box(rows[0])
        key = number, box, px
        with self._lock:
            known = self._crops.get(key)
        if known is None:
            known = jpeg(face_crop(self._frames.frame(number), box, px))
            with self._lock:
                self._crops[key] = known
                if len(self._crops) > _MAX_CROPS:
                    self._crops.popitem(last=False)
        return known

    def redactions(self, state: ReviewState) -> Redactions:
        """Return how faces are hidden after these decisions."""
        with self._lock:
            if self._redactions is None or self._redactions[0] != state.method:
                settings = state.edited(self._content).settings
                self._redactions = state.method, Redactions(settings)
            return self._redactions[1]

    def _redact(self, frame: Frame, number: int, state: ReviewState) -> None:
        """Hide in a frame what the tracks, zones and limits say."""
        timeline, hidden = self._timeline_of(state.tracks)
        faces = timeline.faces(number)
        ids = {face.track_id for face in faces}
        before = [track.rows(track.frames < number) for track in hidden if track.track_id in ids]
        known = tuple(track for track in before if track is not None)
        turned = turned_areas(replace(self._content.tracks, tracks=known))
        self.redactions(state).redacted(frame, faces, turned)

    def _timeline_of(self, tracks: Tracks) -> tuple[Timeline, list[Track]]:
        """Return what is hidden in each frame, and the hidden parts of tracks."""
        with self._lock:
            if self._timeline is None or self._timeline[0] is not tracks:
                self._timeline = tracks, Timeline(tracks), split(tracks)[0]
            return self._timeline[1:]
