"""`trackblur evaluate` of a verifier: the tables that it prints."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from tracker_blur.cli.console import shows_bars
from tracker_blur.cli.standard_output import print_line
from tracker_blur.cli.tables import print_header, print_row, share_text
from tracker_blur.errors import ModelError, SettingsError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from tracker_blur.detectors import Detector
    from tracker_blur.training.datasets import AnnotatedImage
    from tracker_blur.training.odds import OddsScores
    from tracker_blur.training.verifier.judging import JudgedDetection
    from tracker_blur.weights.store import Weights

_OFFERED = ("yunet", "centerface")  # besides our own detector, if their weights are installed


def evaluate_verifier(
    path: str,
    images: Sequence[AnnotatedImage],
    label: str,
    detectors: Sequence[str] | None,
    weights: Weights,
    smallest_px: float,
) -> None:
    """Print how well a verifier judges detections in the images, and what it is good for.

    Args:
        path: The verifier's file.
        images: The images and their labels.
        label: The class of the objects.
        detectors: Detectors besides our own; None for those that are installed.
        weights: Where their weights come from.
        smallest_px: Objects with a shorter side below this do not count as missed.

    Raises:
        ModelError: A file is missing, damaged, or no verifier.
        SettingsError: The verifier is of another class.
    """
    from tqdm import tqdm

    from tracker_blur.training.candidates import load_proposers
    from tracker_blur.training.verifier.judging import judge_detections, load_verifier

    known, verifier = load_verifier(path)
    if known != label:
        raise SettingsError(f"{path} verifies {known}, not {label}: name its class with --class")
    names = _installed(weights) if detectors is None and label == "face" else detectors or ()
    proposers = load_proposers(label, names, weights)
    bar = tqdm(images, "detecting", leave=False, disable=not shows_bars())
    judged = judge_detections(verifier, proposers, bar, label)
    _print_scores(judged, images)
    _print_alarms(judged, images, proposers, label, smallest_px)


def _installed(weights: Weights) -> tuple[str, ...]:
    from tracker_blur.detectors import load_detector

    installed = []
    for name in _OFFERED:
        try:
            load_detector(name, weights)
        except ModelError:
            continue
        installed.append(name)
    return tuple(installed)


def _print_scores(judged: Sequence[JudgedDetection], images: Sequence[AnnotatedImage]) -> None:
    from tracker_blur.training.candidates import TURNS
    from tracker_blur.training.verifier.judging import SIZES_PX, score_judged

    total = score_judged(judged)
    thresholds = total.thresholds
    print_line(
        "Detections of objects against false ones; false positives at the log odds that 99.5, 99 "
        "and 98 % of all objects reach, and each row's recall at the first of them:",
        "",
    )
    print_header(
        (
            "detections",
            "objects",
            "false",
            "area under ROC",
            "false positives at 99.5 %",
            "at 99 %",
            "at 98 %",
            "recall",
            "calibration error",
        )
    )
    _print_scored("all", total)
    folders = [image.path.parent.name for image in images]
    for detector in dict.fromkeys(one.detector for one in judged):
        own = [one for one in judged if one.detector == detector]
        _print_scored(f"of {detector}", score_judged(own, thresholds))
    for folder in sorted(set(folders)):
        within = [one for one in judged if folders[one.image_index] == folder]
        _print_scored(folder, score_judged(within, thresholds))
    for low, high in SIZES_PX:
        sized = [one for one in judged if low <= one.size_px < high]
        words = f"from {low} px" if high == math.inf else f"{low}-{high:g} px"
        _print_scored(words, score_judged(sized, thresholds))
    for turn in TURNS[1:]:
        _print_scored(f"turned by {90 * turn} degrees", score_judged(judged, thresholds, turn))


def _print_scored(name: str, scores: OddsScores) -> None:
    calibrated = scores.calibration_error if scores.objects and scores.others else math.nan
    figures = (scores.auc, *scores.false_positives, scores.recalls[0], calibrated)
    counts = str(scores.objects), str(scores.others)
    print_row([name, *counts, *map(share_text, figures)])


def _print_alarms(
    judged: Sequence[JudgedDetection],
    images: Sequence[AnnotatedImage],
    detectors: Mapping[str, Detector],
    label: str,
    smallest_px: float,
) -> None:
    from tracker_blur.training.odds import RECALLS
    from tracker_blur.training.verifier.judging import (
        VIEW_PX,
        alarmed_share,
        passing,
        recall_of,
        score_judged,
    )

    columns = {"without": -math.inf, "log odds from 0": 0.0}
    for recall, least in zip(RECALLS, score_judged(judged).thresholds, strict=True):
        columns[f"from {least:.2f} ({100 * recall:g} %)"] = least
    print_line(
        "",
        f"Images without objects that have a detection, enlarged to {VIEW_PX} px, and the recall, "
        "without the verifier and with it:",
        "",
    )
    print_header(("detector", "measured", *columns))
    empty = [image for image in images if not image.objects and not image.ignored]
    folders = sorted({image.path.parent.name for image in empty})
    for name, detector in detectors.items():
        confidence = detector.default_confidence
        passed = [passing(judged, name, confidence, least) for least in columns.values()]
        where = f"{name} at {confidence:g}"
        recalls = [recall_of(some, images, label, smallest_px) for some in passed]
        print_row([where, "recall", *map(share_text, recalls)])
        for folder in folders:
            alarmed = [alarmed_share(some, images, folder) for some in passed]
            print_row([where, f"alarmed, {folder}", *map(share_text, alarmed)])
