"""The options of `trackblur tracks`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from tracker_blur.annotations import formats
from tracker_blur.cli.parser import complete_files

if TYPE_CHECKING:
    import argparse

    from tracker_blur.cli.edit_arguments import Edit
    from tracker_blur.cli.parser import Parser


def add_options(parser: Parser) -> None:
    """Add the file and all options. The parsed `edits` are in the order of their options."""
    file = parser.add_argument("file", type=Path, metavar="FILE", help="a track file")
    complete_files(file)
    _add_hiding_options(parser.add_argument_group("which faces are hidden"))
    _add_box_options(parser.add_argument_group("boxes"))
    _add_zone_options(parser.add_argument_group("zones and limits"))
    _add_sound_options(parser.add_argument_group("sound"))
    files = parser.add_argument_group("files")
    known = ", ".join(formats.names())
    files.add_argument(
        "-o", "--output", type=Path, metavar="NEW", help="write a new file; FILE stays as it is"
    )
    files.add_argument(
        "--overwrite", action="store_true", help="replace NEW and exports that exist"
    )
    files.add_argument(
        "--video",
        type=Path,
        metavar="IN",
        help="the video of the tracks, for --sheet and --follow (default: the file of that name "
        "next to FILE)",
    )
    files.add_argument(
        "--sheet",
        type=Path,
        metavar="SHEET.jpg",
        help="after the edits, write an image with a numbered face for each track; it shows faces",
    )
    files.add_argument(
        "--import",
        dest="imported",
        nargs=2,
        metavar=("FORMAT", "PATH"),
        help=f"first replace the tracks of FILE with those of PATH; FORMAT is one of {known}",
    )
    files.add_argument(
        "--export",
        dest="exported",
        action="append",
        nargs=2,
        default=[],
        metavar=("FORMAT", "PATH"),
        help=f"after the edits, write the tracks to PATH; FORMAT is one of {known}",
    )


def _add_hiding_options(group: argparse._ArgumentGroup) -> None:
    _add_edit(group, "--hide", "IDS", "hide these faces")
    _add_edit(
        group,
        "--keep",
        "IDS",
        "the same as --hide: keep these faces hidden. It makes no face visible; for that, use "
        "--show or --only",
    )
    _add_edit(group, "--show", "IDS", "leave these faces visible")
    _add_edit(
        group,
        "--only",
        "IDS",
        "hide these faces and leave all others visible",
    )
    _add_edit(
        group,
        "--method",
        "IDS=METHOD",
        "hide these faces by another method; 'default' is the --method of 'trackblur render'",
    )
    _add_edit(
        group,
        "--drop",
        "IDS",
        "remove tracks: their faces become visible",
    )


def _add_box_options(group: argparse._ArgumentGroup) -> None:
    _add_edit(
        group,
        "--drop-before",
        "IDS@WHEN",
        "remove the boxes before a frame",
    )
    _add_edit(
        group,
        "--drop-after",
        "IDS@WHEN",
        "remove the boxes after a frame",
    )
    _add_edit(
        group,
        "--drop-in",
        "IDS@WHILE",
        "remove the boxes in a range of frames",
    )
    _add_edit(
        group,
        "--move",
        "IDS[@WHILE]=DX,DY",
        "move boxes right and down, in pixels",
    )
    _add_edit(
        group,
        "--pad",
        "IDS[@WHILE]=RATIO",
        "enlarge boxes on each side by a share of their size, such as 0.2",
    )
    _add_edit(
        group,
        "--merge",
        "IDS",
        "merge tracks into one, which gets the number of the first",
    )
    _add_edit(
        group,
        "--draw",
        "ID@WHEN=BOX..WHEN=BOX",
        "add boxes to a track, or to a new one, interpolated between consecutive WHENs",
    )
    group.add_argument(
        "--follow",
        action="store_true",
        help="with --draw: also follow what is in the first box back in time and what is in the "
        "last box on, until a cut, or until it is not sure any more",
    )


def _add_zone_options(group: argparse._ArgumentGroup) -> None:
    _add_edit(
        group,
        "--ignore-zone",
        "ZONE",
        "leave the faces visible that lie in this part of the frame in all of its frames",
    )
    _add_edit(group, "--hide-zone", "ZONE", "hide this part of the frame")
    _add_edit(group, "--drop-zone", "NUMBERS", "remove zones, by the numbers in the list")
    _add_edit(group, "--min-size", "SIZE", "leave faces visible that are always smaller")
    _add_edit(group, "--max-size", "SIZE", "leave faces visible that are always larger")
    _add_edit(group, "--from", "TIME", "leave everything visible before this time, but zones")
    _add_edit(group, "--to", "TIME", "leave everything visible after this time, but zones")


def _add_sound_options(group: argparse._ArgumentGroup) -> None:
    _add_edit(group, "--mute", "SPAN", "make the audio silent for this time, without subtitles")
    _add_edit(
        group, "--bleep", "SPAN", "put a tone in place of it for this time, without subtitles"
    )
    _add_edit(group, "--drop-sound", "NUMBERS", "remove such times, by the numbers in the list")


def _add_edit(group: argparse._ArgumentGroup, flag: str, form: str, text: str) -> None:
    def parse(value: str) -> Edit:
        from tracker_blur.cli import edit_arguments  # imports NumPy: not needed by --help

        return edit_arguments.parse(flag, form, value)

    group.add_argument(
        flag,
        dest="edits",
        action="append",
        default=[],
        type=parse,
        metavar=form,
        help=text,
    )
