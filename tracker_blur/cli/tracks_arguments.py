"""The words of `trackblur tracks`: every option and its help."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from pathlib import Path

from tracker_blur.annotations import formats
from tracker_blur.cli import edit_arguments
from tracker_blur.cli.edit_arguments import Edit, edit_type

_EPILOG = """\
IDS     track numbers as 3,7, or 'all'
WHEN    a time since the first frame as 12.5s or 1:02:03.4, meaning the frame on the screen then,
        or a frame's number as 375, counted from 0
WHILE   WHEN..WHEN, both included
BOX     left,top,right,bottom in pixels

Changes are made in the order of their options, and FILE is rewritten once all of them worked.
Plain text tools do as well: the lines of the file are described in docs/track-file.md.
Then hide faces by it: trackblur render IN FILE OUT
"""


def tracks_parser() -> argparse.ArgumentParser:
    """Return the parser; `edits` is the list of changes, in the order of their options."""
    parser = argparse.ArgumentParser(
        prog="trackblur tracks",
        usage="%(prog)s FILE [changes] [-o NEW] [--import FORMAT PATH] [--export FORMAT PATH]",
        description="List the tracks of a track file (from 'trackblur track'), or change which "
        "faces are hidden, when and how.",
        epilog=_EPILOG,
        formatter_class=lambda prog: argparse.RawDescriptionHelpFormatter(
            prog, max_help_position=28
        ),
        allow_abbrev=False,
    )
    parser.add_argument("file", type=Path, metavar="FILE", help="a track file")
    _add_hiding(parser.add_argument_group("which faces are hidden"))
    _add_boxes(parser.add_argument_group("boxes"))
    files = parser.add_argument_group("files")
    known = ", ".join(formats.names())
    files.add_argument(
        "-o", "--output", type=Path, metavar="NEW", help="write a new file and leave FILE as it is"
    )
    files.add_argument(
        "--overwrite", action="store_true", help="replace NEW and exports that exist"
    )
    files.add_argument(
        "--import",
        dest="imported",
        nargs=2,
        metavar=("FORMAT", "PATH"),
        help=f"first put the tracks of PATH, {known}, in the place of FILE's",
    )
    files.add_argument(
        "--export",
        dest="exported",
        action="append",
        nargs=2,
        default=[],
        metavar=("FORMAT", "PATH"),
        help=f"write the tracks, after the changes, as {known}",
    )
    return parser


def _add_hiding(group: argparse._ArgumentGroup) -> None:
    _edit(group, "--hide", edit_arguments.parse_hide, "IDS", "hide these faces")
    _edit(
        group,
        "--keep",
        edit_arguments.parse_hide,
        "IDS",
        "the same as --hide: keep these hidden. It uncovers nothing; what you may look for instead "
        "is --show or --only",
    )
    _edit(group, "--show", edit_arguments.parse_show, "IDS", "leave these faces visible")
    _edit(
        group,
        "--only",
        edit_arguments.parse_only,
        "IDS",
        "hide these faces, leave all others visible",
    )
    _edit(
        group,
        "--method",
        edit_arguments.parse_method,
        "IDS=METHOD",
        "hide these by another method; 'default' for the settings'",
    )
    _edit(
        group,
        "--drop",
        edit_arguments.parse_drop,
        "IDS",
        "remove tracks: their faces become visible",
    )


def _add_boxes(group: argparse._ArgumentGroup) -> None:
    _edit(
        group,
        "--drop-before",
        edit_arguments.parse_drop_before,
        "IDS@WHEN",
        "remove boxes before a frame",
    )
    _edit(
        group,
        "--drop-after",
        edit_arguments.parse_drop_after,
        "IDS@WHEN",
        "remove boxes after a frame",
    )
    _edit(
        group,
        "--drop-in",
        edit_arguments.parse_drop_in,
        "IDS@WHILE",
        "remove boxes in a range of frames",
    )
    _edit(
        group,
        "--move",
        edit_arguments.parse_move,
        "IDS[@WHILE]=DX,DY",
        "move boxes right and down, in pixels",
    )
    _edit(
        group,
        "--pad",
        edit_arguments.parse_pad,
        "IDS[@WHILE]=RATIO",
        "grow boxes on each side by a share of their size, such as 0.2",
    )
    _edit(
        group,
        "--merge",
        edit_arguments.parse_merge,
        "IDS",
        "make one track of several, by the first's number",
    )
    _edit(
        group,
        "--draw",
        edit_arguments.parse_draw,
        "ID@WHEN=BOX..WHEN=BOX",
        "add boxes to a track, or to a new one, moving evenly from each WHEN to the next",
    )


def _edit(
    group: argparse._ArgumentGroup, flag: str, parse: Callable[[str], Edit], form: str, text: str
) -> None:
    group.add_argument(
        flag,
        dest="edits",
        action="append",
        default=[],
        type=edit_type(parse, form),
        metavar=form,
        help=text,
    )
