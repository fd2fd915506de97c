"""`trackblur evaluate`: how well detectors find what is annotated in pictures."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from tracker_blur.cli.console import Console, guarded, say
from tracker_blur.cli.values import between, numbers, positive
from tracker_blur.errors import SettingsError

if TYPE_CHECKING:
    from tracker_blur.detectors import Detector
    from tracker_blur.training.datasets import Annotated, Dataset
    from tracker_blur.training.evaluation.groups import Grouper
    from tracker_blur.training.evaluation.measure import Scores

_HEADER = (
    "detector",
    "scale",
    "pictures",
    "things",
    "AP50",
    "recall at 0.1",
    "recall at 1",
    "AP50 12-20 px",
    "20-40 px",
    "40-80 px",
    "from 80 px",
    "ms at 640x352",
)


def run_evaluate(words: Sequence[str]) -> int:
    """Run the sub-command with these arguments; return the exit code."""
    options = _parser().parse_args(words)
    return guarded(Console(quiet=False), lambda: _evaluate(options))


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="trackblur evaluate",
        description="Judge detectors on annotated pictures, all by the same ruler.",
    )
    parser.add_argument(
        "models", metavar="MODEL", help="detectors or .onnx files, joined by commas: yunet,my.onnx"
    )
    parser.add_argument(
        "dataset", type=Path, metavar="DATASET", help="a folder: YOLO, COCO, Pascal VOC, labels.csv"
    )
    parser.add_argument("--split", default="test", help="which pictures (default: %(default)s)")
    parser.add_argument("--class", dest="label", metavar="NAME", help="default: the only one")
    parser.add_argument(
        "--scales",
        type=_scales,
        default=(1.0,),
        metavar="N,N",
        help="enlarge pictures by each of these; the best by AP50 is shown last (default: 1)",
    )
    parser.add_argument(
        "--smallest",
        type=between(0, 1e5),
        default=12.0,
        metavar="PX",
        help="things with a shorter side than this are not judged (default: %(default)g)",
    )
    parser.add_argument(
        "--widen",
        type=between(0.2, 5),
        default=1.0,
        metavar="N",
        help="show pictures N times as wide: for those that were squeezed (default: 1)",
    )
    parser.add_argument(
        "--partly-labelled",
        action="store_true",
        help="labels name only some things: judge as many finds of a picture, the best-scored",
    )
    parser.add_argument(
        "--groups",
        action="store_true",
        help="faces: also the recall by pose and skin tone, estimated; needs YuNet's weights",
    )
    parser.add_argument("--by-folder", action="store_true", help="also each folder on its own")
    parser.add_argument(
        "--limit", type=positive, metavar="N", help="only N pictures, evenly spread"
    )
    parser.add_argument("--face", type=Path, metavar="DIR", help="a folder with weights")
    parser.add_argument(
        "--report", type=Path, metavar="FILE.html", help="write figures and the worst errors there"
    )
    return parser


def _scales(text: str) -> tuple[float, ...]:
    scales = numbers(text)
    if not all(0.05 <= scale <= 20 for scale in scales):
        raise argparse.ArgumentTypeError(f"'{text}': give numbers from 0.05 to 20, such as 1,1.5")
    return scales


@dataclass(frozen=True, slots=True)
class _Run:
    """One detector at one scale: its rows of the table, and its scores on all pictures."""

    name: str
    rows: list[list[str]]
    scores: Scores


def _evaluate(options: argparse.Namespace) -> None:
    from tracker_blur.detectors import load_detector
    from tracker_blur.files.atomic import check_place
    from tracker_blur.training.datasets import read_dataset
    from tracker_blur.training.datasets.annotated import read_picture
    from tracker_blur.training.evaluation.groups import Grouper
    from tracker_blur.training.evaluation.measure import check_finds, milliseconds, require_library
    from tracker_blur.training.evaluation.report import Section, page, write
    from tracker_blur.weights.store import Weights

    require_library()  # what is missing is told before the first look
    if options.report is not None:
        check_place(options.report, overwrite=True)
    dataset = read_dataset(options.dataset)
    label = _label(dataset, options.label)
    pictures = _pictures(dataset, options.split, options.limit)
    weights = Weights(options.face)
    grouper = Grouper(weights) if options.groups else None
    named = {name: load_detector(name, weights)[1] for name in options.models.split(",")}
    for name, detector in named.items():
        check_finds(name, detector, label, dataset)
    if options.split not in dataset.splits:
        say("There is no split 'val': judged on the pictures that a training sets aside.\n")
    _print_row(_HEADER)
    _print_row(["---"] * len(_HEADER))
    best: list[_Run] = []
    timed = read_picture(pictures[0].path)
    for name, detector in named.items():
        cost = f"{milliseconds(detector, timed):.1f}"
        runs = [
            _run(name, detector, pictures, label, scale, cost, options) for scale in options.scales
        ]
        best.append(max(runs, key=lambda run: run.scores.ap50))
    if len(options.scales) > 1:
        say("\nEach at its best scale:\n")
        _print_row(_HEADER)
        _print_row(["---"] * len(_HEADER))
        for run in best:
            for row in run.rows:
                _print_row(row)
    if grouper is not None:
        _print_groups(best, pictures, label, grouper)
    if options.report is not None:
        title = f"{label}: {len(pictures)} pictures of {options.dataset.name}, {options.split}"
        rows = [row for run in best for row in run.rows]
        sections = [Section(run.name, run.scores, pictures) for run in best]
        write(options.report, page(title, _HEADER, rows, sections))
        say(f"\nreport: {options.report}")


def _print_groups(
    runs: Sequence[_Run], pictures: Sequence[Annotated], label: str, grouper: Grouper
) -> None:
    from tracker_blur.training.evaluation.groups import grouped, recalls

    places = grouped(grouper, pictures, label)
    say("\nRecall at 1 false alarm a picture, by estimated pose and skin tone:\n")
    rows = [list(recalls(run.scores, len(pictures), places)) for run in runs]
    _print_row(["group", "things", *(run.name for run in runs)])
    _print_row(["---"] * (2 + len(runs)))
    for group in zip(*rows, strict=True):
        shares = ["-" if one.recall != one.recall else f"{one.recall:.3f}" for one in group]
        _print_row([group[0].name, str(group[0].things), *shares])


def _label(dataset: Dataset, asked: str | None) -> str:
    """Return the class to judge; raises SettingsError."""
    known = ", ".join(dataset.classes)
    if asked is None and len(dataset.classes) > 1:
        raise SettingsError(f"name one class with --class: {known}")
    label = dataset.classes[0] if asked is None else asked
    if label not in dataset.classes:
        raise SettingsError(f"{dataset.folder}: no class '{label}': it has {known}")
    return label


def _pictures(dataset: Dataset, split: str, limit: int | None) -> tuple[Annotated, ...]:
    """Return the pictures to judge on; raises SettingsError where there is no such split."""
    from tracker_blur.training.datasets.annotated import with_validation

    splits = with_validation(dataset).splits if split == "val" else dataset.splits
    if split not in splits:
        known = ", ".join(dataset.splits)
        raise SettingsError(f"{dataset.folder}: no split '{split}': it has {known}")
    pictures = splits[split]
    if limit is None or limit >= len(pictures):
        return pictures
    step = len(pictures) / limit
    return tuple(pictures[int(i * step)] for i in range(limit))


def _run(
    name: str,
    detector: Detector,
    pictures: Sequence[Annotated],
    label: str,
    scale: float,
    cost: str,
    options: argparse.Namespace,
) -> _Run:
    """Judge one detector at one scale and print its rows."""
    from tqdm import tqdm

    from tracker_blur.training.evaluation.measure import best_of, finds, scores

    bar = tqdm(pictures, f"{name} x{scale:g}", leave=False, disable=not sys.stderr.isatty())
    found = list(finds(detector, bar, scale, options.widen))
    if options.partly_labelled:
        found = [
            best_of(some, picture, label) for some, picture in zip(found, pictures, strict=True)
        ]
    total = scores(pictures, found, label, options.smallest)
    rows = [_row(name, scale, len(pictures), total, cost)]
    for folder in sorted(
        {picture.path.parent for picture in pictures} if options.by_folder else ()
    ):
        pairs = [
            pair for pair in zip(pictures, found, strict=True) if pair[0].path.parent == folder
        ]
        part = scores(
            [pair[0] for pair in pairs], [pair[1] for pair in pairs], label, options.smallest
        )
        rows.append(_row(f"{name}, {folder.name}", scale, len(pairs), part, ""))
    for row in rows:
        _print_row(row)
    return _Run(f"{name} x{scale:g}", rows, total)


def _row(name: str, scale: float, pictures: int, reached: Scores, cost: str) -> list[str]:
    shares = (reached.ap50, *reached.recall_at, *reached.ap50_by_size)
    figures = ["-" if share != share else f"{share:.3f}" for share in shares]
    return [name, f"{scale:g}", str(pictures), str(reached.things), *figures, cost]


def _print_row(cells: Sequence[str]) -> None:
    say(f"| {' | '.join(cells)} |")
