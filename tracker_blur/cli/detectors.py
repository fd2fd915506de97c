"""`trackblur detectors`: lists the detectors and the parameters of each."""

from __future__ import annotations

from textwrap import wrap
from typing import TYPE_CHECKING, Any

from tracker_blur.cli.console import EXIT_DONE, Console
from tracker_blur.cli.standard_output import print_line
from tracker_blur.core import plugins

if TYPE_CHECKING:
    import argparse

    from tracker_blur.cli.parser import Parser

_PACKAGE = "tracker_blur.detectors"
_WIDTH = 100
_INDENT = 4


def add_parser(commands: Any) -> Parser:
    """Add this command's parser to the `argparse` sub-parsers and return it."""
    parser: Parser = commands.add_parser(
        "detectors",
        help="list the detectors and their parameters",
        description="List the detectors that --detector takes, and the parameters of each, which "
        "follow its name after a colon: --detector lbp:scale_factor=1.2,min_size=24.",
        examples=(
            "trackblur detectors",
            "trackblur detectors lbp haar",
            "trackblur detectors onnx                     # also those of FILE.onnx",
        ),
    )
    known = plugins.names(_PACKAGE)
    # No `choices`: argparse would refuse an empty list.
    parser.add_argument(
        "names", nargs="*", metavar="NAME", help=f"only these: {', '.join(known)} (default: all)"
    )
    return parser


def run(options: argparse.Namespace, _: Console) -> int:
    """List the detectors."""
    for number, name in enumerate(options.names or plugins.names(_PACKAGE)):
        parameters = plugins.load(_PACKAGE, name).Parameters
        lines = [] if number == 0 else [""]
        lines.append(f"{name}: {plugins.summary(_PACKAGE, name)}")
        for parameter, description in parameters.described():
            first, *rest = wrap(f"{parameter}: {description}", _WIDTH - _INDENT)
            lines += [" " * _INDENT + first, *(" " * 2 * _INDENT + line for line in rest)]
        print_line(*lines)
    return EXIT_DONE
