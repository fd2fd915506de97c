"""One verification run: a file's frames are paired with the source's, probed, and judged."""

from __future__ import annotations

from contextlib import ExitStack
from types import MappingProxyType
from typing import TYPE_CHECKING

import numpy as np

from tracker_blur.core.prefetch import Prefetcher
from tracker_blur.core.rules import NO_RULES
from tracker_blur.verification import visibility
from tracker_blur.verification.exposure_runs import Candidate, ExposureRunBuilder
from tracker_blur.verification.exposures import Exposure, TrackEndView
from tracker_blur.verification.frame_comparison import (
    FrameComparison,
    cell_errors,
    have_detail,
    unhidden_errors,
)
from tracker_blur.verification.hidden_places import HiddenPlaces
from tracker_blur.verification.left_visible import LeftVisiblePlaces
from tracker_blur.verification.probed_frame import ProbedFrame, gray, paired_by_time
from tracker_blur.verification.probes import Probe, ProbeDetection, suppress_duplicates
from tracker_blur.verification.thumbnails import encode_jpeg, thumbnail

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence
    from fractions import Fraction

    from tracker_blur.classifiers import Classifier
    from tracker_blur.core.box import Box
    from tracker_blur.core.frame import Frame, FrameReader, Image
    from tracker_blur.core.rules import Reason, Rules
    from tracker_blur.verification.accepted import AcceptedPlace
    from tracker_blur.verification.frame_comparison import CellErrors
    from tracker_blur.verification.parameters import VerificationParameters
    from tracker_blur.verification.track_index import TrackIndex
    from tracker_blur.verification.verdict import Evidence

_QUEUED_FRAMES = 2  # between two stages; more would not even them out further, and costs memory


class VerificationRun:
    """One file under verification.

    Args:
        tracks: what was hidden, if that is known.
        probes: the first one of each target class also sees turned frames, and crops around the
            ends of tracks.
        parameters: thresholds.
        classifiers: by target class: what judges whether a place shows a face.
        rules: zones and limits, which leave faces visible.
        accepted: places that a person has accepted.
        every: probe every Nth frame.
        has_source: whether the source is given; then its pixels decide what is exposed.

    Attributes:
        tracks: as given.
        evidence: what decides whether a detection is exposed.
        comparison: how the frames compare with the source's.
        runs: exposed faces so far.
        places: whether what the tracks hide is hidden; nothing is added if the source is given.
        ends: what the output shows at the ends of tracks.
        probed_frames: how many frames the probes saw.
        detections: how many detections there were.
        dismissed: the accepted places that were met.
        left_visible: faces that are visible by choice.
    """

    def __init__(
        self,
        tracks: TrackIndex | None,
        probes: Sequence[Probe],
        parameters: VerificationParameters,
        *,
        rules: Rules = NO_RULES,
        classifiers: Mapping[str, Classifier] = MappingProxyType({}),
        accepted: Sequence[AcceptedPlace] = (),
        every: int = 1,
        has_source: bool = False,
    ) -> None:
        self.tracks = tracks
        self.evidence: Evidence = "detail" if tracks is None else "tracks"
        if has_source:
            self.evidence = "pixels"
        self.comparison = FrameComparison(parameters)
        self.runs = ExposureRunBuilder(parameters, encode_jpeg)
        self.places = HiddenPlaces(parameters)
        self.ends: list[TrackEndView] = []
        self.probed_frames = 0
        self.detections = 0
        self.dismissed: set[AcceptedPlace] = set()
        self.left_visible = LeftVisiblePlaces(parameters)
        self._rules = rules
        self._parameters = parameters
        self._classifiers = classifiers
        self._accepted = accepted
        self._every = every
        best = {probe.label: probe for probe in reversed(probes)}
        self._best_probes = tuple(best.values())

    def frames(self, output: FrameReader, source: FrameReader | None) -> Iterator[ProbedFrame]:
        """Yield each frame of the output, with the source's of the same time."""
        start: Fraction | None = None
        with ExitStack() as stack:
            source_frames: Iterator[Frame] = iter(())
            if source is not None:
                prefetched = stack.enter_context(Prefetcher(source, _QUEUED_FRAMES, "decode input"))
                source_frames = self.comparison.timed_before(prefetched)
            pairs = paired_by_time(self.comparison.timed_after(output), source_frames)
            for count, (frame, source_frame) in enumerate(pairs):
                time = frame.pts * frame.time_base
                start = time if start is None else start
                image = frame.view(frame.size)
                round_, rest = divmod(count, self._every)
                probed = ProbedFrame(
                    frame.index,
                    time - start,
                    rest == 0,
                    image,
                    gray(image),
                    self.is_turned(round_) and rest == 0,
                )
                if source_frame is not None:
                    self._compare(probed, source_frame.view(frame.size))
                yield probed

    def probed(
        self, frames: Iterable[ProbedFrame], probe: Probe, pixel_aspect: Fraction
    ) -> Iterator[ProbedFrame]:
        """Add one probe's detections to each frame.

        A probe sees the source's frame, where there is one. There it detects all faces, also
        those that it would miss in the output because half of them is hidden.
        """
        for frame in frames:
            image = frame.image if frame.source_image is None else frame.source_image
            if frame.is_detection_frame:
                frame.detections += probe.detect(image, pixel_aspect)
            if probe in self._best_probes:
                # What detectors take for a turned face is often none: a classifier must judge.
                if frame.is_turned_frame and probe.label in self._classifiers:
                    frame.detections += probe.detect_turned(image, pixel_aspect)
                for box in self._expected(frame.index):
                    frame.detections += probe.detect_in_crop(image, box)
            yield frame

    def expects(self, index: int) -> bool:
        """Return whether a track that ended a moment ago, or will begin, is near in a frame."""
        return bool(self._expected(index))

    def judge(self, frame: ProbedFrame) -> None:
        """Decide which detections of a frame are exposed."""
        parameters = self._parameters
        detections = suppress_duplicates(frame.detections, parameters.duplicate_iou)
        hidden_areas = [] if self.tracks is None else self.tracks.hidden(frame.index)
        exposed: list[tuple[ProbeDetection, float]] = []
        hidden: list[ProbeDetection] = []
        for detection in detections:
            visible = self._visible(frame, detection, hidden_areas)
            if visible:
                exposed.append((detection, visible))
            elif visible is not None:
                hidden.append(detection)
        hidden_faces = [detection.box for detection in hidden if detection.is_likely(parameters)]
        if frame.is_detection_frame or detections:
            self.probed_frames += 1
            self.detections += len(detections)
            # Where someone hid a face there is one, so low-confidence detections count here, too.
            candidates = [
                (detection, visible)
                for detection, visible in exposed
                if (detection.is_likely(parameters) or not self._meets(detection.box, hidden_faces))
                and not self._is_accepted(frame, detection)
            ]
            self.runs.add(
                self._classified(frame, candidates),
                [detection.box for detection in hidden],
                self._expected(frame.index),
            )
        if self.tracks is not None and self.evidence == "tracks" and frame.is_detection_frame:
            self.places.add(frame.gray, self.tracks.without_detail(frame.index))
        if frame.cell_errors is not None:
            padding = parameters.hidden_padding_ratio
            changed = [box.padded(padding) for box in hidden_faces]
            if self.tracks is not None:
                changed += self.tracks.changed(frame.index)
            else:
                changed += self._rules.hidden_boxes(frame.size, frame.time)
            self.comparison.add(
                frame.index, frame.cell_errors, frame.size, changed, frame.shown_cells
            )
        self._add_ends(frame)

    def _compare(self, frame: ProbedFrame, source_image: Image) -> None:
        parameters, source_gray = self._parameters, gray(source_image)
        errors = cell_errors(source_gray, frame.gray)

        def are_alike(some: CellErrors) -> bool:
            least_changed = np.quantile(some, parameters.other_frame_quantile)
            return bool(least_changed <= parameters.other_frame_error)

        # If almost all of it is hidden, the rest cannot show that it is another frame.
        is_same, min_share = are_alike(errors), parameters.min_compared_share
        if not is_same and self.tracks is not None:
            changed = self.tracks.changed(frame.index)
            is_same = unhidden_errors(errors, frame.size, changed, min_share) is None
        elif not is_same:
            frame.shown_cells = have_detail(frame.gray, parameters)
            shown = errors[frame.shown_cells]
            is_same = shown.size < min_share * errors.size or are_alike(shown)
        if is_same:
            frame.source_image, frame.source_gray = source_image, source_gray
            frame.cell_errors = errors
        else:
            self.comparison.add_different(frame.index)

    def _expected(self, index: int) -> Sequence[Box]:
        return () if self.tracks is None else self.tracks.expected.get(index, ())

    def _visible(
        self, frame: ProbedFrame, detection: ProbeDetection, hidden_areas: list[Box]
    ) -> float | None:
        """Return how much of a detection is visible; 0: hidden; None: it does not count."""
        parameters, box = self._parameters, detection.box
        if min(box.width, box.height) < parameters.min_face_px:
            return None
        why = self._reason_to_show(frame, box)
        if why is not None:
            if detection.is_likely(parameters):
                self.left_visible.add(*why, frame, box)
            return None
        if frame.source_gray is not None and frame.cell_errors is not None:
            before = visibility.face_patch(frame.source_gray, box, parameters)
            after = visibility.face_patch(frame.gray, box, parameters)
            if before is None or after is None:
                return None
            noise = visibility.encoder_noise(frame.cell_errors, parameters)
            share = visibility.visible_share(before, after, noise, parameters)
            return share if share >= parameters.exposed_detail_share else 0.0
        # Detectors take a hidden head and its shoulders for a face, so only its core counts.
        core = visibility.face_core(box, parameters)
        if self.tracks is not None:
            unhidden = visibility.unhidden_share(core, hidden_areas)
            if unhidden >= parameters.unhidden_share:
                return unhidden
            if unhidden > parameters.hidden_core_share:
                return 0.0
        patch = visibility.face_patch(frame.gray, core, parameters)
        shows_face = (
            detection.is_likely(parameters)
            and patch is not None
            and visibility.shows_detail(patch, parameters)
        )
        return 1.0 if shows_face else 0.0

    def _reason_to_show(self, frame: ProbedFrame, box: Box) -> tuple[Reason, int | None] | None:
        """Return why a face is visible in a frame by choice, and its track; None: it is not.

        A track that is hidden there has the last word: a person who walks past a poster is hidden.
        """
        if self.tracks is not None:
            why = self.tracks.left_visible(frame.index, box)
            if why is not None or self.tracks.is_hidden_near(frame.index, box):
                return why
        if self._rules == NO_RULES:
            return None
        reason = self._rules.reason_for(box, frame.size, frame.time)
        return None if reason is None else (reason, None)

    def is_turned(self, number: int) -> bool:
        """Return whether the detection frame of this number is also seen turned."""
        every = self._parameters.turned_every_frames
        return every > 0 and number % every == 0

    def _is_accepted(self, frame: ProbedFrame, detection: ProbeDetection) -> bool:
        """Return whether a person has accepted what is detected here, and remember it."""
        seconds = float(frame.time)
        places = {
            place
            for place in self._accepted
            if place.label == detection.label and place.covers(seconds, detection.box)
        }
        self.dismissed |= places
        return bool(places)

    def _classified(
        self, frame: ProbedFrame, exposed: Sequence[tuple[ProbeDetection, float]]
    ) -> list[Candidate]:
        """Return the candidates of a frame, with what the classifiers say of its pixels.

        Detectors differ in how much of a head their boxes hold, and a single crop may mislead: the
        mean over several margins counts.
        """
        log_odds: dict[int, float] = {}
        margins = self._parameters.classified_padding_ratio
        for label, classifier in self._classifiers.items():
            which = [at for at, (found, _) in enumerate(exposed) if found.label == label]
            if which:
                boxes = [exposed[at][0].box.padded(margin) for at in which for margin in margins]
                answers = classifier.log_odds(frame.image, boxes).reshape(-1, len(margins))
                log_odds.update(zip(which, answers.mean(axis=1).tolist(), strict=True))
        return [
            self._candidate(frame, detection, visible, log_odds.get(at))
            for at, (detection, visible) in enumerate(exposed)
        ]

    def _candidate(
        self,
        frame: ProbedFrame,
        detection: ProbeDetection,
        visible: float,
        log_odds: float | None,
    ) -> Candidate:
        tracks, box = self.tracks, detection.box
        exposure = Exposure(
            frame.index,
            frame.time,
            None if tracks is None else tracks.track_near(frame.index, box),
            box,
            detection.score,
            detection.detector,
            visible,
            log_odds=log_odds,
        )
        return Candidate(detection, exposure, thumbnail(frame.image, box, is_marked=True))

    def _meets(self, box: Box, others: Iterable[Box]) -> bool:
        return any(box.iou(other) >= self._parameters.hidden_face_iou for other in others)

    def _add_ends(self, frame: ProbedFrame) -> None:
        if self.tracks is None:
            return
        for end in self.tracks.ends.get(frame.index, ()):
            image = thumbnail(frame.image, end.box, is_marked=False)
            if image is not None:
                crop = encode_jpeg(image)
                self.ends.append(TrackEndView(end.track_id, frame.index, end.moment, crop))


def probed_by_all(
    run: VerificationRun,
    frames: Iterable[ProbedFrame],
    probes: Iterable[Probe],
    pixel_aspect: Fraction,
    stack: ExitStack,
) -> Iterable[ProbedFrame]:
    """Return the frames with the detections of all probes, each of which has its own thread.

    Args:
        run: whose frames they are.
        frames: as they are read.
        probes: the detectors.
        pixel_aspect: width of a pixel over its height.
        stack: ends the threads.
    """
    stage = frames
    for probe in probes:
        prefetched = stack.enter_context(Prefetcher(stage, _QUEUED_FRAMES, f"before {probe.name}"))
        stage = run.probed(prefetched, probe, pixel_aspect)
    return stage
