"""A careful search: a run searches its own result, as verification would, and hides what it finds.

The result is made in memory: each frame of the input is redacted as it will be written, and both
are judged as an output and its source are. What may be a face becomes a track, which is followed
for a moment back and on. A second round then examines what is around these tracks. The output is
written only after that, so nothing is ever written that was not looked at.
"""

from __future__ import annotations

import copy
import itertools
from contextlib import ExitStack
from dataclasses import replace
from fractions import Fraction
from typing import TYPE_CHECKING, TypeVar

import numpy as np

from tracker_blur.core.box import Box
from tracker_blur.core.frame import Frame
from tracker_blur.core.timeline import Timeline
from tracker_blur.core.tracks import Face, Origin, Tracks
from tracker_blur.core.tracks_builder import TracksBuilder
from tracker_blur.redaction.redactor import FrameRedactor
from tracker_blur.trackers import csrt
from tracker_blur.tracking.following import BoxPath, Follower, rate_of, shot_of
from tracker_blur.tracking.known_tracks import frames_with_faces
from tracker_blur.tracking.still_tracks import StillTracks
from tracker_blur.verification.frame_comparison import cell_errors
from tracker_blur.verification.parameters import VerificationParameters
from tracker_blur.verification.probed_frame import ProbedFrame, gray
from tracker_blur.verification.probes import load_classifiers, load_probes
from tracker_blur.verification.run import VerificationRun, probed_by_all
from tracker_blur.verification.track_index import TrackIndex
from tracker_blur.weights.store import Weights

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
    from contextlib import AbstractContextManager

    from tracker_blur.core.frame import FrameReader
    from tracker_blur.core.report import Progress, Report
    from tracker_blur.core.tracks import Track
    from tracker_blur.detectors import LabelledDetector
    from tracker_blur.settings import Settings
    from tracker_blur.verification.exposures import Exposure, ExposureRun

F = TypeVar("F", bound=Frame)


class CarefulSearch:
    """Searches a run's own result; loads its networks once. One serves one thread at a time.

    Args:
        settings: those of the run.
        detector: the caller's own, which probes as well.
        parameters: thresholds.

    Raises:
        ModelError: A weight file is damaged.
        SettingsError: A folder is missing.
    """

    def __init__(
        self,
        settings: Settings,
        detector: LabelledDetector | None = None,
        parameters: VerificationParameters | None = None,
    ) -> None:
        self._settings = settings
        self._parameters = parameters or VerificationParameters()
        self._redactor = FrameRedactor(settings)
        weights = Weights(settings.models_folder)
        self._probes = load_probes(settings, weights, self._parameters, detector)
        self._classifiers = load_classifiers(self._probes, weights, detector)
        self._new_tracker = csrt.load(weights)

    def revise(
        self,
        open_source: Callable[[], AbstractContextManager[FrameReader]],
        report: Report,
        progress: Progress | None = None,
    ) -> None:
        """Add to the tracks of a video what its result would still show.

        Args:
            open_source: opens the video; it is read once or twice in each round.
            report: of the run, with the tracks; it counts the rounds and what they add.
            progress: called after each frame.

        Raises:
            SourceError: The video cannot be read, or is not that of the tracks.
        """
        tracks = report.video_tracks
        assert tracks is not None  # the first pass is over
        report.added_places = ()
        near: Collection[int] | None = None
        for _ in range(self._parameters.careful_rounds):
            report.passes += 1
            with open_source() as source:
                frames = _reported(
                    frames_with_faces(source, [tracks], str(report.source)), report, progress
                )
                places = self._search(frames, source.info.pixel_aspect, tracks, near)
            report.added_places += (len(places),)
            if not places:
                break
            with open_source() as source:
                added = self._followed(source, tracks, places)
            tracks = replace(tracks, tracks=tracks.tracks + added)
            near = _surroundings(added, self._parameters.track_margin_frames)
        report.video_tracks = tracks

    def revised(
        self, stills: Iterable[tuple[F, tuple[Face, ...]]], report: Report | None
    ) -> Iterator[tuple[F, tuple[Face, ...]]]:
        """Yield still images with their faces and with what the result would still show.

        Args:
            stills: images with the faces that are known.
            report: counts the rounds and what they add.
        """
        for frame, faces in stills:
            revised, added = self._revised_still(frame, faces)
            if report is not None:
                sums = itertools.zip_longest(report.added_places or (), added, fillvalue=0)
                report.added_places = tuple(map(sum, sums))
            yield frame, revised

    def _revised_still(
        self, frame: Frame, faces: tuple[Face, ...]
    ) -> tuple[tuple[Face, ...], list[int]]:
        """Return the faces of an image, and how many places each round added; it stays as it is."""
        parameters = self._parameters.for_stills()
        added: list[int] = []
        for _ in range(parameters.careful_rounds):
            still = StillTracks(self._settings.rules())
            still.add(frame, faces)
            known = still.tracks()
            run = self._run(known, parameters)
            hidden = Timeline(known).faces(0)
            self._judge(run, [self._redacted(copy.deepcopy(frame), hidden)], Fraction(1))
            places = self._worth_hiding(run, frame.size)
            added.append(len(places))
            if not places:
                break
            first = max((face.track_id for face in faces), default=-1) + 1
            faces += tuple(
                self._face(number, place, place.worst) for number, place in enumerate(places, first)
            )
        return faces, added

    def _search(
        self,
        frames: Iterable[tuple[Frame, tuple[Face, ...]]],
        pixel_aspect: Fraction,
        tracks: Tracks,
        near: Collection[int] | None,
    ) -> list[ExposureRun]:
        """Return the places of a video that its result would show.

        Args:
            frames: its frames with the faces to hide in them.
            pixel_aspect: width of a pixel over its height.
            tracks: all tracks.
            near: the frames to search, but those that the first round saw; None: this is the first.
        """
        run = self._run(tracks, self._parameters)
        start = Fraction(int(tracks.times[0])) * tracks.time_base
        every = max(1, round(self._parameters.careful_seconds * rate_of(tracks)))

        def redacted() -> Iterator[ProbedFrame]:
            for frame, faces in frames:
                number, rest = divmod(frame.index, every)
                is_due = rest == 0
                if near is not None:
                    is_due = frame.index in near and (not is_due or every == 1)
                if is_due or run.expects(frame.index):
                    is_turned = is_due and run.is_turned(number)
                    yield self._redacted(frame, faces, is_due, is_turned, start)

        self._judge(run, redacted(), pixel_aspect)
        return self._worth_hiding(run, tracks.size)

    def _run(self, tracks: Tracks, parameters: VerificationParameters) -> VerificationRun:
        index = TrackIndex(tracks, self._settings.padding_ratio, parameters)
        return VerificationRun(
            index,
            self._probes,
            parameters,
            rules=tracks.rules,
            classifiers=self._classifiers,
            has_source=True,
        )

    def _judge(
        self, run: VerificationRun, frames: Iterable[ProbedFrame], pixel_aspect: Fraction
    ) -> None:
        with ExitStack() as stack:
            for frame in probed_by_all(run, frames, self._probes, pixel_aspect, stack):
                run.judge(frame)

    def _redacted(
        self,
        frame: Frame,
        faces: Sequence[Face],
        is_detection_frame: bool = True,
        is_turned_frame: bool = True,
        start: Fraction = Fraction(0),
    ) -> ProbedFrame:
        """Redact a frame, and return it with what it was before, as an output and its source.

        `start` is the time of the first frame, in seconds.
        """
        before = frame.view(frame.size)
        self._redactor.redact(frame, faces)
        after = frame.view(frame.size)
        probed = ProbedFrame(
            frame.index,
            frame.pts * frame.time_base - start,
            is_detection_frame,
            after,
            gray(after),
            is_turned_frame,
        )
        if frame.layout.bits <= 8 or frame.layout.family == "yuv":
            probed.source_image, probed.source_gray = before, gray(before)
            probed.cell_errors = cell_errors(probed.source_gray, probed.gray)
        return probed

    def _worth_hiding(self, run: VerificationRun, size: tuple[int, int]) -> list[ExposureRun]:
        """Return exposed faces, and of the places to look at those that are more likely one.

        A large face is seen well, and hiding what is none costs much of the frame of this (width,
        height), so it needs better odds.
        """
        parameters = self._parameters

        def is_likely(place: ExposureRun) -> bool:
            if place.finding == "exposed" or place.log_odds is None:
                return True
            share = place.worst.box.size / min(size) / parameters.large_added_share
            raised = min(1.0, share) * (
                parameters.large_added_log_odds - parameters.small_added_log_odds
            )
            return place.log_odds > parameters.small_added_log_odds + raised

        return [place for place in run.runs.runs() if is_likely(place)]

    def _face(self, track_id: int, place: ExposureRun, seen: Exposure) -> Face:
        box = seen.box.padded(self._parameters.added_padding_ratio)
        return Face(track_id, box, seen.score, Origin.DETECTED, label=place.label)

    def _followed(
        self, source: FrameReader, tracks: Tracks, places: Sequence[ExposureRun]
    ) -> tuple[Track, ...]:
        """Return the places as new tracks, followed for a moment back and on."""
        tracking, rate = self._settings.tracking, rate_of(tracks)
        first_id = max((track.track_id for track in tracks.tracks), default=-1) + 1
        faces = {
            number: {each.frame: self._face(number, place, each) for each in place.exposures}
            for number, place in enumerate(places, first_id)
        }
        paths = {
            number: BoxPath(
                {at: face.box for at, face in of_place.items()}, self._reach(of_place, tracks)
            )
            for number, of_place in faces.items()
        }
        follower = Follower(list(paths.values()), tracks.size, rate, self._new_tracker, tracking)
        for frame in source:
            if frame.index in follower.wanted:
                follower.step(frame.index, frame.view(follower.view_size))
            if follower.is_done:
                break
        margin = round(self._settings.margin_seconds * rate)
        if self._settings.margin_seconds:
            margin = max(tracking.smoothing.min_margin_frames, margin)
        builder = TracksBuilder()
        for number, path in paths.items():
            shot = shot_of(tracks, path.first, path.last)
            score = max(face.score for face in faces[number].values())
            for at, (box, origin) in (_between(path.keyframes) | path.faces(margin, shot)).items():
                builder.add(at, Face(number, box, score, origin))
            for at, face in faces[number].items():
                builder.add(at, face)
        labels = dict(enumerate((place.label for place in places), first_id))
        return tuple(replace(each, label=labels[each.track_id]) for each in builder.tracks())

    def _reach(self, frames: Collection[int], tracks: Tracks) -> range:
        """Return the frames within which what is seen in some frames is followed."""
        first, last = min(frames), max(frames)
        reach = round(self._parameters.follow_seconds * rate_of(tracks))
        shot = shot_of(tracks, first, last)
        return range(max(shot.start, first - reach), min(shot.stop, last + 1 + reach))


def _reported(
    frames: Iterable[tuple[Frame, tuple[Face, ...]]], report: Report, progress: Progress | None
) -> Iterator[tuple[Frame, tuple[Face, ...]]]:
    for each in frames:
        yield each
        if progress is not None:
            progress(report)


def _surroundings(tracks: Iterable[Track], margin_frames: int) -> set[int]:
    """Return the frames of all tracks, and those a moment before and after."""
    return {
        frame
        for track in tracks
        for frame in range(track.first - margin_frames, track.last + 1 + margin_frames)
    }


def _between(keyframes: Mapping[int, Box]) -> dict[int, tuple[Box, Origin]]:
    """Return a box for each frame from the first to the last, interpolated where there is none."""
    known = sorted(keyframes)
    frames = np.arange(known[0], known[-1] + 1)
    edges = [
        np.interp(frames, known, values)
        for values in zip(*(keyframes[frame].as_tuple() for frame in known), strict=True)
    ]
    boxes = np.stack(edges, axis=1).tolist()
    return {
        frame: (Box(*box), Origin.BETWEEN)
        for frame, box in zip(frames.tolist(), boxes, strict=True)
    }
