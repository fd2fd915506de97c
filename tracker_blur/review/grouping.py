"""Groups a video's tracks into people by their faces, in the background.

Only the frames that show the best faces are decoded. Embeddings stay in memory, and are dropped
when the review is closed.
"""

from __future__ import annotations

import threading
from contextlib import suppress
from typing import TYPE_CHECKING

from tracker_blur.errors import TrackerBlurError
from tracker_blur.people.grouping import people_of
from tracker_blur.people.samples import FaceReader, sampled_rows
from tracker_blur.review.background import step_back
from tracker_blur.review.cards import NO_GROUPING, Grouping
from tracker_blur.settings import FACE
from tracker_blur.video.seeking import AbandonedError
from tracker_blur.weights.store import Weights

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from fractions import Fraction
    from pathlib import Path

    from tracker_blur.core.tracks import Tracks
    from tracker_blur.people.grouping import Person
    from tracker_blur.review.frame_sources import FrameSource, KeptFrame

_DOUBTFUL_MARGIN = 0.1
"""A join this near to the threshold is reported as unsure."""


class BackgroundGrouping:
    """Groups tracks in a thread of its own, and says when it is done.

    Args:
        source: the frames.
        tracks: the tracks of the track file. Those that edits add are people of their own.
        pixel_aspect: width of a pixel over its height.
        done: called with the result, from the thread; not if there are no weights.
        models_folder: a folder with weight files, searched first.
    """

    def __init__(
        self,
        source: FrameSource,
        tracks: Tracks,
        pixel_aspect: Fraction,
        done: Callable[[Grouping], None],
        models_folder: Path | None = None,
    ) -> None:
        self._source = source
        self._tracks = tracks
        self._pixel_aspect = pixel_aspect
        self._done = done
        self._models_folder = models_folder
        self._is_closed = threading.Event()
        self._thread = threading.Thread(target=self._work, name="review people", daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Cancel what is not done yet."""
        self._is_closed.set()
        self._thread.join()

    def _work(self) -> None:
        step_back()
        # What cannot be read is reported where frames are shown; grouping is only a convenience.
        with suppress(TrackerBlurError, AbandonedError):
            grouping = self._grouping()
            if grouping is not NO_GROUPING:
                self._done(grouping)

    def _grouping(self) -> Grouping:
        faces = [track for track in self._tracks.tracks if track.label == FACE]
        reader = FaceReader.of(Weights(self._models_folder)) if len(faces) > 1 else None
        if reader is None:
            return NO_GROUPING
        parameters = reader.parameters
        most = parameters.max_group_faces
        wanted = {
            int(track.frames[row])
            for track in faces
            for row in sampled_rows(track, self._tracks, parameters, most)
        }
        frames = self._frames(wanted)
        found = reader.track_faces(frames, self._tracks, self._pixel_aspect, most=most)
        people = people_of(self._tracks, found, reader.embedder.thresholds.same, parameters)
        return grouping_of(people, reader.embedder.thresholds.same + _DOUBTFUL_MARGIN)

    def _frames(self, wanted: set[int]) -> Iterator[KeptFrame]:
        """Yield a frame for each of the video; unwanted ones repeat the previous one."""
        self._source.prepare()
        run: Iterator[KeptFrame] | None = None
        at, frame = 0, None
        for number in range(max(wanted, default=-1) + 1):
            if number in wanted or frame is None:
                if run is None or self._source.start_of(number) > at:
                    run, at = self._source.frames(number, self._is_wanted), number
                while at <= number:
                    if self._is_closed.is_set():
                        raise AbandonedError
                    frame = next(run)
                    at += 1
            assert frame is not None
            yield frame

    def _is_wanted(self) -> bool:
        return not self._is_closed.is_set()


def grouping_of(people: tuple[Person, ...], sure_likeness: float) -> Grouping:
    """Return people as a grouping; each has the number of its first track.

    Args:
        people: the people.
        sure_likeness: mean cosine from which a join is sure.
    """
    person_of: dict[int, int] = {}
    reasons: dict[int, tuple[str, ...]] = {}
    for person in people:
        number = min(person.track_ids)
        person_of |= dict.fromkeys(person.track_ids, number)
        if person.likeness is not None and person.likeness < sure_likeness:
            reasons[number] = ("unsure_join",)
    return Grouping(person_of, reasons)
