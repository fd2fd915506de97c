"""Places of a picture, as small JPEG pictures for people to look at.

Frames of two videos that show the same moment.

One file under verification: its frames go by, are looked at, and judged by the best evidence.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from fractions import Fraction

import cv2
import numpy as np

from tracker_blur.core.box import Box
from tracker_blur.core.frame import Frame, Image
from tracker_blur.core.prefetch import Prefetcher
from tracker_blur.verification import visibility
from tracker_blur.verification.probes import Probe, ProbeDetection, without_doubles
from tracker_blur.verification.track_index import TrackIndex
from tracker_blur.verification.verdict import EndView, Evidence, Exposure, RunBuilder
from tracker_blur.verification.visibility import Cells, FrameComparison, left_open
from tracker_blur.video.reader import VideoReader

_PADDING = 1.0
_HEIGHT_PX = 160
_MOST_ENLARGED = 4.0
_QUALITY = 80  # JPEG
_MARK_BGR = (0, 215, 255)


def crop(picture: Image, box: Box, *, marked: bool) -> bytes | None:
    """Return a JPEG of a place and its surroundings; None where it is outside of the picture."""
    height, width = picture.shape[:2]
    if box.clipped(width, height).is_empty:
        return None
    around = box.padded(_PADDING)
    # At the border, show as much as elsewhere.
    dx = max(0.0, -around.left) - max(0.0, around.right - width)
    dy = max(0.0, -around.top) - max(0.0, around.bottom - height)
    around = around.moved(dx, dy).clipped(width, height)
    left, top, right, bottom = around.outward()
    ratio = min(_HEIGHT_PX / (bottom - top), _MOST_ENLARGED)
    size = max(1, round((right - left) * ratio)), max(1, round((bottom - top) * ratio))
    part = cv2.resize(picture[top:bottom, left:right], size, interpolation=cv2.INTER_AREA)
    if marked:
        corners = box.moved(-left, -top).scaled(ratio, ratio).outward()
        cv2.rectangle(part, corners[:2], corners[2:], _MARK_BGR, 1)
    _, encoded = cv2.imencode(".jpg", part, (cv2.IMWRITE_JPEG_QUALITY, _QUALITY))
    return encoded.tobytes()


def paired(after: Iterator[Frame], before: Iterator[Frame]) -> Iterator[tuple[Frame, Frame | None]]:
    """Pair each frame with the other video's of the nearest time; both begin together."""
    other, upcoming = next(before, None), next(before, None)
    start = None if other is None else other.seconds
    first: float | None = None
    for frame in after:
        first = frame.seconds if first is None else first
        seconds = frame.seconds - first + (start or 0.0)
        while other is not None and upcoming is not None:
            if abs(upcoming.seconds - seconds) > abs(other.seconds - seconds):
                break
            other, upcoming = upcoming, next(before, None)
        yield frame, other
    while upcoming is not None:  # count what is left
        upcoming = next(before, None)


QUEUED_LOOKS = 2  # evens out the stages; more would only cost memory
_EXPOSED_SHARE = 0.3  # of a face's detail; hidden faces show up to 0.26 (docs/verification.md)
_BARE_SHARE = 0.7  # of a find's middle: it lies beside what is hidden
_COVERED_SHARE = 0.05  # of it: it lies within
_SAME_PLACE_IOU = 0.2
_SAME_PICTURE = 25.0  # square levels, in the calmest tenth; more, and it shows something else
_CALM_QUANTILE = 0.1
_CHANGED_PADDING = 0.5  # what is hidden around a face, and its soft edge


@dataclass(slots=True)
class Look:
    """One frame on its way through the detectors.

    before   the input's picture at the same time and size; None without one, or if it shows
             something else
    cells    how much of each place changed
    """

    index: int
    seconds: float
    is_detection_frame: bool
    after: Image
    gray: visibility.Gray
    before: Image | None = None
    gray_before: visibility.Gray | None = None
    cells: Cells | None = None
    finds: list[ProbeDetection] = field(default_factory=list)


class VerificationRun:
    """One file under verification.

    where        where its tracks are and hide; None without any
    by           the evidence that decides; None: the best without the input
    every        look at every Nth frame
    all_lookers  the first of each label looks closer around the ends of tracks
    """

    def __init__(
        self,
        where: TrackIndex | None,
        by: Evidence | None,
        every: int,
        all_lookers: Sequence[Probe],
    ) -> None:
        self.where = where
        self.evidence: Evidence = by or ("detail" if where is None else "tracks")
        self.pictures = FrameComparison()
        self.runs = RunBuilder()
        self.ends: list[EndView] = []
        self.looked = 0
        self.finds = 0
        self._every = every
        firsts = {looker.label: looker for looker in reversed(all_lookers)}
        self._close_lookers = tuple(firsts.values())

    def looks(self, after: VideoReader, before: VideoReader | None) -> Iterator[Look]:
        """Give each frame of the output, with the input's of the same time."""
        with ExitStack() as stack:
            others: Iterator[Frame] = iter(())
            if before is not None:
                ahead = stack.enter_context(Prefetcher(before, QUEUED_LOOKS, "decode input"))
                others = self.pictures.timed_before(ahead)
            pairs = paired(self.pictures.timed_after(after), others)
            for count, (frame, other) in enumerate(pairs):
                picture = frame.view(frame.size)
                look = Look(
                    frame.index,
                    frame.seconds - self.pictures.after_seconds[0],
                    count % self._every == 0,
                    picture,
                    _gray(picture),
                )
                if other is not None:
                    self._compare(look, other.view(frame.size))
                yield look

    def with_finds(
        self, looks: Iterable[Look], looker: Probe, pixel_aspect: Fraction
    ) -> Iterator[Look]:
        """Let one detector look at each frame.

        It looks at the input's picture, where there is one: there it finds all faces, also those
        that it would not find any more once half of them is hidden.
        """
        for look in looks:
            picture = look.after if look.before is None else look.before
            if look.is_detection_frame:
                look.finds += looker.look(picture, pixel_aspect)
            if self.where is not None and looker in self._close_lookers:
                for box in self.where.awaited.get(look.index, ()):
                    look.finds += looker.detect_multiscale(picture, box)
            yield look

    def judge(self, look: Look) -> None:
        """Decide which finds are exposed."""
        finds = without_doubles(look.finds)
        hidden_places = [] if self.where is None else self.where.hidden(look.index)
        exposed: list[tuple[ProbeDetection, float]] = []
        hidden: list[ProbeDetection] = []
        for find in finds:
            visible = self._visible(look, find, hidden_places)
            if visible:
                exposed.append((find, visible))
            elif visible is not None:
                hidden.append(find)
        faces = [find.box for find in hidden if find.is_firm]
        if look.is_detection_frame or finds:
            self.looked += 1
            self.finds += len(finds)
            exposures = [
                (find, self._exposure(look, find, visible))
                for find, visible in exposed
                if find.is_firm or not _meets(find.box, faces)
            ]
            awaited = () if self.where is None else self.where.awaited.get(look.index, ())
            # Also a weak find is a face where someone has hidden one.
            self.runs.add(exposures, [find.box for find in hidden], awaited)
        if look.cells is not None:
            height, width = look.gray.shape
            changed = [*hidden_places, *(box.padded(_CHANGED_PADDING) for box in faces)]
            self.pictures.compared(look.index, look.cells, (width, height), changed)
        self._show_ends(look)

    def _compare(self, look: Look, before: Image) -> None:
        gray_before = _gray(before)
        cells = visibility.changes(gray_before, look.gray)
        is_same = bool(np.quantile(cells, _CALM_QUANTILE) <= _SAME_PICTURE)
        if not is_same and self.where is not None:
            # Where the tracks hide almost all, the rest cannot tell that it is another picture.
            height, width = look.gray.shape
            is_same = left_open(cells, (width, height), self.where.hidden(look.index)) is None
        if is_same:
            look.before, look.gray_before, look.cells = before, gray_before, cells
        else:
            self.pictures.differs(look.index)

    def _visible(self, look: Look, find: ProbeDetection, hidden: list[Box]) -> float | None:
        """Return how much of a find can be seen; 0 when it is hidden, None when it is no case."""
        if min(find.box.width, find.box.height) < visibility.SMALLEST_PX:
            return None
        if self.where is not None and self.where.is_meant_to_be_seen(look.index, find.box):
            return None
        if look.gray_before is not None and look.cells is not None:
            before = visibility.patch(look.gray_before, find.box)
            after = visibility.patch(look.gray, find.box)
            if before is None or after is None:
                return None
            share = visibility.visible_share(before, after, visibility.noise(look.cells))
            return share if share >= _EXPOSED_SHARE else 0.0
        middle = visibility.core(find.box)
        if self.where is not None:
            # Detectors take a hidden head and its shoulders for a face: its middle decides.
            uncovered = visibility.uncovered_share(middle, hidden)
            if uncovered >= _BARE_SHARE:
                return uncovered
            if uncovered > _COVERED_SHARE:
                return 0.0
        seen = visibility.patch(look.gray, middle)
        shows = find.is_firm and seen is not None and visibility.shows_detail(seen)
        return 1.0 if shows else 0.0

    def _exposure(self, look: Look, find: ProbeDetection, visible: float) -> Exposure:
        where = self.where
        return Exposure(
            look.index,
            look.seconds,
            None if where is None else where.track_near(look.index, find.box),
            find.box,
            find.score,
            find.detector,
            visible,
            crop(look.after, find.box, marked=True),
        )

    def _show_ends(self, look: Look) -> None:
        if self.where is None:
            return
        for view in self.where.views.get(look.index, ()):
            picture = crop(look.after, view.box, marked=False)
            if picture is not None:
                self.ends.append(
                    EndView(view.track_id, look.index, look.seconds, view.moment, picture)
                )


def _gray(picture: Image) -> visibility.Gray:
    return np.asarray(cv2.cvtColor(picture, cv2.COLOR_BGR2GRAY), np.uint8)


def _meets(box: Box, others: Iterable[Box]) -> bool:
    return any(box.iou(other) >= _SAME_PLACE_IOU for other in others)
