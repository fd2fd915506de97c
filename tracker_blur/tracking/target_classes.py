"""Target classes: what is hidden, and which detector detects it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cache, partial
from pathlib import Path
from typing import TYPE_CHECKING

from tracker_blur.core import plugins
from tracker_blur.core.detector_choice import AUTO, DetectorChoice
from tracker_blur.core.parameters import PlausibilityParameters
from tracker_blur.detectors import (
    Detector,
    LabelledDetector,
    detect_with_overlap,
    load_detector,
)
from tracker_blur.errors import SettingsError
from tracker_blur.settings import FACE, Settings
from tracker_blur.tracking.shared_detector import SharedDetector

if TYPE_CHECKING:
    from collections.abc import Callable

    from tracker_blur.core.box import Detection
    from tracker_blur.core.frame import Image
    from tracker_blur.core.parameters import TrackingParameters
    from tracker_blur.weights.store import Weights

PLATE = "plate"
_LABELS = {"faces": FACE, "plates": PLATE}  # any other word is a class of a detector file
_PLATES_FILE = "plate.onnx"
# By detector: share of its size by which a box is padded on each side. Of a face behind a book or a
# hand our own network detects little more than the visible part (measured: models/face.md).
_PADDING = {"onnx": 0.05}
_COMPANION = "onnx"  # comes with the package, and sees bent and covered heads that others miss


@dataclass(frozen=True, slots=True)
class TargetClass:
    """One class of objects to hide.

    Attributes:
        label: Label of their detections and tracks.
        detector_name: Name of the detector, for people to read.
        load: Returns a detector that detects nothing else.
        load_for_crops: Returns another one: a network takes as long to change its input size as to
            detect.
        is_final: Whether what it returns counts, and nothing else: it is the caller's own, or a
            file that does not say what it detects.
    """

    label: str
    detector_name: str
    load: Callable[[], Detector]
    load_for_crops: Callable[[], Detector]
    is_final: bool = False


def target_classes(
    settings: Settings, weights: Weights, own: LabelledDetector | None = None
) -> tuple[TargetClass, ...]:
    """Return what the settings hide, in their order.

    A detector file detects those of its classes that are to be hidden; all of them if none is
    named. Faces that it does not know are left to the best available detector, plates to our own.

    Args:
        settings: what is hidden, and the detector.
        weights: where to find weight files.
        own: the caller's detector, instead of the one that the settings name.

    Raises:
        ModelError: a weight file is missing or damaged.
        SettingsError: there is no detector for a class.
        MissingPackageError: a detector needs a package that is not installed.
    """
    known = _known(settings.detector, own)
    labels = () if known is None else known.labels
    wanted = [word if word in labels else _LABELS.get(word, word) for word in settings.hide]
    every = dict.fromkeys(wanted or labels or (FACE,))
    return tuple(_target_class(label, settings.detector, known, weights) for label in every)


def other_detectors(
    target: TargetClass, asked: str, weights: Weights
) -> tuple[Callable[[], Detector], ...]:
    """Return what loads detectors that see some of the faces that a target's own overlooks.

    Args:
        target: What is hidden.
        asked: The detector that the settings ask for; one that is named there stays alone, as
            does the caller's own.
        weights: Where to find weight files.
    """
    is_alone = target.is_final or asked != AUTO or target.detector_name == _COMPANION
    if target.label != FACE or is_alone:
        return ()
    if weights.complete(plugins.load("tracker_blur.detectors", _COMPANION).WEIGHTS) is None:
        return ()
    return (lambda: _padded(_COMPANION, load_detector(_COMPANION, weights)[1]),)


def parameters_of(label: str, parameters: TrackingParameters) -> TrackingParameters:
    """Return the tuning parameters of a class, which the settings give for faces."""
    if label == FACE:
        return parameters
    redetection, backtracking = parameters.redetection, parameters.backtracking
    parameters = replace(
        parameters,
        redetection=replace(redetection, max_occluded_share=redetection.others_occluded_share),
        backtracking=replace(
            backtracking, max_unconfirmed_frames=backtracking.others_unconfirmed_frames
        ),
    )
    if label != PLATE:  # people and cars have any size and place
        return replace(parameters, plausibility=PlausibilityParameters.for_any_size())
    plates = parameters.plates
    return replace(
        parameters,
        first_pass=replace(
            parameters.first_pass,
            min_interval_frames=plates.min_interval_frames,
            start_score_share=plates.start_score_share,
        ),
        online=replace(
            parameters.online,
            agreeing_detections=plates.agreeing_detections,
            agreeing_best_ratio=plates.agreeing_best_ratio,
            gate_sizes=plates.gate_sizes,
            gate_growth_sizes_per_second=plates.gate_growth_sizes_per_second,
            max_gate_sizes=plates.max_gate_sizes,
            velocity_share=plates.velocity_share,
            max_speed_sizes=plates.max_speed_sizes,
            low_confidence_seconds=plates.low_confidence_seconds,
        ),
        plausibility=replace(
            parameters.plausibility,
            frame_filling_share=plates.frame_filling_share,
            usual_aspects=plates.usual_aspects,
            unusual_score_share=plates.unusual_score_share,
            large_share=plates.large_share,
        ),
        classification=replace(
            parameters.classification,
            small_log_odds=plates.small_log_odds,
            clear_log_odds=plates.clear_log_odds,
            swollen_face_log_odds=plates.swollen_face_log_odds,
            large_log_odds=plates.large_log_odds,
            large_share=plates.large_share,
            certain_log_odds=plates.certain_log_odds,
            large_certain_log_odds=plates.certain_log_odds,
            certain_score_share=plates.certain_score_share,
            least_still_log_odds=plates.least_still_log_odds,
            mean_score_share=plates.mean_score_share,
            cut_off_log_odds=plates.cut_off_log_odds,
            group_log_odds=plates.group_log_odds,
            start_log_odds=plates.start_log_odds,
        ),
        linking=replace(parameters.linking, gate_sizes=plates.link_gate_sizes),
    )


@dataclass(frozen=True, slots=True)
class _Known:
    """A detector that says itself which classes it detects: a file, or the caller's own.

    Its classes share one that is loaded for whole views, and one for crops.
    """

    name: str
    labels: tuple[str, ...]
    load: Callable[[], Detector]
    load_for_crops: Callable[[], Detector]
    is_final: bool = False


def _known(name: str, own: LabelledDetector | None) -> _Known | None:
    if own is not None:
        shared = SharedDetector(own)
        return _Known(own.name, own.labels, lambda: shared, lambda: shared, is_final=True)
    choice = DetectorChoice.of(name)
    if not choice.is_file:
        return None
    onnx = plugins.load("tracker_blur.detectors", "onnx")
    content = onnx.tried_content(choice.name)  # read once: the file may be replaced in a run
    new = partial(onnx.from_content, choice.name, content, choice.parameters())
    first = new()
    shared = SharedDetector(first)
    for_crops = cache(lambda: SharedDetector(new()))
    is_final = not first.names_classes
    return _Known(Path(name).name, first.labels, lambda: shared, for_crops, is_final)


def _reusing(first: Detector, load: Callable[[], Detector]) -> Callable[[], Detector]:
    """Return what loads a detector, and takes the one that is loaded already at the first call."""
    ready = [first]
    return lambda: ready.pop() if ready else load()


def _target_class(label: str, name: str, known: _Known | None, weights: Weights) -> TargetClass:
    if known is not None and label in known.labels:
        return TargetClass(
            label,
            known.name,
            lambda: _only(label, known.load()),
            lambda: _only(label, known.load_for_crops()),
            known.is_final,
        )
    if label == FACE:
        found, first = load_detector(AUTO if known else name, weights)
        load = _reusing(first, lambda: load_detector(found, weights)[1])

        def padded() -> Detector:
            return _padded(found, load())

        return TargetClass(label, found, padded, padded)
    if label == PLATE:
        onnx = plugins.load("tracker_blur.detectors", "onnx")
        plates = partial(onnx.from_weights, weights, _PLATES_FILE)
        return TargetClass(label, _PLATES_FILE, plates, plates)
    if known is not None:
        classes = f"class{'' if len(known.labels) == 1 else 'es'} {', '.join(known.labels)}"
        raise SettingsError(
            f"includes '{label}', but {known.name} has only the {classes}: give one of its "
            "classes, faces or plates",
            setting="hide",
        )
    raise SettingsError(
        f"includes '{label}', but only faces and plates can be detected: for other classes, give "
        "a file with",
        setting="hide",
        remedy="detector",
    )


def _padded(detector_name: str, detector: Detector) -> Detector:
    ratio = _PADDING.get(DetectorChoice.of(detector_name).name)
    if ratio is None:
        return detector
    return _FilteredDetector(
        detector,
        lambda detections: [
            replace(detection, box=detection.box.padded(ratio)) for detection in detections
        ],
    )


def _only(label: str, detector: Detector) -> Detector:
    return _FilteredDetector(
        detector,
        lambda detections: [detection for detection in detections if detection.label == label],
    )


class _FilteredDetector:
    """A detector whose detections are changed on their way out."""

    takes_overlap = True

    def __init__(
        self, detector: Detector, change: Callable[[list[Detection]], list[Detection]]
    ) -> None:
        self._detector = detector
        self._change = change
        self.default_confidence = detector.default_confidence
        self.low_confidence = detector.low_confidence

    def detect(
        self, image: Image, confidence: float, overlap: float | None = None
    ) -> list[Detection]:
        """Return the changed detections with a score of at least `confidence`."""
        return self._change(detect_with_overlap(self._detector, image, confidence, overlap))
