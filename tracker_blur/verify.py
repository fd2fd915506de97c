"""Looks for faces in a finished file, as an adversary would, and judges by evidence what it finds.

Every detector at hand looks at every frame at several scales. That a detector fires says little: it
does so over blurred heads too. What decides is, best first: the input's own pixels, where the input
is given (`evidence.visible_share`); the places that the tracks hide; and whether the place has the
detail of a face (`evidence.shows_detail`). Decoding, the detectors and judging overlap, and memory
does not depend on the length, but for a few numbers a frame.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from fractions import Fraction
from pathlib import Path
from typing import TypeAlias

import cv2
import numpy as np

from tracker_blur.boxes import Box
from tracker_blur.frames import Frame, Image
from tracker_blur.settings import MetadataRule, Settings
from tracker_blur.sources.video import VideoSource
from tracker_blur.stages import Ahead
from tracker_blur.tracks import Tracks
from tracker_blur.verification import evidence, intact
from tracker_blur.verification.adversary import Find, Looker, lookers, without_doubles
from tracker_blur.verification.exposed_runs import RunBuilder
from tracker_blur.verification.picture_record import Cells, PictureRecord
from tracker_blur.verification.verdict import Check, EndView, Evidence, Exposure, Verdict
from tracker_blur.verification.whereabouts import Whereabouts
from tracker_blur.weights import Weights

_PADDING_RATIO = Settings().padding_ratio
_QUEUED_LOOKS = 2  # evens out the stages; more would only cost memory
_EXPOSED_SHARE = 0.3  # of a face's detail; hidden faces show up to 0.26 (docs/verification.md)
_BARE_SHARE = 0.7  # of a find's middle: it lies beside what is hidden
_COVERED_SHARE = 0.05  # of it: it lies within
_SAME_PLACE_IOU = 0.2
_SAME_PICTURE = 25.0  # square levels, in the calmest tenth; more, and it shows something else
_CALM_QUANTILE = 0.1
_CHANGED_PADDING = 0.5  # what is hidden around a face, and its soft edge
_CROP_PADDING = 1.0
_CROP_HEIGHT_PX = 160
_MOST_ENLARGED = 4.0
_CROP_QUALITY = 80  # JPEG
_MARK_BGR = (0, 215, 255)

Progress: TypeAlias = Callable[[int, int | None], None]
"""Called after each frame with how many are done, and how many there will be, if known."""


@dataclass(slots=True)
class _Look:
    """One frame on its way through the detectors.

    before   the input's picture at the same time and size; None without one, or if it shows
             something else
    cells    how much of each place changed
    """

    index: int
    seconds: float
    is_looked_at: bool
    after: Image
    gray: evidence.Gray
    before: Image | None = None
    gray_before: evidence.Gray | None = None
    cells: Cells | None = None
    finds: list[Find] = field(default_factory=list)


class Verifier:
    """Detectors, loaded once for any number of files.

    detectors   names of those at work

    settings    what is hidden, who finds it, and the folder of weights

    Raises ModelError when a weight file is damaged, and SettingsError when a folder is missing.
    """

    def __init__(self, settings: Settings) -> None:
        self._lookers = lookers(settings, Weights(settings.models_folder))
        self.detectors = tuple(looker.name for looker in self._lookers)

    def verify(
        self,
        output: Path,
        *,
        source: Path | None = None,
        tracks: Tracks | None = None,
        padding_ratio: float = _PADDING_RATIO,
        every: int = 1,
        metadata: MetadataRule = "drop",
        partial: bool = False,
        progress: Progress | None = None,
    ) -> Verdict:
        """Look for faces in `output` and return what is there.

        source         the input it was made of: a find is judged by it, and the rest compared
        tracks         what is hidden in it
        padding_ratio  what was added on each side of a face
        every          looks at every Nth frame, and at all frames around the ends of tracks
        metadata       whether what identifies a file was to be dropped
        partial        accept an input that breaks off; also an output, looked at up to there, which
                       then fails the check "whole"

        Raises SourceError when a file cannot be read to its end.
        """
        started = time.perf_counter()
        frames = 0
        with ExitStack() as stack:
            after = stack.enter_context(VideoSource(output, partial=partial))
            where = None
            if tracks is not None:
                where = Whereabouts(_fitted(tracks, after.info.size), padding_ratio)
            case = _Case(where, "pixels" if source else None, every, self._lookers)
            before = (
                None
                if source is None
                else stack.enter_context(VideoSource(source, partial=partial))
            )
            expected = after.info.frame_count
            looks: Iterable[_Look] = case.looks(after, before)
            for looker in self._lookers:
                ahead = stack.enter_context(Ahead(looks, _QUEUED_LOOKS, f"before {looker.name}"))
                looks = case.with_finds(ahead, looker, after.info.pixel_aspect)
            for look in looks:
                case.judge(look)
                frames += 1
                if progress is not None:
                    progress(frames, expected)
        checks: tuple[Check, ...] = ()
        if after.is_partial:
            checks = (Check("whole", False, "it breaks off, and nobody looked at what follows"),)
        elif source is not None:
            checks = intact.compare(output, source, case.pictures, metadata, partial=partial)
        if tracks is not None and tracks.frame_count != frames:
            text = f"are of a video of {tracks.frame_count} frames, and this one has {frames}"
            checks += (Check("tracks", False, text),)
        runs = case.runs.runs()
        return Verdict(
            output=str(output),
            source=None if source is None else str(source),
            evidence=case.evidence,
            detectors=self.detectors,
            frames=frames,
            looked=case.looked,
            finds=case.finds,
            runs=tuple(run for run in runs if not run.is_doubtful),
            ends=tuple(sorted(case.ends, key=lambda view: (view.track_id, view.frame))),
            more_ends=0 if case.where is None else case.where.more_views,
            checks=checks,
            took=time.perf_counter() - started,
            doubtful=tuple(run for run in runs if run.is_doubtful),
        )


class _Case:
    """One file under verification."""

    def __init__(
        self,
        where: Whereabouts | None,
        by: Evidence | None,
        every: int,
        all_lookers: Sequence[Looker],
    ) -> None:
        self.where = where
        self.evidence: Evidence = by or ("detail" if where is None else "tracks")
        self.pictures = PictureRecord()
        self.runs = RunBuilder()
        self.ends: list[EndView] = []
        self.looked = 0
        self.finds = 0
        self._every = every
        firsts = {looker.label: looker for looker in reversed(all_lookers)}
        self._close_lookers = tuple(firsts.values())

    def looks(self, after: VideoSource, before: VideoSource | None) -> Iterator[_Look]:
        """Give each frame of the output, with the input's of the same time."""
        with ExitStack() as stack:
            others: Iterator[Frame] = iter(())
            if before is not None:
                ahead = stack.enter_context(Ahead(before, _QUEUED_LOOKS, "decode input"))
                others = self.pictures.timed_before(ahead)
            pairs = _paired(self.pictures.timed_after(after), others)
            for count, (frame, other) in enumerate(pairs):
                picture = frame.view(frame.size)
                look = _Look(
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
        self, looks: Iterable[_Look], looker: Looker, pixel_aspect: Fraction
    ) -> Iterator[_Look]:
        """Let one detector look at each frame.

        It looks at the input's picture, where there is one: there it finds all faces, also those
        that it would not find any more once half of them is hidden.
        """
        for look in looks:
            picture = look.after if look.before is None else look.before
            if look.is_looked_at:
                look.finds += looker.look(picture, pixel_aspect)
            if self.where is not None and looker in self._close_lookers:
                for box in self.where.awaited.get(look.index, ()):
                    look.finds += looker.look_closely(picture, box)
            yield look

    def judge(self, look: _Look) -> None:
        """Decide which finds are exposed."""
        finds = without_doubles(look.finds)
        hidden_places = [] if self.where is None else self.where.hidden(look.index)
        exposed: list[tuple[Find, float]] = []
        hidden: list[Find] = []
        for find in finds:
            visible = self._visible(look, find, hidden_places)
            if visible:
                exposed.append((find, visible))
            elif visible is not None:
                hidden.append(find)
        faces = [find.box for find in hidden if find.is_firm]
        if look.is_looked_at or finds:
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

    def _compare(self, look: _Look, before: Image) -> None:
        gray_before = _gray(before)
        cells = evidence.changes(gray_before, look.gray)
        if np.quantile(cells, _CALM_QUANTILE) <= _SAME_PICTURE:
            look.before, look.gray_before, look.cells = before, gray_before, cells
        else:
            self.pictures.differs(look.index)

    def _visible(self, look: _Look, find: Find, hidden: list[Box]) -> float | None:
        """Return how much of a find can be seen; 0 when it is hidden, None when it is no case."""
        if min(find.box.width, find.box.height) < evidence.SMALLEST_PX:
            return None
        if self.where is not None and self.where.is_meant_to_be_seen(look.index, find.box):
            return None
        if look.gray_before is not None and look.cells is not None:
            before = evidence.patch(look.gray_before, find.box)
            after = evidence.patch(look.gray, find.box)
            if before is None or after is None:
                return None
            share = evidence.visible_share(before, after, evidence.noise(look.cells))
            return share if share >= _EXPOSED_SHARE else 0.0
        middle = evidence.core(find.box)
        if self.where is not None:
            # Detectors take a hidden head and its shoulders for a face: its middle decides.
            uncovered = evidence.uncovered_share(middle, hidden)
            if uncovered >= _BARE_SHARE:
                return uncovered
            if uncovered > _COVERED_SHARE:
                return 0.0
        seen = evidence.patch(look.gray, middle)
        shows = find.is_firm and seen is not None and evidence.shows_detail(seen)
        return 1.0 if shows else 0.0

    def _exposure(self, look: _Look, find: Find, visible: float) -> Exposure:
        where = self.where
        return Exposure(
            look.index,
            look.seconds,
            None if where is None else where.track_near(look.index, find.box),
            find.box,
            find.score,
            find.detector,
            visible,
            _crop(look.after, find.box, marked=True),
        )

    def _show_ends(self, look: _Look) -> None:
        if self.where is None:
            return
        for view in self.where.views.get(look.index, ()):
            crop = _crop(look.after, view.box, marked=False)
            if crop is not None:
                self.ends.append(
                    EndView(view.track_id, look.index, look.seconds, view.moment, crop)
                )


def _fitted(tracks: Tracks, size: tuple[int, int]) -> Tracks:
    """Return the tracks in a picture of another (width, height): some encoders need one."""
    if tracks.size == size:
        return tracks
    ratios = np.array([size[0] / tracks.size[0], size[1] / tracks.size[1]] * 2, np.float32)
    moved = (replace(track, boxes=track.boxes * ratios) for track in tracks.tracks)
    return replace(tracks, size=size, tracks=tuple(moved))


def _paired(
    after: Iterator[Frame], before: Iterator[Frame]
) -> Iterator[tuple[Frame, Frame | None]]:
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


def _gray(picture: Image) -> evidence.Gray:
    return np.asarray(cv2.cvtColor(picture, cv2.COLOR_BGR2GRAY), np.uint8)


def _meets(box: Box, others: Iterable[Box]) -> bool:
    return any(box.iou(other) >= _SAME_PLACE_IOU for other in others)


def _crop(picture: Image, box: Box, *, marked: bool) -> bytes | None:
    """Return a JPEG of a place and its surroundings; None where it is outside of the picture."""
    height, width = picture.shape[:2]
    if box.clipped(width, height).is_empty:
        return None
    around = box.padded(_CROP_PADDING)
    # At the border, show as much as elsewhere.
    dx = max(0.0, -around.left) - max(0.0, around.right - width)
    dy = max(0.0, -around.top) - max(0.0, around.bottom - height)
    around = around.moved(dx, dy).clipped(width, height)
    left, top, right, bottom = around.outward()
    ratio = min(_CROP_HEIGHT_PX / (bottom - top), _MOST_ENLARGED)
    size = max(1, round((right - left) * ratio)), max(1, round((bottom - top) * ratio))
    part = cv2.resize(picture[top:bottom, left:right], size, interpolation=cv2.INTER_AREA)
    if marked:
        corners = box.moved(-left, -top).scaled(ratio, ratio).outward()
        cv2.rectangle(part, corners[:2], corners[2:], _MARK_BGR, 1)
    _, encoded = cv2.imencode(".jpg", part, (cv2.IMWRITE_JPEG_QUALITY, _CROP_QUALITY))
    return encoded.tobytes()
