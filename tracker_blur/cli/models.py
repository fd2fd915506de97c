"""`trackblur models`: lists the weight files, downloads them, and describes files of the user."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tracker_blur.cli.console import EXIT_DONE, Console
from tracker_blur.cli.detection_options import add_models_option
from tracker_blur.cli.parser import Parser, complete_files
from tracker_blur.cli.standard_output import print_line
from tracker_blur.weights.catalog import BUNDLED, MODELS

if TYPE_CHECKING:
    import argparse
    from collections.abc import Sequence
    from pathlib import Path


def add_parser(commands: Any) -> Parser:
    """Add this command's parser to the `argparse` sub-parsers and return it."""
    parser: Parser = commands.add_parser(
        "models",
        help="list, download or describe weight files",
        description="List the weight files of detectors, download them, or describe a detector "
        "file of your own.",
        examples=(
            "trackblur models",
            "trackblur models pull yunet",
            "trackblur models info yolo11n.onnx",
        ),
    )
    actions = parser.add_subparsers(
        dest="action",
        title="actions",
        metavar="ACTION",
        prog="trackblur models",
        help="list, pull or info",
    )
    add_models_option(parser)
    actions.add_parser("list", help="list all weight files, present and missing (the default)")
    pull = actions.add_parser(
        "pull",
        help="download weight files, check their hashes and show their licenses",
        description="Download weight files from their official addresses to your cache folder, "
        "check their hashes and show their licenses. No other command downloads weights.",
    )
    pull.add_argument(
        "names",
        nargs="+",
        metavar="NAME",
        choices=[model.name for model in MODELS],
        help=", ".join(model.name for model in MODELS),
    )
    info = actions.add_parser(
        "info",
        help="say whether a file can be a detector, and what it detects",
        description="Say whether a file can be given as --detector, what it detects and from which "
        "score. It is loaded and run on a blank image.",
    )
    files = info.add_argument("files", nargs="+", metavar="FILE.onnx", help="a detector file")
    complete_files(files)
    return parser


def run(options: argparse.Namespace, _: Console) -> int:
    """List, download or describe weight files."""
    if options.action == "pull":
        _pull(options.names)
    elif options.action == "info":
        _describe(options.files)
    else:
        _list(options.models_folder)
    return EXIT_DONE


def _list(folder: Path | None) -> None:
    from tracker_blur.detectors import auto_detector
    from tracker_blur.weights.store import Weights, weight_statuses

    weights = Weights(folder)
    models = (*MODELS, BUNDLED)
    width = max(len(model.name) for model in models)
    license_width = max(len(model.license_name) for model in models)
    for status in weight_statuses(weights):
        where = f"  {status.path}" if status.path else ""
        print_line(f"{status.model.name:{width}}  {status.state:8} {status.file.name}{where}")
    rows = [("name", "license", "what")]
    rows += [(model.name, model.license_name, model.summary) for model in models]
    print_line("")
    for name, license_name, summary in rows:
        print_line(f"{name:{width}}  {license_name:{license_width}}  {summary}")
    print_line("", f"--detector auto uses {auto_detector(weights)}")
    print_line("a file of your own: --detector FILE.onnx (trackblur models info FILE.onnx)")
    print_line("searched: " + ", ".join(map(str, weights.folders)))


def _pull(names: Sequence[str]) -> None:
    from tracker_blur.weights.download import pull

    for name in names:
        model = next(model for model in MODELS if model.name == name)
        print_line(f"{name}: {model.summary}; license: {model.license_name}, {model.license_url}")
        for path in pull(name):
            print_line(f"{name}: {path}")


def _describe(files: Sequence[str]) -> None:
    from tracker_blur.detectors import onnx

    for file in files:
        other = onnx.other_detector(file)
        if other is not None:
            print_line(f"{file}: {other.summary}: name that one with --detector, not this file")
            continue
        detector = onnx.from_file(file)
        labels = ", ".join(detector.labels)
        print_line(
            f"{file}: {detector.kind}; input {detector.input_text}; "
            f"confidence {detector.default_confidence:g}; detects {labels}"
        )
