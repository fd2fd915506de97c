"""`trackblur detect`: prints what the detector reports in images and frames; hides nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tracker_blur.cli.console import Console, silence_libraries
from tracker_blur.cli.detection_options import add_detector_option, add_models_option
from tracker_blur.cli.option_values import names, number, number_between, whole_number
from tracker_blur.cli.options import add_json_option, add_size_limit, option, settings_from
from tracker_blur.cli.parser import STANDARD_OUTPUT, Parser, complete_files
from tracker_blur.cli.standard_output import print_line
from tracker_blur.errors import SettingsError, TrackerBlurError
from tracker_blur.settings import VIEW_PX_LIMITS, Settings

if TYPE_CHECKING:
    import argparse


def add_parser(commands: Any) -> Parser:
    """Add this command's parser to the `argparse` sub-parsers and return it."""
    parser: Parser = commands.add_parser(
        "detect",
        help="print what the detector sees in images and frames",
        description="Print what the detector reports in images and in frames of videos: boxes in "
        "pixels of the upright image, scores, classes, and the log odds that the classifier "
        "gives each box (above 0: more likely one than not). Nothing is hidden. Redaction also "
        "looks at several scales, leaves out what the classifier refuses and adds what it "
        "confirms: --hidden lists that.",
        epilog="Exit codes: 0 done, whatever was detected; 1 a file cannot be read; 2 wrong usage.",
        examples=(
            "trackblur detect photos/ --json found.jsonl --confidence 0.3",
            "trackblur detect in.mp4 --every 1s --draw frames/",
            "trackblur detect photo.jpg --hidden --draw boxes.jpg",
        ),
    )
    inputs = parser.add_argument(
        "inputs", nargs="+", metavar="IN", help="images, videos, folders and quoted patterns"
    )
    complete_files(inputs)
    _add_detection_options(parser.add_argument_group("detection"))
    _add_frame_options(parser.add_argument_group("frames of videos and animations"))
    output = parser.add_argument_group("output")
    add_json_option(output, "one line for each file", suffix=(".json", ".jsonl"))
    output.add_argument(
        "--draw",
        metavar="OUT",
        help="also write the image with labelled boxes, or a folder of them; they show faces, "
        "and only you may read them",
    )
    output.add_argument("--overwrite", action="store_true", help="replace existing outputs")
    output.add_argument("-q", "--quiet", action="store_true", help="print no notes")
    return parser


def _add_detection_options(group: argparse._ArgumentGroup) -> None:
    option(
        group,
        "--classes",
        "hide",
        "--hide",
        type=names,
        metavar="A,B",
        help="what to detect: faces, plates, or classes of FILE.onnx (default: faces, or "
        "everything that FILE.onnx detects); --hide is the same",
    )
    add_detector_option(group)
    add_models_option(group)
    option(
        group,
        "--confidence",
        "confidence",
        type=number,
        metavar="SCORE",
        help="lowest score, from 0 to 1 (default: the detector's own); with --hidden as for redact",
    )
    group.add_argument(
        "--overlap",
        type=number_between(0, 1),
        metavar="IOU",
        help="non-maximum suppression: of two boxes of a class with a larger intersection over "
        "union, from 0 to 1, the one with the higher score stays (default: the detector's own "
        "threshold)",
    )
    group.add_argument(
        "--max-size",
        dest="longest_px",
        type=whole_number,
        metavar="PX",
        help="reduce larger images to this longest side for the detector; boxes stay in pixels "
        "of the whole image (default: 1920)",
    )
    group.add_argument(
        "--hidden",
        action="store_true",
        help="images only: list what redaction would hide, at all of its scales, not what the "
        "detector reports",
    )
    add_size_limit(group)


def _add_frame_options(group: argparse._ArgumentGroup) -> None:
    group.add_argument(
        "--frames",
        type=names,
        default=(),
        metavar="A,B",
        help="only these: numbers from 0 or times, as in 375,12.5s,1:02:03.4",
    )
    group.add_argument(
        "--every",
        metavar="N",
        help="only every Nth frame, or the first of each stretch of time, as in 0.5s (default: "
        "all frames)",
    )
    group.add_argument(
        "--partial",
        action="store_true",
        help="accept truncated or damaged files, and use what can be read",
    )


def run(options: argparse.Namespace, console: Console) -> int:
    """Detect in everything that the inputs name; one bad file does not stop the others."""
    import json

    from tracker_blur.cli.detect_files import Detection

    try:
        settings = settings_from(options, Settings)
        _check(options)
        silence_libraries()
        detection = Detection(options, settings, console)
    except TrackerBlurError as error:
        if options.json == STANDARD_OUTPUT:
            print_line(json.dumps({"input": None, "error": console.text(error)}))
        raise
    return detection.run()


def _check(options: argparse.Namespace) -> None:
    low, high = VIEW_PX_LIMITS
    if options.longest_px is not None and not low <= options.longest_px <= high:
        raise SettingsError(
            f"--max-size is {options.longest_px}: give a whole number from {low} to {high}"
        )
    if options.hidden and options.longest_px is not None:
        raise SettingsError("--hidden looks at all scales of redaction: leave out --max-size")
    if options.frames and options.every is not None:
        raise SettingsError("--frames and --every both choose frames: give one of them")
