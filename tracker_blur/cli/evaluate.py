"""`trackblur evaluate`: measures detectors, and verifiers of detections, on annotated images."""

from __future__ import annotations

import argparse
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, get_args

from tracker_blur.cli.console import EXIT_DONE, Console, print_line
from tracker_blur.cli.option_values import names, number_between, numbers, whole_number_from
from tracker_blur.cli.options import add_models_option
from tracker_blur.cli.tables import print_header, print_row, share_text
from tracker_blur.errors import SettingsError
from tracker_blur.training.recipe import Task

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tracker_blur.cli.parser import Parser
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
    "ms at 640x352",
)

_OF_DETECTORS = {
    "scales": (1.0,),
    "widen": 1.0,
    "partly_labelled": False,
    "groups": False,
    "report": None,
}
"""Options that a verifier has no use for, and their defaults."""


def add_parser(commands: Any) -> Parser:
    """Add this command's parser to the `argparse` sub-parsers and return it."""
    parser: Parser = commands.add_parser(
        "evaluate",
        help="measure detectors on annotated images",
        description="Measure detectors on annotated images, all of them in the same way; or a "
        "verifier, which 'trackblur train --task verify' makes, on what detectors detect in them.",
        examples=(
            "trackblur evaluate yunet,haar faces/",
            "trackblur evaluate yunet faces/ --report report.html",
            "trackblur evaluate verify.onnx faces/ --detectors yunet",
        ),
    )
    parser.add_argument(
        "models",
        metavar="MODEL",
        help="detectors or .onnx files, separated by commas: yunet,my.onnx; or one verifier",
    )
    parser.add_argument(
        "dataset",
        type=Path,
        metavar="DATASET",
        help="a folder with a dataset: YOLO, COCO, Pascal VOC or labels.csv",
    )
    parser.add_argument(
        "--task",
        choices=get_args(Task),
        help="what the models do (default: what the first file says)",
    )
    parser.add_argument(
        "--detectors",
        type=names,
        metavar="A,B",
        help="verify: judge what these detect, and our own (default: yunet and centerface, if "
        "installed)",
    )
    parser.add_argument("--split", default="test", help="split to use (default: %(default)s)")
    parser.add_argument(
        "--class", dest="label", metavar="NAME", help="class to measure (default: the only one)"
    )
    parser.add_argument(
        "--scales",
        type=_scales,
        default=(1.0,),
        metavar="N,N",
        help="scale the images by each of these factors; the table ends with the best by AP50 "
        "(default: 1)",
    )
    parser.add_argument(
        "--smallest",
        type=number_between(0, 1e5),
        default=12.0,
        metavar="PX",
        help="ignore objects whose shorter side is less than this (default: %(default)g)",
    )
    parser.add_argument(
        "--widen",
        type=number_between(0.2, 5),
        default=1.0,
        metavar="N",
        help="stretch the images to N times their width, for images that were squeezed into "
        "squares (default: 1)",
    )
    parser.add_argument(
        "--partly-labelled",
        action="store_true",
        help="only some objects are labeled: score at most as many detections per image as it has "
        "labels, highest scores first",
    )
    parser.add_argument(
        "--groups",
        action="store_true",
        help="faces: also show the recall by estimated pose and skin tone; needs YuNet's weights",
    )
    parser.add_argument(
        "--by-folder", action="store_true", help="also measure each folder separately"
    )
    parser.add_argument(
        "--limit", type=whole_number_from(1), metavar="N", help="use only N images, evenly spread"
    )
    add_models_option(parser)
    parser.add_argument(
        "--report",
        type=Path,
        metavar="FILE.html",
        help="write a report with the results and the worst errors",
    )
    return parser


def _scales(text: str) -> tuple[float, ...]:
    scales = numbers(text)
    if not all(0.05 <= scale <= 20 for scale in scales):
        raise argparse.ArgumentTypeError(f"'{text}': give numbers from 0.05 to 20, such as 1,1.5")
    return scales


@dataclass(frozen=True, slots=True)
class _Result:
    """One detector at one scale: its rows of the table, and its scores on all images."""

    name: str
    rows: list[list[str]]
    scores: Scores


def run(options: argparse.Namespace, _: Console) -> int:
    """Measure the detectors or the verifier; print the tables and write the report."""
    if _verifies(options):
        return _run_verifier(options)
    from tracker_blur.detectors import load_detector
    from tracker_blur.files.atomic import check_place
    from tracker_blur.training.datasets import read_dataset
    from tracker_blur.training.datasets.dataset import read_image
    from tracker_blur.training.evaluation.groups import Grouper
    from tracker_blur.training.evaluation.measure import (
        check_target_class,
        latency_ms,
        require_pycocotools,
    )
    from tracker_blur.training.evaluation.report import Section, render_report, write_report
    from tracker_blur.weights.store import Weights

    require_pycocotools()  # before the first detection
    if options.report is not None:
        check_place(options.report, overwrite=True)
    dataset = read_dataset(options.dataset)
    label = _label(dataset, options.label)
    images = _images(dataset, options.split, options.limit)
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
    return EXIT_DONE


def _verifies(options: argparse.Namespace) -> bool:
    from tracker_blur.training.verifier.naming import is_verifier

    if options.task is not None:
        verifies: bool = options.task == "verify"
        return verifies
    file = Path(options.models)
    return file.is_file() and is_verifier(file.read_bytes())


def _run_verifier(options: argparse.Namespace) -> int:
    from tracker_blur.cli.evaluate_verifier import evaluate_verifier
    from tracker_blur.training.datasets import read_dataset
    from tracker_blur.weights.store import Weights

    for name, default in _OF_DETECTORS.items():
        if getattr(options, name) != default:
            option = f"--{name.replace('_', '-')}"
            raise SettingsError(f"{option} is for detectors, and {options.models} is a verifier")
    dataset = read_dataset(options.dataset)
    label = _label(dataset, options.label)
    evaluate_verifier(
        options.models,
        _images(dataset, options.split, options.limit),
        label,
        options.detectors,
        Weights(options.models_folder),
        options.smallest,
    )
    return EXIT_DONE


def _label(dataset: Dataset, name: str | None) -> str:
    """Return the class to evaluate; raises SettingsError."""
    known = ", ".join(dataset.classes)
    if name is None and len(dataset.classes) > 1:
        raise SettingsError(f"name one class with --class: {known}")
    label = dataset.classes[0] if name is None else name
    if label not in dataset.classes:
        raise SettingsError(f"{dataset.folder}: has no class '{label}': it has {known}")
    return label


def _images(dataset: Dataset, split: str, limit: int | None) -> tuple[AnnotatedImage, ...]:
    """Return the images to evaluate on; raises SettingsError where there is no such split."""
    from tracker_blur.training.datasets.dataset import with_validation

    splits = with_validation(dataset).splits if split == "val" else dataset.splits
    if split not in splits:
        known = ", ".join(dataset.splits)
        raise SettingsError(f"{dataset.folder}: has no split '{split}': it has {known}")
    images = splits[split]
    if limit is None or limit >= len(images):
        return images
    step = len(images) / limit
    return tuple(images[int(i * step)] for i in range(limit))


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
    from tqdm import tqdm

    from tracker_blur.training.evaluation.measure import (
        detect_images,
        score_detections,
        top_detections,
    )

    bar = tqdm(images, f"{name} x{scale:g}", leave=False, disable=not sys.stderr.isatty())
    detections = list(detect_images(detector, bar, scale, options.widen))
    if options.partly_labelled:
        detections = [
            top_detections(some, image, label)
            for some, image in zip(detections, images, strict=True)
        ]
    total = score_detections(images, detections, label, options.smallest)
    rows = [_row(name, scale, len(images), total, latency)]
    for folder in sorted({image.path.parent for image in images} if options.by_folder else ()):
        pairs = [
            (image, some)
            for image, some in zip(images, detections, strict=True)
            if image.path.parent == folder
        ]
        part = score_detections(
            [image for image, _ in pairs], [some for _, some in pairs], label, options.smallest
        )
        rows.append(_row(f"{name}, {folder.name}", scale, len(pairs), part, ""))
    for row in rows:
        print_row(row)
    return _Result(f"{name} x{scale:g}", rows, total)


def _row(name: str, scale: float, images: int, scores: Scores, latency: str) -> list[str]:
    shares = (scores.ap50, *scores.recall_at, *scores.ap50_by_size)
    figures = map(share_text, shares)
    return [name, f"{scale:g}", str(images), str(scores.object_count), *figures, latency]


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
