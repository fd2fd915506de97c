"""`trackblur verify`: searches a finished file for faces and checks that the rest is unchanged."""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tracker_blur.cli.console import (
    EXIT_DONE,
    EXIT_EXPOSED,
    EXIT_FAILED,
    Console,
    print_json,
    print_line,
    progress_bar,
)
from tracker_blur.cli.option_values import whole_number
from tracker_blur.cli.options import (
    add_hide_option,
    add_models_option,
    add_size_limit,
    add_track_options,
    option,
)
from tracker_blur.cli.parser import FILES, Parser, formatter
from tracker_blur.errors import SettingsError, TrackerBlurError
from tracker_blur.files.paths import is_media, is_same_file
from tracker_blur.settings import DETECTOR_FILE_ENDING, FACE, Settings
from tracker_blur.text import escaped

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tracker_blur.annotations.track_file import TrackFile
    from tracker_blur.core.tracks import Tracks
    from tracker_blur.files.identity import FileIdentity
    from tracker_blur.verification.verdict import Verdict
    from tracker_blur.verification.verifier import Progress

_STANDARD_OUTPUT = Path("-")
_ALWAYS_DETECTED = (FACE, "faces", "plate", "plates")

_EPILOG = """\
Exit codes: 0 no face is exposed (some places may be doubtful); 3 a face is
exposed; 1 something else has changed, or a file cannot be read; 2 wrong usage.
docs/verification.md says what each check can prove.
"""


def add_parser(commands: Any) -> Parser:
    """Add this command's parser to the `argparse` sub-parsers and return it."""
    parser: Parser = commands.add_parser(
        "verify",
        help="search a finished video or image for exposed faces",
        description="Search a finished video or image for faces as an attacker would, and check\n"
        "that everything else is unchanged.",
        epilog=_EPILOG,
        formatter_class=formatter(argparse.RawDescriptionHelpFormatter),
        allow_abbrev=False,
        examples=(
            "trackblur verify out.mp4",
            "trackblur verify out.mp4 --against in.mp4 --tracks in.tracks.jsonl",
            "trackblur verify photo_redacted.jpg --against photo.jpg --report report.html",
        ),
    )
    output = parser.add_argument("output", type=Path, metavar="OUT", help="the finished file")
    output.complete = FILES  # type: ignore[attr-defined]  # for shtab
    parser.add_argument(
        "--against",
        type=Path,
        metavar="IN",
        help="the original: its pixels show what is hidden, and everything else is compared "
        "with it",
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
    parser.add_argument(
        "--json",
        type=Path,
        metavar="FILE",
        help="write the results as JSON; - means standard output",
    )
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
    add_track_options(parser.add_argument_group("how the output was made"))
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
    return parser


def run(options: argparse.Namespace, console: Console) -> int:
    """Verify the file; print the verdict and write the reports."""
    try:
        return _run(options, console)
    except TrackerBlurError as error:
        if options.json == _STANDARD_OUTPUT:
            print_json({"output": str(options.output), "error": console.text(error)})
        raise


def _run(options: argparse.Namespace, console: Console) -> int:
    _check(options)
    tracks, source, settings = _inputs(options)
    with progress_bar(options.output.name, options.quiet) as bar:

        def progress(_frames: int, expected: int | None) -> None:
            bar.total = expected
            bar.update()

        verdict = verify(
            options.output,
            source=source,
            tracks=tracks,
            settings=settings,
            every=options.every,
            progress=progress,
        )
    write_reports(verdict, page=options.report, plain=options.json, overwrite=options.overwrite)
    if not options.quiet or not verdict.is_clean:
        rate = verdict.frames / verdict.seconds if verdict.seconds else 0.0
        line = f"{summary_line(verdict)} ({rate:.1f} frames per second)"
        if verdict.advice is not None:
            line += f"; {verdict.advice}"
        if options.json == _STANDARD_OUTPUT:
            sys.stderr.write(f"{escaped(line)}\n")
        else:
            print_line(line)
    if options.verbose:
        for check in verdict.checks:
            state = "intact" if check.passed else "FAILED"
            console.note(f"{state}: {check.title}: {check.detail}")
    return exit_code(verdict)


def _check(options: argparse.Namespace) -> None:
    """Refuse what makes no sense before minutes are spent on verification."""
    if options.every < 1:
        raise SettingsError(f"--every is {options.every}: give a whole number from 1")
    if options.report == _STANDARD_OUTPUT:
        raise SettingsError("--report needs a file: name one, such as report.html")
    against = options.against
    if against is not None and is_same_file(against, options.output):
        raise SettingsError(f"{against}: is the output itself: name the original with --against")
    targets = [
        path for path in (options.report, options.json) if path not in (None, _STANDARD_OUTPUT)
    ]
    if len(targets) == 2 and is_same_file(*targets):
        raise SettingsError(f"{options.json}: is named twice: give --report and --json two names")
    inputs = [path for path in (options.output, against, options.tracks) if path is not None]
    for target in targets:
        if any(is_same_file(target, path) for path in inputs):
            raise SettingsError(f"{target}: is an input of this command: choose another name")
        check_report_target(target, options.overwrite)


def _inputs(
    options: argparse.Namespace,
) -> tuple[Tracks | None, Path | FileIdentity | None, Settings]:
    """Return the tracks and the original, if given, and the settings that matter here.

    Padding and classes are those of the track file, unless an option says otherwise.
    """
    given: dict[str, Any] = {
        name: getattr(options, name) for name in ("hide", "detector") if getattr(options, name)
    }
    same = (
        *("models_folder", "metadata", "audio", "subtitles", "tracks_kept"),
        *("partial", "max_megapixels"),
    )
    given.update({name: getattr(options, name) for name in same})
    source: Path | FileIdentity | None = options.against
    if options.tracks is None:
        return None, source, Settings(**given)
    from tracker_blur.annotations import track_file

    content = track_file.read(options.tracks)
    if options.against is not None:
        source = track_file.check_source(content, options.against)
    hidden = _hidden_classes(content)
    if not options.hide:
        _check_detectable(options, hidden)
    padding = content.settings.get("padding_ratio", Settings().padding_ratio)
    return content.tracks, source, Settings(**{"hide": hidden, "padding_ratio": padding} | given)


def _hidden_classes(content: TrackFile) -> tuple[str, ...]:
    """Return the value of the setting `hide` that a track file was made with."""
    hide = content.settings.get("hide")
    names = tuple(name for name in hide if name) if isinstance(hide, list) else ()
    if not names and any(track.label != FACE for track in content.tracks.tracks):
        return tuple(sorted({track.label for track in content.tracks.tracks}))
    return names


def _check_detectable(options: argparse.Namespace, classes: Sequence[str]) -> None:
    """Raise SettingsError when there is no detector for a class that the track file hides."""
    known = set(_ALWAYS_DETECTED)
    if options.detector is not None and options.detector.endswith(DETECTOR_FILE_ENDING):
        from tracker_blur.detectors import onnx

        known.update(onnx.from_file(options.detector).labels)
    for name in classes:
        if name not in known:
            raise SettingsError(
                f"{options.tracks}: hides '{name}', for which there is no detector here: name its "
                "file with --detector FILE.onnx, or say with --hide what to search for"
            )


def verify(
    output: Path,
    *,
    source: Path | FileIdentity | None = None,
    tracks: Tracks | None = None,
    settings: Settings | None = None,
    every: int = 1,
    progress: Progress | None = None,
) -> Verdict:
    """Verify a finished file.

    Args:
        output: the file.
        source: the input it was made of; its identity, if the caller has read it, too.
        tracks: what was hidden.
        settings: those it was made with; what is hidden, the detector, the folder of weights,
            padding, metadata, the choice of tracks and partial matter here.
        every: search every Nth frame.
        progress: called after each frame.

    Raises:
        SourceError: a file cannot be read.
        ModelError: a detector's weights cannot be read.
        SettingsError: there is no detector for what is hidden.
    """
    from tracker_blur.verification.verifier import Verifier

    settings = settings or Settings()
    return Verifier(settings).verify(
        output,
        source=source,
        tracks=tracks,
        padding_ratio=settings.padding_ratio,
        every=every,
        partial=settings.partial,
        progress=progress,
    )


def exit_code(verdict: Verdict) -> int:
    """Return the exit code that a verdict stands for."""
    if verdict.runs:
        return EXIT_EXPOSED
    return EXIT_FAILED if verdict.failed_checks else EXIT_DONE


def summary_line(verdict: Verdict) -> str:
    """Return the verdict in one line: the file, the result, the detectors; without advice."""
    from tracker_blur.verification.html import headline

    detectors = " and ".join(verdict.detectors)
    return f"{verdict.output}: {headline(verdict)}; searched with {detectors}"


def write_reports(
    verdict: Verdict, *, page: Path | None, plain: Path | None, overwrite: bool
) -> None:
    """Write the HTML report and the JSON file, each whole or not at all.

    Args:
        verdict: what to report.
        page: the HTML report.
        plain: the JSON file; "-" is standard output.
        overwrite: replace files that exist.

    Raises:
        SinkError: a file cannot be written.
    """
    from tracker_blur.files.atomic import replacing
    from tracker_blur.verification.html import page_bytes

    if page is not None:
        with replacing(page, overwrite, is_private=True) as temporary:  # it shows faces
            temporary.write_bytes(page_bytes(verdict))
    if plain is None:
        return
    if plain == _STANDARD_OUTPUT:
        print_json(verdict.to_dict())
    else:
        with replacing(plain, overwrite) as temporary:
            temporary.write_text(f"{json.dumps(verdict.to_dict(), indent=2)}\n", encoding="utf-8")


def check_report_target(path: Path, overwrite: bool) -> None:
    """Check that a report can be written here, before minutes are spent.

    Raises:
        SettingsError: it is the name of a video or an image.
        SinkError: it cannot be written.
    """
    from tracker_blur.files.atomic import check_place

    if is_media(path):
        raise SettingsError(
            f"{path}: is the name of a video or an image: choose another name, such as report.html "
            "or report.json"
        )
    check_place(path, overwrite)
