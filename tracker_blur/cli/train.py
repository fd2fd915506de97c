"""`trackblur train`: makes a detector from annotated pictures."""

from __future__ import annotations

import argparse
import os
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, get_args

from tracker_blur.cli.console import Console, guarded, say
from tracker_blur.cli.values import between, from_zero, names, number, numbers, positive
from tracker_blur.errors import MissingPackageError, SettingsError
from tracker_blur.settings import Shape
from tracker_blur.training.recipe import UPRIGHT, Poses, Recipe, Views

if TYPE_CHECKING:
    from tracker_blur.training.recipe import Material, Plan

_LARGEST_SEED = 2**32 - 1  # several processes, and those that go on, add to it; PyTorch has 64 bits


def run_train(words: Sequence[str]) -> int:
    """Run the sub-command with these arguments; return the exit code."""
    options = _parser().parse_args(words)
    return guarded(Console(quiet=False), lambda: _train(options))


def _parser() -> argparse.ArgumentParser:
    usual = Recipe()
    parser = argparse.ArgumentParser(
        prog="trackblur train",
        description="Train a detector on annotated pictures. Interrupted, it goes on from its last "
        "checkpoint when it is started again with the same words.",
    )
    parser.add_argument(
        "dataset", type=Path, metavar="DATASET", help="a folder: YOLO, COCO, Pascal VOC, labels.csv"
    )
    parser.add_argument("--name", required=True, help="the result is NAME.onnx and NAME.md")
    parser.add_argument(
        "--out", type=Path, default=Path(), metavar="DIR", help="where to write (default: here)"
    )
    parser.add_argument(
        "--check", action="store_true", help="only read the data set and tell what is in it"
    )
    parser.add_argument(
        "--classes", type=names, default=(), metavar="A,B", help="only these (default: all)"
    )
    length = parser.add_mutually_exclusive_group()
    length.add_argument(
        "--steps",
        type=positive,
        default=usual.steps,
        metavar="N",
        help="batches (default: %(default)s)",
    )
    length.add_argument(
        "--minutes", type=between(0.01, 1e5), help="train so long instead, over all runs"
    )
    parser.add_argument("--batch", type=positive, default=16, metavar="N", help="(default: 16)")
    parser.add_argument(
        "--side", type=positive, default=256, metavar="PX", help="of a canvas (default: 256)"
    )
    parser.add_argument(
        "--rate",
        type=between(1e-6, 1),
        default=usual.rate,
        help="of learning (default: %(default)s)",
    )
    parser.add_argument(
        "--start",
        type=Path,
        metavar="FILE.onnx",
        help="begin with the weights of a network trained here before, of the same --width",
    )
    parser.add_argument("--seed", type=from_zero, default=1, help="(default: 1)")
    parser.add_argument(
        "--workers", type=from_zero, default=1, metavar="N", help="processes that make canvases"
    )
    parser.add_argument(
        "--threads", type=positive, metavar="N", help="of PyTorch; 1 is best on a busy machine"
    )
    parser.add_argument("--device", default="auto", help="cpu, cuda, cuda:1 (default: auto)")
    parser.add_argument(
        "--teachers",
        type=names,
        default=(),
        metavar="A,B",
        help="detectors that label what people left unlabelled: yunet,centerface",
    )
    parser.add_argument(
        "--share",
        action="append",
        type=_share,
        default=[],
        metavar="FOLDER=N",
        help="draw pictures of this folder N times as often",
    )
    things = parser.add_argument_group("the things to find")
    things.add_argument(
        "--outline",
        choices=get_args(Shape),
        default="ellipse",
        help="what fills their boxes, for when pictures are turned (default: %(default)s)",
    )
    things.add_argument(
        "--upright", action="store_true", help="they are seldom turned, as plates and screens are"
    )
    things.add_argument(
        "--widen",
        type=_range,
        default=(1.0, 1.0),
        metavar="A,B",
        help="make pictures A to B times as wide: for those that were squeezed into squares",
    )
    parser.add_argument(
        "--width",
        type=between(0.2, 4),
        default=1.0,
        metavar="N",
        help="of the network (default: 1)",
    )
    parser.add_argument("--face", type=Path, metavar="DIR", help="a folder with teachers' weights")
    parser.add_argument("--licences", default="not stated", help="of the pictures, for the card")
    return parser


def _range(text: str) -> tuple[float, float]:
    ends = numbers(text)
    if len(ends) != 2 or not 0.2 <= ends[0] <= ends[1] <= 5:
        raise argparse.ArgumentTypeError(f"'{text}': give two rising numbers from 0.2 to 5: 1,1.5")
    return ends[0], ends[1]


def _share(text: str) -> tuple[str, float]:
    folder, _, times = text.rpartition("=")
    share = number(times) if folder else -1
    if not 0 <= share < 1000:
        raise argparse.ArgumentTypeError(f"'{text}': give FOLDER=N, N from 0 and below 1000")
    return folder, share


def _train(options: argparse.Namespace) -> None:
    from tracker_blur.training.recipe import (
        material,  # brings OpenCV, which --help need not wait for
    )

    plan = _plan(options)
    run = None if options.check else _trainer()
    is_first = os.environ.get("RANK", "0") == "0"  # of torchrun's processes: the one that tells
    read = material(plan)
    for line in read.summary() if is_first else ():
        say(line)
    if run is None:
        return
    path = run(plan, read, say)
    if is_first:
        say(f"done: {path} and {path.with_suffix('.md')}")


def _plan(options: argparse.Namespace) -> Plan:
    """Return what is asked for; raises SettingsError."""
    from tracker_blur.training.recipe import Plan

    if not 64 <= options.side <= 1024 or options.side % 32:
        raise SettingsError("--side: a multiple of 32 from 64 to 1024 is expected")
    if options.name in ("", "..") or options.name != Path(options.name).name:
        raise SettingsError(
            f"--name '{options.name}': a name without folders is expected: see --out"
        )
    if options.name.endswith(".onnx"):
        raise SettingsError(f"--name {options.name}: leave .onnx out, it is added")
    if options.seed > _LARGEST_SEED:
        raise SettingsError(f"--seed: a number from 0 to {_LARGEST_SEED} is expected")
    usual = UPRIGHT if options.upright else Poses()
    poses = replace(usual, widened=options.widen, outline=options.outline)
    return Plan(
        options.dataset,
        options.name,
        options.out,
        options.classes,
        Recipe(steps=options.steps, minutes=options.minutes, rate=options.rate),
        Views(side_px=options.side, poses=poses),
        options.width,
        options.batch,
        options.seed,
        options.workers,
        options.threads,
        options.device,
        options.teachers,
        dict(options.share),
        options.face,
        options.licences,
        options.start,
    )


def _trainer() -> Callable[[Plan, Material, Callable[[str], None]], Path]:
    """Return what trains; raises MissingPackageError without PyTorch."""
    try:
        from tracker_blur.training.run import run
    except ImportError as error:
        if error.name != "torch":
            raise
        raise MissingPackageError("torch", "train", "training") from error
    return run
