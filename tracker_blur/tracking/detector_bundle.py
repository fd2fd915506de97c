"""What is to be hidden, and who finds it: faces, plates, or what a detector of one's own finds.

Several kinds of things in one video, each followed by itself: a face never becomes a plate.

Eyes: the detectors and the trackers that settings ask for, loaded once.

Looks for faces in single pictures, at several scales: there is no other frame to help.
"""

from __future__ import annotations

import itertools
import os
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal, TypeVar

from tracker_blur.core import plugins
from tracker_blur.core.box import Detection, suppress_overlaps
from tracker_blur.core.frame import Frame, Image, view_size
from tracker_blur.core.tracks import Face, Origin, Tracks
from tracker_blur.detectors import Detector, load_detector
from tracker_blur.errors import SettingsError
from tracker_blur.settings import DETECTOR_FILE_ENDING, FACE, Settings
from tracker_blur.trackers import Tracker
from tracker_blur.tracking.backtracking import Backtracked, Backtracker
from tracker_blur.tracking.online import OnlineTracker, Step
from tracker_blur.tracking.redetection import Redetector
from tracker_blur.tracking.schedule import DetectionSchedule
from tracker_blur.weights.store import Weights

_LABELS = {"faces": FACE, "plates": "plate"}  # every other word is a class of a detector file
_PLATES_FILE = "plate.onnx"
# Share of its size by which a box is padded on each side. Of a face behind a book or a hand our own
# network draws little more than what is seen of it (measured: models/face.md).
_PADDED = {"onnx": 0.05}


@dataclass(frozen=True, slots=True)
class TargetClass:
    """One kind of things to hide.

    label   what their detections and tracks are called
    finder  who finds them, for people to read
    load    gives a new detector that finds nothing else
    """

    label: str
    finder: str
    load: Callable[[], Detector]


def target_classes(settings: Settings, weights: Weights) -> tuple[TargetClass, ...]:
    """Return what the settings ask for, in their order.

    A detector file finds those of its classes that are to be hidden, all of them where nothing is
    named. Faces that it does not know are found by the best detector at hand, plates by our own.

    Raises ModelError, SettingsError for a kind that nobody finds, and MissingPackageError.
    """
    name, known = settings.detector, ()
    if name.endswith(DETECTOR_FILE_ENDING):
        known = plugins.load("tracker_blur.detectors", "onnx").from_file(name).labels
    wanted = [word if word in known else _LABELS.get(word, word) for word in settings.hide]
    labels = dict.fromkeys(wanted or known or (FACE,))
    return tuple(_kind(label, name, known, weights) for label in labels)


def _kind(label: str, name: str, known: tuple[str, ...], weights: Weights) -> TargetClass:
    if label in known:
        return TargetClass(
            label, Path(name).name, lambda: _only(label, load_detector(name, weights)[1])
        )
    if label == FACE:
        best = "auto" if known else name
        finder, _ = load_detector(best, weights)
        return TargetClass(label, finder, lambda: _padded(*load_detector(finder, weights)))
    if label == _LABELS["plates"]:
        onnx = plugins.load("tracker_blur.detectors", "onnx")
        return TargetClass(label, _PLATES_FILE, lambda: onnx.from_weights(weights, _PLATES_FILE))
    others = f"faces, plates and {', '.join(known)}" if known else "faces and plates"
    raise SettingsError(
        f"`hide`: nobody finds '{label}' here: {others} can be found, all else by a file that "
        "`detector` names"
    )


def _padded(finder: str, detector: Detector) -> Detector:
    ratio = _PADDED.get(finder)
    if ratio is None:
        return detector
    return _Changed(
        detector, lambda found: [replace(find, box=find.box.padded(ratio)) for find in found]
    )


def _only(label: str, detector: Detector) -> Detector:
    return _Changed(detector, lambda found: [find for find in found if find.label == label])


class _Changed:
    """A detector whose finds are changed before anyone sees them."""

    def __init__(
        self, detector: Detector, change: Callable[[list[Detection]], list[Detection]]
    ) -> None:
        self._detector = detector
        self._change = change
        self.default_confidence = detector.default_confidence
        self.low_confidence = detector.low_confidence

    def detect(self, image: Image, confidence: float) -> list[Detection]:
        """Return what is left of the finds with a score of at least `confidence`."""
        return self._change(self._detector.detect(image, confidence))


class _Ids:
    """Gives every track an identifier of its own, and its label: those of a kind are n apart."""

    def __init__(self, labels: Sequence[str]) -> None:
        self._labels = labels

    def shared(self, place: int, face: Face) -> Face:
        """Return a face of the kind at this place as all see it."""
        number = self.shared_number(place, face.track_id)
        return replace(face, track_id=number, label=self._labels[place])

    def shared_number(self, place: int, number: int) -> int:
        return number * len(self._labels) + place

    def own(self, place: int, faces: Sequence[Face]) -> tuple[Face, ...]:
        """Return the faces of one kind as its own follower sees them."""
        count = len(self._labels)
        mine = (face for face in faces if face.track_id % count == place)
        return tuple(replace(face, track_id=face.track_id // count) for face in mine)


class MultiClassTracker:
    """A follower for each label, as one."""

    def __init__(self, followers: Sequence[tuple[str, OnlineTracker]]) -> None:
        self._followers = [follower for _, follower in followers]
        self._ids = _Ids([label for label, _ in followers])

    def step(self, image: Image, seconds: float) -> Step:
        """Return what is in the next frame, as `OnlineTracker.step` does."""
        steps = [follower.step(image, seconds) for follower in self._followers]
        faces = tuple(
            self._ids.shared(place, face) for place, step in enumerate(steps) for face in step.faces
        )
        return Step(faces, steps[0].change, any(step.is_detection_frame for step in steps))


class MultiClassBacktracker:
    """A rewind for each label, as one; the labels in the followers' order."""

    def __init__(self, rewinds: Sequence[tuple[str, Backtracker]]) -> None:
        self._rewinds = [rewind for _, rewind in rewinds]
        self._ids = _Ids([label for label, _ in rewinds])

    def step(self, index: int, image: Image, step: Step) -> Iterator[tuple[Face, Backtracked]]:
        """Give each face that is new with where it was before, as `Rewind.step` does."""
        for place, rewind in enumerate(self._rewinds):
            own = replace(step, faces=self._ids.own(place, step.faces))
            for face, before in rewind.step(index, image, own):
                faces = tuple(
                    (earlier, seen, self._ids.shared(place, one))
                    for earlier, seen, one in before.faces
                )
                link = before.link
                if link is not None:
                    link = self._ids.shared_number(place, link)
                yield self._ids.shared(place, face), Backtracked(faces, link)


def merged(found: Sequence[tuple[str, Tracks]]) -> Tracks:
    """Return the tracks of several kinds, each with its label, of one video as one."""
    tracks = [replace(track, label=label) for label, part in found for track in part.tracks]
    numbered = tuple(replace(track, track_id=number) for number, track in enumerate(tracks))
    return replace(found[0][1], tracks=numbered)


@dataclass(frozen=True)
class ClassDetector:
    """What finds and follows the things of one kind.

    label         what they are called
    redetector   with a detector of its own: a network takes as long to change its size as to look
    new_tracker   None: the detector looks at every frame
    """

    label: str
    detector: Detector
    redetector: Redetector
    confidence: float
    new_tracker: Callable[[], Tracker] | None

    def follower(
        self,
        every_frames: int | Literal["auto"],
        rate: float,
        hold_seconds: float,
        *,
        looks_again: bool = False,
        skips: bool = False,
    ) -> OnlineTracker:
        """Return a new follower for a video of this many frames a second.

        looks_again  with the second look, for faces that the detector did not find
        skips        leave out the frames that the detector does not look at
        """
        return OnlineTracker(
            self.detector,
            self.confidence,
            self.new_tracker,
            DetectionSchedule(every_frames, rate),
            hold_seconds,
            time.perf_counter,
            threads=os.cpu_count() or 1,
            redetector=self.redetector if looks_again else None,
            skips=skips,
        )

    def rewind(self, rate: float) -> Backtracker:
        """Return a new rewind for a video of this many frames a second."""
        return Backtracker(self.new_tracker, self.redetector, rate)


@dataclass(frozen=True)
class DetectorBundle:
    """What finds and follows all that is to be hidden.

    each          one for each kind of things
    name          of the detectors, for people to read
    weight_files  names of the weight files that were read
    """

    each: tuple[ClassDetector, ...]
    name: str
    weight_files: tuple[str, ...]

    @classmethod
    def of(cls, settings: Settings) -> DetectorBundle:
        """Load them; raises ModelError, MissingPackageError or SettingsError."""
        weights = Weights(settings.models_folder)
        wanted = target_classes(settings, weights)
        new_tracker = (
            None
            if settings.tracker == "none"
            else plugins.load("tracker_blur.trackers", settings.tracker).load(weights)
        )
        each = tuple(_eye(kind, settings.confidence, new_tracker) for kind in wanted)
        name = ", ".join(dict.fromkeys(kind.finder for kind in wanted))
        return cls(each, name, tuple(sorted(weights.used)))

    @property
    def confidence(self) -> float:
        """The score from which a find of any kind is sure."""
        return min(eye.confidence for eye in self.each)

    def follower(
        self,
        every_frames: int | Literal["auto"],
        rate: float,
        hold_seconds: float,
        *,
        looks_again: bool = False,
    ) -> MultiClassTracker:
        """Return new followers of all kinds, as `Eye.follower` does.

        What is no face is looked for in every frame: trackers keep to it less well.
        """
        return MultiClassTracker(
            [
                (
                    eye.label,
                    eye.follower(
                        every_frames if eye.label == FACE else 1,
                        rate,
                        hold_seconds,
                        looks_again=looks_again,
                    ),
                )
                for eye in self.each
            ]
        )

    def rewind(self, rate: float) -> MultiClassBacktracker:
        """Return new rewinds of all kinds for a video of this many frames a second."""
        return MultiClassBacktracker([(eye.label, eye.rewind(rate)) for eye in self.each])


def _eye(
    kind: TargetClass, confidence: float | None, new_tracker: Callable[[], Tracker] | None
) -> ClassDetector:
    detector = kind.load()
    return ClassDetector(
        kind.label,
        detector,
        Redetector(kind.load()),
        detector.default_confidence if confidence is None else confidence,
        new_tracker,
    )


_LOOKS_PX = (320, 640, 1280, 2560)  # longest sides; a detector sees a narrow range of face sizes
_SAME_FACE_IOU = 0.4

F = TypeVar("F", bound=Frame)


def detect_each(
    frames: Iterable[F], eyes: Sequence[ClassDetector]
) -> Iterator[tuple[F, tuple[Face, ...]]]:
    """Give each picture with what is found in it, in pixels of the full-size upright frame."""
    ids = itertools.count()
    for frame in frames:
        yield (
            frame,
            tuple(
                Face(next(ids), find.box, find.score, Origin.DETECTED, label=eye.label)
                for eye in eyes
                for find in detect_multiscale(eye.detector, frame, eye.confidence)
            ),
        )


def detect_multiscale(detector: Detector, frame: Frame, confidence: float) -> list[Detection]:
    """Return the faces found at any scale, boxes in pixels of the full-size upright frame."""
    width, height = frame.size
    sizes = {view_size(frame.size, longest) for longest in _LOOKS_PX}
    found = [
        Detection(find.box.scaled(width / size[0], height / size[1]), find.score, find.label)
        for size in sorted(sizes)
        for find in detector.detect(frame.view(size), confidence)
    ]
    return suppress_overlaps(found, _SAME_FACE_IOU)
