"""`trackblur train`: trains a detector, or a verifier of detections, on annotated images."""

from __future__ import annotations

import argparse
import os
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, get_args

from tracker_blur.cli.console import EXIT_DONE, Console
from tracker_blur.cli.detection_options import add_models_option
from tracker_blur.cli.option_values import names, number, number_between, numbers, whole_number_from
from tracker_blur.cli.standard_output import print_line
from tracker_blur.errors import MissingPackageError, SettingsError
from tracker_blur.settings import Shape
from tracker_blur.training.recipe import (
    UPRIGHT,
    UPRIGHT_CROPS,
    VERIFIER_BATCH,
    VERIFIER_RECIPE,
    Augmentation,
    CropAugmentation,
    GeometricAugmentation,
    Plan,
    Recipe,
    Task,
    is_backbone,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from tracker_blur.cli.parser import Parser
    from tracker_blur.training.recipe import TrainingData

_BATCH = 16  # canvases
_LARGEST_SEED = 2**32 - 1  # more processes and resumed runs add to it; PyTorch has 64 bits


def add_parser(commands: Any) -> Parser:
    """Add this command's parser to the `argparse` sub-parsers and return it."""
    default = Recipe()
    parser: Parser = commands.add_parser(
        "train",
        help="train a detector or a verifier on annotated images",
        description="Train a detector on annotated images, or a verifier: a small network that "
        "says whether a detection shows an object. After an interruption, the same command resumes "
        "from the last checkpoint.",
        examples=(
            "trackblur train faces/ --name my --check      # only reads the dataset",
            "trackblur train faces/ --name my --minutes 60",
            "trackblur train faces/ --task verify --name verify --minutes 75 --teachers yunet",
        ),
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
        default="detect",
        help="detect: learn where objects are; verify: learn whether a detection shows one "
        "(default: %(default)s)",
    )
    parser.add_argument("--name", required=True, help="the results are NAME.onnx and NAME.md")
    parser.add_argument(
        "--out",
        type=Path,
        default=Path(),
        metavar="DIR",
        help="folder for the results; it is created, but none above it (default: the current one)",
    )
    parser.add_argument(
        "--check", action="store_true", help="read the dataset, print a summary and exit"
    )
    parser.add_argument(
        "--classes", type=names, default=(), metavar="A,B", help="classes to train (default: all)"
    )
    length = parser.add_mutually_exclusive_group()
    length.add_argument(
        "--steps",
        type=whole_number_from(1),
        default=default.steps,
        metavar="N",
        help="number of batches (default: %(default)s)",
    )
    length.add_argument(
        "--minutes",
        type=number_between(0.01, 1e5),
        help="train for this long, over all runs, instead of --steps",
    )
    parser.add_argument(
        "--batch",
        type=whole_number_from(1),
        metavar="N",
        help=f"batch size (default: {_BATCH}; verify: {VERIFIER_BATCH})",
    )
    parser.add_argument(
        "--side",
        type=whole_number_from(1),
        default=256,
        metavar="PX",
        help="detect: side of the square training images (default: %(default)s)",
    )
    parser.add_argument(
        "--rate",
        type=number_between(1e-6, 1),
        help=f"learning rate (default: {default.rate:g}; verify: {VERIFIER_RECIPE.rate:g})",
    )
    parser.add_argument(
        "--start",
        type=Path,
        metavar="FILE",
        help="start with the weights of an earlier network from 'trackblur train' with the same "
        "--width (.onnx), or, for a verifier, with those of EfficientNet-Lite0 (.pth)",
    )
    parser.add_argument(
        "--join",
        type=Path,
        metavar="FILE.onnx",
        help="verify: the new file also holds this verifier, and answers with the mean of both, "
        "which is wrong less often, in the time of both",
    )
    parser.add_argument(
        "--seed",
        type=whole_number_from(0),
        default=1,
        help="random seed (default: %(default)s)",
    )
    parser.add_argument(
        "--workers",
        type=whole_number_from(0),
        default=1,
        metavar="N",
        help="processes that make training images (default: %(default)s)",
    )
    parser.add_argument(
        "--threads",
        type=whole_number_from(1),
        metavar="N",
        help="threads of PyTorch; 1 is best on a busy machine",
    )
    parser.add_argument(
        "--device", default="auto", help="cpu, cuda, cuda:1 or auto (default: auto)"
    )
    parser.add_argument(
        "--teachers",
        type=names,
        default=(),
        metavar="A,B",
        help="detectors that label objects that people left unlabeled, such as yunet,centerface; "
        "verify: detectors whose detections to learn from, besides our own",
    )
    parser.add_argument(
        "--share",
        action="append",
        type=_share,
        default=[],
        metavar="FOLDER=N",
        help="use images of this folder N times as often",
    )
    parser.add_argument(
        "--partly-labelled",
        type=names,
        default=(),
        metavar="A,B",
        help="verify: folders whose images may show more objects than are labeled; no detection in "
        "them that may be right counts as a false alarm",
    )
    objects = parser.add_argument_group("the objects")
    objects.add_argument(
        "--outline",
        choices=get_args(Shape),
        default="ellipse",
        help="detect: shape of the objects within their boxes, used when images are rotated "
        "(default: %(default)s)",
    )
    objects.add_argument(
        "--upright",
        action="store_true",
        help="the objects are seldom rotated, like plates and screens",
    )
    objects.add_argument(
        "--turned",
        type=number_between(0, 1),
        metavar="SHARE",
        help="detect: share of the images that are rotated by any angle "
        f"(default: {GeometricAugmentation().any_share:g}; with --upright: {UPRIGHT.any_share:g})",
    )
    objects.add_argument(
        "--widen",
        type=_range,
        default=(1.0, 1.0),
        metavar="A,B",
        help="stretch images to between A and B times their width, for images that were squeezed "
        "into squares",
    )
    parser.add_argument(
        "--width",
        type=number_between(0.2, 4),
        default=1.0,
        metavar="N",
        help="channels relative to the default network (default: 1)",
    )
    add_models_option(parser, "the teachers' weights")
    parser.add_argument(
        "--licences", default="not stated", help="licenses of the images, for the model card"
    )
    return parser


def _range(text: str) -> tuple[float, float]:
    ends = numbers(text)
    if len(ends) != 2 or not 0.2 <= ends[0] <= ends[1] <= 5:
        raise argparse.ArgumentTypeError(
            f"'{text}': give two ascending numbers from 0.2 to 5, such as 1,1.5"
        )
    return ends[0], ends[1]


def _share(text: str) -> tuple[str, float]:
    folder, _, times = text.rpartition("=")
    share = number(times) if folder else -1
    if not 0 <= share < 1000:
        raise argparse.ArgumentTypeError(f"'{text}': give FOLDER=N, with N from 0 to below 1000")
    return folder, share


def run(options: argparse.Namespace, _: Console) -> int:
    """Read the dataset and train."""
    from tracker_blur.files.atomic import check_folder
    from tracker_blur.training.recipe import read_training_data

    plan = _plan(options)
    check_folder(plan.folder)
    train = None if options.check else _trainer()
    is_first = os.environ.get("RANK", "0") == "0"  # of torchrun's processes, only this one prints
    data = read_training_data(plan)
    for line in data.summary() if is_first else ():
        print_line(line)
    if train is None:
        return EXIT_DONE
    path = train(plan, data, print_line)
    if is_first:
        print_line(f"done: {path} and {path.with_suffix('.md')}")
    return EXIT_DONE


def _plan(options: argparse.Namespace) -> Plan:
    """Return the plan that the options describe; raises SettingsError."""
    if not 64 <= options.side <= 1024 or options.side % 32:
        raise SettingsError(f"--side is {options.side}: give a multiple of 32 from 64 to 1024")
    if options.name in ("", "..") or options.name != Path(options.name).name:
        raise SettingsError(
            f"--name is '{options.name}': give a name without folders, and the folder with --out"
        )
    if options.name.endswith(".onnx"):
        raise SettingsError(f"--name is '{options.name}': leave out .onnx, which is added")
    if options.seed > _LARGEST_SEED:
        raise SettingsError(f"--seed is {options.seed}: give a number from 0 to {_LARGEST_SEED}")
    if options.start and is_backbone(options.start) and options.task != "verify":
        raise SettingsError(f"--start {options.start} is for --task verify: add that")
    if options.join and options.task != "verify":
        raise SettingsError("--join is for --task verify: leave it out")
    rotation = UPRIGHT if options.upright else GeometricAugmentation()
    turned = rotation.any_share if options.turned is None else options.turned
    geometry = replace(rotation, any_share=turned, widened=options.widen, outline=options.outline)
    crops = UPRIGHT_CROPS if options.upright else CropAugmentation()
    verifies = options.task == "verify"
    recipe, batch = (VERIFIER_RECIPE, VERIFIER_BATCH) if verifies else (Recipe(), _BATCH)
    rate = recipe.rate if options.rate is None else options.rate
    return Plan(
        dataset=options.dataset,
        name=options.name,
        folder=options.out,
        classes=options.classes,
        recipe=replace(recipe, steps=options.steps, minutes=options.minutes, rate=rate),
        augmentation=Augmentation(side_px=options.side, geometry=geometry),
        width=options.width,
        batch=batch if options.batch is None else options.batch,
        seed=options.seed,
        workers=options.workers,
        threads=options.threads,
        device=options.device,
        teachers=options.teachers,
        shares=dict(options.share),
        weights_folder=options.models_folder,
        licences=options.licences,
        initial_weights=options.start,
        joined_with=options.join,
        task=options.task,
        crops=replace(crops, widened=options.widen),
        partly_labelled=options.partly_labelled,
    )


def _trainer() -> Callable[[Plan, TrainingData, Callable[[str], None]], Path]:
    """Return the function that trains; raises MissingPackageError without PyTorch."""
    try:
        from tracker_blur.training.run import run
    except ImportError as error:
        if error.name != "torch":
            raise
        raise MissingPackageError("torch", "train", "training") from error
    return run
