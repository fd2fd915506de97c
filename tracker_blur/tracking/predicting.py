"""What the detectors report in a single image, and what the classifiers say about it.

Nothing is decided here: what redaction would hide is what `stills.py` returns.
"""

from __future__ import annotations

from fractions import Fraction
from typing import TYPE_CHECKING

from tracker_blur.core.box_arrays import suppress_overlaps
from tracker_blur.core.frame import view_size
from tracker_blur.core.predictions import Prediction, Predictions
from tracker_blur.detectors import detect_with_overlap
from tracker_blur.tracking.stills import detect_still, log_odds, scaled

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tracker_blur.core.box import Detection
    from tracker_blur.core.frame import Frame, Image
    from tracker_blur.tracking.detector_bundle import ClassDetector, DetectorBundle

MAX_SIZE_PX = 1920
"""The longest side of the view that is detected on, unless the caller says another: that of the
largest views of videos."""

_SQUARE = Fraction(1)
_MOST = 1000  # of a class in one image; a crowd has fewer


def predict(
    bundle: DetectorBundle,
    frame: Frame,
    *,
    confidence: float | None = None,
    overlap: float | None = None,
    max_size: int | None = None,
    with_odds: bool = True,
    pixel_aspect: Fraction = _SQUARE,
) -> Predictions:
    """Return what the detectors report in a frame; at most 1000 of each class.

    Args:
        bundle: The detectors.
        frame: The frame.
        confidence: The lowest score; None: that of the settings, or the detector's own.
        overlap: Of two boxes of a class with a larger IoU, the better stays; None: the detector's
            own threshold.
        max_size: Longest side, in pixels, of the view that is detected on; None: 1920. Frames are
            never enlarged.
        with_odds: Ask the classifiers, too.
        pixel_aspect: Width of the frame's pixels over their height.
    """
    view = frame.view(view_size(frame.size, max_size or MAX_SIZE_PX, pixel_aspect))
    found: list[Prediction] = []
    for one in bundle.detectors:
        least = one.confidence if confidence is None else confidence
        detections = detect_with_overlap(one.detector, view, least, overlap)
        detections = sorted(detections, key=lambda each: -each.score)[:_MOST]
        found += _predictions(one, frame, view, scaled(detections, view, frame), with_odds)
    return _sorted(bundle, frame, found)


def predict_hidden(
    bundle: DetectorBundle,
    frame: Frame,
    *,
    confidence: float | None = None,
    overlap: float | None = None,
    with_odds: bool = True,
) -> Predictions:
    """Return what redaction would hide in a still image; arguments as for `predict`."""
    found: list[Prediction] = []
    for one in bundle.detectors:
        detections = detect_still(one, frame, confidence)
        if overlap is not None:
            detections = suppress_overlaps(detections, overlap)
        view = frame.view(view_size(frame.size, max(one.parameters.still_images.detection_px)))
        found += _predictions(one, frame, view, detections, with_odds)
    return _sorted(bundle, frame, found)


def _predictions(
    detector: ClassDetector,
    frame: Frame,
    view: Image,
    detections: Sequence[Detection],
    with_odds: bool,
) -> list[Prediction]:
    """Return detections, in pixels of the frame, with the classifier's odds."""
    odds: Sequence[float | None] = [None] * len(detections)
    if with_odds and detector.classifier is not None:
        odds = log_odds(detector.classifier, frame, view, [one.box for one in detections])
    return [
        Prediction(one.box.clipped(*frame.size), one.score, detector.label, each)
        for one, each in zip(detections, odds, strict=True)
    ]


def _sorted(bundle: DetectorBundle, frame: Frame, found: Sequence[Prediction]) -> Predictions:
    """Return the predictions that lie in the frame, the highest score first."""
    inside = [one for one in found if not one.box.is_empty]
    inside.sort(key=lambda one: -one.score)
    labels = tuple(one.label for one in bundle.detectors)
    return Predictions(frame.size, tuple(inside), labels, bundle.name)
