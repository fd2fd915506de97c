"""The options of `trackblur verify`, and what is refused before minutes are spent on it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from tracker_blur.cli.detection_options import add_hide_option, add_models_option, add_zone_options
from tracker_blur.cli.option_values import names, whole_number
from tracker_blur.cli.options import add_json_option, add_progress_file, add_size_limit, option
from tracker_blur.cli.output_options import add_track_options
from tracker_blur.cli.parser import STANDARD_OUTPUT, Parser, complete_files
from tracker_blur.cli.verify_report import check_report_target
from tracker_blur.errors import SettingsError
from tracker_blur.files.paths import is_same_file

if TYPE_CHECKING:
    import argparse
    from collections.abc import Sequence

    from tracker_blur.files.pairs import Pair

EPILOG = """\
The verdict is one of three: exposed (a face can surely be seen), look here (a
person should look at some places), nothing found. To accept a place that is fine,
add --accept JOURNAL --dismiss ITS_NAME; --accept JOURNAL leaves it out from then on.

Exit codes: 0 nothing found, or only places to look at; 3 a face is exposed;
1 something else has changed, or a file cannot be read; 2 wrong usage. Of several
files, the worst counts. docs/verification.md says what each check can prove.
"""


def add_options(parser: Parser) -> None:
    """Add this command's options and its argument."""
    output = parser.add_argument(
        "output", type=Path, metavar="OUT", help="the finished file, or a folder or pattern of them"
    )
    complete_files(output)
    parser.add_argument(
        "--against",
        type=Path,
        metavar="IN",
        help="the original: its pixels show what is hidden, and everything else is compared "
        "with it. For several outputs, the folder or pattern that they were made of",
    )
    parser.add_argument(
        "--tracks",
        type=Path,
        metavar="FILE",
        help="the track file: says what was hidden; the report then shows where its tracks begin "
        "and end",
    )
    parser.add_argument(
        "--report",
        type=Path,
        metavar="FILE.html",
        help="write a report with images; it shows faces",
    )
    add_json_option(parser, "the results", suffix="")
    add_progress_file(parser)
    parser.add_argument(
        "--accept",
        type=Path,
        metavar="JOURNAL",
        help="a file of accepted places, which are left out; with --dismiss, they are added to it",
    )
    parser.add_argument(
        "--dismiss",
        type=names,
        metavar="A,B",
        default=(),
        help="places that you have looked at and accept: their names, as they are listed",
    )
    parser.add_argument("--by", default="", metavar="NAME", help="with --dismiss: who accepts them")
    parser.add_argument("--why", default="", metavar="TEXT", help="with --dismiss: why")
    add_models_option(parser)
    add_hide_option(parser, "search for")
    parser.add_argument(
        "--detector",
        metavar="FILE.onnx",
        help="detects the classes other than faces and plates",
    )
    parser.add_argument(
        "--every",
        type=whole_number,
        default=1,
        metavar="N",
        help="search every Nth frame (default: every frame)",
    )
    option(
        parser,
        "--metadata",
        "metadata",
        choices=("drop", "keep"),
        help="whether identifying metadata should have been dropped or kept (default: %(default)s)",
    )
    made = parser.add_argument_group("how the output was made")
    add_track_options(made)
    add_zone_options(made)
    parser.add_argument(
        "--partial",
        action="store_true",
        help="accept truncated videos, and verify what can be read; if OUT is truncated, the exit "
        "code is 1",
    )
    add_size_limit(parser)
    parser.add_argument("--overwrite", action="store_true", help="replace existing reports")
    parser.add_argument("-q", "--quiet", action="store_true", help="print only what fails")
    parser.add_argument(
        "-v", "--verbose", action="store_true", help="list the result of each check"
    )


def check(options: argparse.Namespace) -> None:
    """Refuse what makes no sense for any outputs.

    Raises:
        SettingsError: it makes no sense.
        SinkError: a report or the journal cannot be written.
    """
    if options.every < 1:
        raise SettingsError(f"--every is {options.every}: give a whole number from 1")
    if options.report == STANDARD_OUTPUT:
        raise SettingsError("--report needs a file: name one, such as report.html")
    if (options.dismiss or options.by or options.why) and options.accept is None:
        raise SettingsError("--dismiss needs a journal: name one with --accept accepted.jsonl")
    if (options.by or options.why) and not options.dismiss:
        raise SettingsError("--by and --why say who accepts a place, and why: name it: --dismiss")
    flags = {
        "ignore_zones": "--ignore-zone",
        "hide_zones": "--hide-zone",
        "min_size": "--min-size",
        "max_size": "--max-size",
        "from_seconds": "--from",
        "to_seconds": "--to",
        "mute": "--mute",
        "bleep": "--bleep",
    }
    for name, flag in flags.items():
        if options.tracks is not None and getattr(options, name) not in (None, ()):
            raise SettingsError(f"{flag}: the track file says which zones there are: leave it out")
    against = options.against
    if against is not None and is_same_file(against, options.output):
        raise SettingsError(f"{against}: is the output itself: name the original with --against")
    targets = _targets(options)
    for at, target in enumerate(targets):
        if any(is_same_file(target, other) for other in targets[:at]):
            raise SettingsError(f"{target}: is named twice: give each report a name of its own")
    _check_not_read(targets, (options.output, against, options.tracks))
    for target in targets:
        check_report_target(target, options.overwrite or target == options.accept)


def _targets(options: argparse.Namespace) -> list[Path]:
    """Return the files that will be written."""
    journal = options.accept if options.dismiss else None
    paths = (options.report, options.json, journal)
    return [path for path in paths if path not in (None, STANDARD_OUTPUT)]


def _check_not_read(targets: Sequence[Path], inputs: Sequence[Path | None]) -> None:
    for target in targets:
        if any(path is not None and is_same_file(target, path) for path in inputs):
            raise SettingsError(f"{target}: is an input of this command: choose another name")


def check_several(options: argparse.Namespace) -> None:
    """Refuse what makes sense for one output only; raises SettingsError."""
    if options.tracks is not None:
        raise SettingsError(f"{options.tracks}: is one track file for several outputs: name one")
    if options.dismiss:
        raise SettingsError("--dismiss names places of one file: verify that file alone")


def check_apart(options: argparse.Namespace, pair: Pair) -> None:
    """Refuse to write over what is read; raises SettingsError."""
    _check_not_read(_targets(options), (pair.output, pair.source))
    if pair.source is not None and is_same_file(pair.source, pair.output):
        raise SettingsError(
            f"{pair.source}: is the output itself: name the original with --against"
        )
