"""`trackblur evaluate`: measures detectors, and verifiers of detections, on annotated images."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING, Any, get_args

from tracker_blur.cli.console import EXIT_DONE, Console
from tracker_blur.cli.detection_options import add_models_option
from tracker_blur.cli.option_values import names, number_between, numbers, whole_number_from
from tracker_blur.errors import SettingsError
from tracker_blur.training.recipe import Task

if TYPE_CHECKING:
    from tracker_blur.cli.parser import Parser
    from tracker_blur.training.datasets import AnnotatedImage, Dataset

_OF_DETECTORS = {
    "scales": (1.0,),
    "widen": 1.0,
    "partly_labelled": False,
    "turns": False,
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
        "--turns",
        action="store_true",
        help="also turn the images by 90, 180 and 270 degrees, and measure each turn separately",
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


def run(options: argparse.Namespace, _: Console) -> int:
    """Measure the detectors or the verifier; print the tables and write the report."""
    if _verifies(options):
        return _run_verifier(options)
    from tracker_blur.cli.evaluate_detectors import evaluate_detectors
    from tracker_blur.files.atomic import check_place
    from tracker_blur.training.datasets import read_dataset
    from tracker_blur.training.evaluation.measure import require_pycocotools

    require_pycocotools()  # before the first detection
    if options.report is not None:
        check_place(options.report, overwrite=True)
    dataset = read_dataset(options.dataset)
    label = _label(dataset, options.label)
    images = _images(dataset, options.split, options.limit)
    evaluate_detectors(dataset, images, label, options)
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
