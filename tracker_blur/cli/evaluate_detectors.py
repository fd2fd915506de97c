"""`trackblur evaluate` of detectors: the tables that it prints, and the report."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from tracker_blur.cli.console import shows_bars
from tracker_blur.cli.standard_output import print_line
from tracker_blur.cli.tables import print_header, print_row, share_text

if TYPE_CHECKING:
    import argparse
    from collections.abc import Iterator, Sequence

    from tracker_blur.core.box import Detection
    from tracker_blur.detectors import Detector
    from tracker_blur.training.datasets import AnnotatedImage, Dataset
    from tracker_blur.training.evaluation.groups import Grouper
    from tracker_blur.training.evaluation.measure import Scores

_HEADER = (
    "detector",
    "scale",
    "images",
    "objects",
    "AP50",
    "recall at 0.1",
    "recall at 1",
    "AP50 12-20 px",
    "20-40 px",
    "40-80 px",
    "from 80 px",
    "recall in a run",
    "empty images with detections",
    "ms at 640x352",
)


@dataclass(frozen=True, slots=True)
class _Result:
    """One detector at one scale: its rows of the table, and its scores on all images."""

    name: str
    rows: list[list[str]]
    scores: Scores


def evaluate_detectors(
    dataset: Dataset, images: Sequence[AnnotatedImage], label: str, options: argparse.Namespace
) -> None:
    """Measure detectors; print the tables and write the report.

    Args:
        dataset: The dataset, for messages.
        images: The images to measure on.
        label: The class to measure.
        options: The options of the command.

    Raises:
        SettingsError: A detector does not know the class.
        ModelError: Weights are missing or damaged.
        MissingPackageError: pycocotools is not installed.
        SourceError: An image cannot be read.
        SinkError: The report cannot be written.
    """
    from tracker_blur.detectors import load_detector
    from tracker_blur.training.datasets.dataset import read_image
    from tracker_blur.training.evaluation.detecting import check_target_class, latency_ms
    from tracker_blur.training.evaluation.groups import Grouper
    from tracker_blur.training.evaluation.report import Section, render_report, write_report
    from tracker_blur.weights.store import Weights

    weights = Weights(options.models_folder)
    grouper = Grouper(weights) if options.groups else None
    detectors = {name: load_detector(name, weights)[1] for name in options.models.split(",")}
    for name, detector in detectors.items():
        check_target_class(name, detector, label, dataset)
    if options.split not in dataset.splits:
        print_line(
            "There is no split 'val': using the training images that 'trackblur train' sets aside.",
            "",
        )
    print_header(_HEADER)
    best: list[_Result] = []
    timed = read_image(images[0].path)
    for name, detector in detectors.items():
        latency = f"{latency_ms(detector, timed):.1f}"
        results = [
            _measure(name, detector, images, label, scale, latency, options)
            for scale in options.scales
        ]
        best.append(max(results, key=lambda result: result.scores.ap50))
    if len(options.scales) > 1:
        print_line("", "Each at its best scale:", "")
        print_header(_HEADER)
        for result in best:
            for row in result.rows:
                print_row(row)
    if grouper is not None:
        _print_groups(best, images, label, grouper)
    if options.report is not None:
        title = f"{label}: {len(images)} images of {options.dataset.name}, {options.split}"
        rows = [row for result in best for row in result.rows]
        sections = [Section(result.name, result.scores, images) for result in best]
        write_report(options.report, render_report(title, _HEADER, rows, sections))
        print_line("", f"report: {options.report}")


def _measure(
    name: str,
    detector: Detector,
    images: Sequence[AnnotatedImage],
    label: str,
    scale: float,
    latency: str,
    options: argparse.Namespace,
) -> _Result:
    """Measure one detector at one scale and print its rows."""
    from tracker_blur.training.candidates import TURNS
    from tracker_blur.training.evaluation.measure import score_detections

    def measured(
        row_name: str, pairs: Sequence[tuple[AnnotatedImage, list[Detection]]], latency: str = ""
    ) -> Scores:
        chosen = [image for image, _ in pairs]
        scores = score_detections(chosen, [some for _, some in pairs], label, options.smallest)
        rows.append(_row(row_name, scale, chosen, scores, detector.default_confidence, latency))
        print_row(rows[-1])
        return scores

    rows: list[list[str]] = []
    pairs = list(_detected(name, detector, images, label, scale, 0, options))
    total = measured(name, pairs, latency)
    for folder in sorted({image.path.parent for image in images} if options.by_folder else ()):
        of_folder = [(image, some) for image, some in pairs if image.path.parent == folder]
        measured(f"{name}, {folder.name}", of_folder)
    for turn in TURNS[1:] if options.turns else ():
        turned = list(_detected(name, detector, images, label, scale, turn, options))
        measured(f"{name}, turned by {90 * turn} degrees", turned)
    return _Result(f"{name} x{scale:g}", rows, total)


def _detected(
    name: str,
    detector: Detector,
    images: Sequence[AnnotatedImage],
    label: str,
    scale: float,
    turn: int,
    options: argparse.Namespace,
) -> Iterator[tuple[AnnotatedImage, list[Detection]]]:
    """Yield the images with the detections in them that count."""
    from tqdm import tqdm

    from tracker_blur.training.evaluation.detecting import detect_images, top_detections

    bar = tqdm(images, f"{name} x{scale:g}", leave=False, disable=not shows_bars())
    found = detect_images(detector, bar, scale, options.widen, turn)
    for image, detections in zip(images, found, strict=True):
        if options.partly_labelled:
            yield image, top_detections(detections, image, label)
        else:
            yield image, detections


def _row(
    name: str,
    scale: float,
    images: Sequence[AnnotatedImage],
    scores: Scores,
    confidence: float,
    latency: str,
) -> list[str]:
    from tracker_blur.training.evaluation.measure import alarmed_share

    shares = (
        scores.ap50,
        *scores.recall_at,
        *scores.ap50_by_size,
        scores.recall_from(confidence),
        alarmed_share(scores, images, confidence),
    )
    figures = map(share_text, shares)
    return [name, f"{scale:g}", str(len(images)), str(scores.object_count), *figures, latency]


def _print_groups(
    results: Sequence[_Result], images: Sequence[AnnotatedImage], label: str, grouper: Grouper
) -> None:
    from tracker_blur.training.evaluation.groups import group_objects, recall_by_group

    objects = group_objects(grouper, images, label)
    print_line("", "Recall at 1 false positive per image, by estimated pose and skin tone:", "")
    columns = [list(recall_by_group(result.scores, len(images), objects)) for result in results]
    print_header(["group", "objects", *(result.name for result in results)])
    for group in zip(*columns, strict=True):
        shares = [share_text(one.recall) for one in group]
        print_row([group[0].name, str(group[0].object_count), *shares])
