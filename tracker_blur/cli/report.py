"""`trackblur report`: what was hidden in a file and what not, who decided it, what was checked."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from tracker_blur.cli.console import EXIT_DONE, Console, silence_libraries
from tracker_blur.cli.detection_options import add_models_option
from tracker_blur.cli.parser import Parser, complete_files
from tracker_blur.cli.results import print_json
from tracker_blur.errors import SettingsError

if TYPE_CHECKING:
    import argparse

_FORMS = ("internal", "public")
_PAGES, _DATA = (".html", ".htm"), (".json",)


def add_parser(commands: Any) -> Parser:
    """Add this command's parser to the `argparse` sub-parsers and return it."""
    parser: Parser = commands.add_parser(
        "report",
        help="report what was hidden, by whom, and the checks",
        description="Write a report on a redacted file: hashes and streams of both files, what "
        "made it, every track with who decided that it is hidden or not, zones and muted times, "
        "the journal of the review, the verification, and what was dropped.",
        examples=(
            "trackblur report in.mp4 out.mp4 -o report.html",
            "trackblur report in.mp4 out.mp4 --verify verify.json --form public -o report.json",
            "trackblur report in.mp4 out.mp4                 # JSON to standard output",
        ),
    )
    parser.add_input("the original")
    output = parser.add_argument("redacted", type=Path, metavar="OUT", help="the redacted file")
    complete_files(output)
    parser.add_argument(
        "--tracks",
        type=Path,
        metavar="FILE",
        help="its track file; the journal is next to it (default: NAME.tracks.jsonl next to IN, "
        "if there is one)",
    )
    parser.add_argument(
        "--verify",
        type=Path,
        metavar="REPORT.json",
        help="what 'trackblur verify OUT --json REPORT.json' wrote",
    )
    parser.add_argument(
        "--form",
        choices=_FORMS,
        default="internal",
        help="internal: with names, reasons and faces, readable for you only; public: to be handed "
        "out, without any of them (default: %(default)s)",
    )
    parser.add_argument(
        "-o",
        "--output",
        type=Path,
        metavar="FILE",
        help="report.html, or report.json (default: JSON to standard output)",
    )
    add_models_option(parser)
    parser.add_argument("--overwrite", action="store_true", help="replace an existing report")
    parser.add_argument("--quiet", "-q", action="store_true", help="print only errors and warnings")
    return parser


def run(options: argparse.Namespace, console: Console) -> int:
    """Write the report."""
    from tracker_blur.review.record import report_for
    from tracker_blur.review.report import report_of
    from tracker_blur.review.report_facts import faces_of, read_verification
    from tracker_blur.review.report_page import page_of

    silence_libraries()
    source: Path = options.source
    target: Path | None = options.output
    is_page = target is not None and target.suffix.lower() in _PAGES
    tracks = options.tracks or _beside(source)
    if target is not None:
        _check_target(target, (source, options.redacted, tracks, options.verify), options.overwrite)
    verdict = (
        None if options.verify is None else read_verification(options.verify, options.redacted)
    )
    data = report_for(source, options.redacted, tracks, verdict, options.models_folder)
    if tracks is None:
        console.warn(f"{source}: there is no track file: the report cannot say what was hidden")
    if data.is_edited_since:
        console.warn(
            f"{options.redacted}: is older than the last edit of the review: render it again"
        )
    if data.verification is None:
        console.note(f"{options.redacted}: add --verify REPORT.json to say how it was verified")
    report = report_of(data, options.form)
    if target is None:
        print_json(report)
        return EXIT_DONE
    if is_page:
        faces = {}
        if options.form == "internal" and data.content is not None:
            partial = data.content.settings.get("partial") is True
            faces = faces_of(source, data.content.tracks, partial=partial)
        content = page_of(report, faces).encode("utf-8", "backslashreplace")
    else:
        import json

        content = f"{json.dumps(report, indent=2)}\n".encode()
    _write(target, content, options.overwrite, is_private=options.form == "internal")
    console.note(f"{target}: the {options.form} report on {options.redacted.name}")
    return EXIT_DONE


def _beside(source: Path) -> Path | None:
    """Return the track file next to a video, if there is one."""
    from tracker_blur.files.companions import tracks_path

    path = tracks_path(source)
    return path if path.is_file() else None


def _check_target(target: Path, others: tuple[Path | None, ...], overwrite: bool) -> None:
    """Check, before anything is hashed, that the report can be written here."""
    from tracker_blur.files.atomic import check_place
    from tracker_blur.files.paths import is_same_file

    if target.suffix.lower() not in (*_PAGES, *_DATA):
        raise SettingsError(f"{target}: a report is a page or data: name it .html or .json")
    if any(other is not None and is_same_file(target, other) for other in others):
        raise SettingsError(f"{target}: is one of the inputs: choose another name for the report")
    check_place(target, overwrite)


def _write(path: Path, content: bytes, overwrite: bool, *, is_private: bool) -> None:
    from tracker_blur.files.atomic import replacing

    with replacing(path, overwrite, is_private=is_private) as temporary:
        temporary.write_bytes(content)
