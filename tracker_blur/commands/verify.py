"""`trackblur verify`: looks for faces in a finished file, and whether the rest is as it was."""

from __future__ import annotations

import argparse
import json
import os
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tracker_blur.commands.arguments import add_hide
from tracker_blur.commands.console import Console, guarded, say
from tracker_blur.errors import SettingsError
from tracker_blur.settings import FACE, MetadataRule, Settings

if TYPE_CHECKING:
    from tracker_blur.track_files.file import TrackFile
    from tracker_blur.tracks import Tracks
    from tracker_blur.verification.verdict import Verdict
    from tracker_blur.verify import Progress

EXIT_CLEAN, EXIT_FAILED, EXIT_EXPOSED = 0, 1, 3

_STANDARD_OUTPUT = Path("-")
_EPILOG = """\
exit codes: 0 clean, or doubtful places only; 3 a face is exposed; 1 the rest is not as it was, or
a file cannot be read; 2 wrong usage. docs/verification.md says what each way of looking can prove,
and what not.
"""


def run_verify(words: Sequence[str]) -> int:
    """Run the sub-command with these arguments; return the exit code."""
    options = _parser().parse_args(words)
    return guarded(Console(options.quiet), lambda: _run(options))


def verified(
    output: Path,
    *,
    source: Path | None = None,
    tracks: Tracks | None = None,
    settings: Settings | None = None,
    every: int = 1,
    progress: Progress | None = None,
) -> Verdict:
    """Look at a finished file; for `trackblur IN OUT --verify`.

    source    the input it was made of
    tracks    what was hidden
    settings  those it was made with: what is hidden, who finds it, folder of weights, padding,
              metadata, partial

    Raises SourceError when a file cannot be read, ModelError and SettingsError when detectors
    cannot.
    """
    from tracker_blur.verify import Verifier

    settings = settings or Settings()
    return Verifier(settings).verify(
        output,
        source=source,
        tracks=tracks,
        padding_ratio=settings.padding_ratio,
        every=every,
        metadata=settings.metadata,
        partial=settings.partial,
        progress=progress,
    )


def exit_code(verdict: Verdict) -> int:
    """Return what the process should end with."""
    if verdict.runs:
        return EXIT_EXPOSED
    return EXIT_FAILED if verdict.failed_checks else EXIT_CLEAN


def line(verdict: Verdict) -> str:
    """Return the verdict in one line, with the file's name."""
    from tracker_blur.verification.report_page import headline

    return f"{verdict.output}: {headline(verdict)}"


def write_reports(
    verdict: Verdict, *, page: Path | None, plain: Path | None, overwrite: bool
) -> None:
    """Write the page and the JSON file, whole or not at all; "-" is standard output, for JSON.

    Raises SinkError when that fails.
    """
    from tracker_blur.atomic import replacing
    from tracker_blur.verification.report_page import encoded

    if page is not None:
        with replacing(page, overwrite) as temporary:
            temporary.write_bytes(encoded(verdict))
    if plain is None:
        return
    text = json.dumps(verdict.plain(), indent=2)
    if plain == _STANDARD_OUTPUT:
        say(text)
    else:
        with replacing(plain, overwrite) as temporary:
            temporary.write_text(f"{text}\n", encoding="utf-8")


def check_page(path: Path, overwrite: bool) -> None:
    """Find out whether a page can be written here, before minutes are spent on looking.

    Raises SinkError when it cannot, SettingsError for the name of a video or a picture.
    """
    from tracker_blur.atomic import check_place
    from tracker_blur.files.suffixes import is_media

    if is_media(path):
        raise SettingsError(f"{path}: is no name of a page: choose one such as report.html")
    check_place(path, overwrite)


def _run(options: argparse.Namespace) -> int:
    _check(options)
    tracks, settings = _tracks(options)
    with _progress(options.output.name, options.quiet) as progress:
        verdict = verified(
            options.output,
            source=options.against,
            tracks=tracks,
            settings=settings,
            every=options.every,
            progress=progress,
        )
    write_reports(verdict, page=options.report, plain=options.json, overwrite=options.overwrite)
    if not options.quiet or not verdict.is_clean:
        rate = verdict.frames / verdict.took if verdict.took else 0.0
        told = f"{line(verdict)} ({rate:.1f} frames a second)"
        if options.json == _STANDARD_OUTPUT:
            sys.stderr.write(f"{told}\n")
        else:
            say(told)
    if options.verbose:
        for check in verdict.checks:
            _say(f"{'intact' if check.passed else 'CHANGED'}: {check.name}: {check.detail}")
    return exit_code(verdict)


def _check(options: argparse.Namespace) -> None:
    """Find what makes no sense before minutes are spent on looking."""
    if options.every < 1:
        raise SettingsError(f"--every is {options.every}: give a whole number from 1")
    if options.report == _STANDARD_OUTPUT:
        raise SettingsError("--report needs a file: name one, such as report.html")
    against = options.against
    both_exist = against is not None and against.exists() and options.output.exists()
    if both_exist and against.samefile(options.output):
        raise SettingsError(f"{against}: is the output itself: name the input with --against")
    if None not in (options.report, options.json) and _real(options.report) == _real(options.json):
        raise SettingsError(f"{options.json}: is named twice: give --report and --json two names")
    inputs = [path for path in (options.output, against, options.tracks) if path is not None]
    for target in (options.report, options.json):
        if target is None or target == _STANDARD_OUTPUT:
            continue
        if not target.parent.is_dir():
            raise SettingsError(f"{target}: the folder {target.parent} does not exist: make it")
        if not target.exists():
            continue
        if any(path.exists() and path.samefile(target) for path in inputs):
            raise SettingsError(f"{target}: is read by this very command: choose another name")
        if not options.overwrite:
            raise SettingsError(f"{target}: exists already: choose another name, or --overwrite")


def _real(path: Path) -> str:
    return os.path.realpath(path)


def _tracks(options: argparse.Namespace) -> tuple[Tracks | None, Settings]:
    """Return the tracks, and the settings that matter here: the track file's, where it has any."""
    given = {name: getattr(options, name) for name in ("hide", "detector")}
    given = {name: value for name, value in given.items() if value}
    metadata: MetadataRule = "keep" if options.metadata == "keep" else "drop"
    if options.tracks is None:
        return None, Settings(
            models_folder=options.face, metadata=metadata, partial=options.partial, **given
        )
    from tracker_blur.track_files import file as track_file

    read = track_file.read(options.tracks)
    if options.against is not None:
        track_file.check_belongs(read, options.against)
    padding = read.settings.get("padding_ratio", Settings().padding_ratio)
    return read.tracks, Settings(
        models_folder=options.face,
        metadata=metadata,
        padding_ratio=padding,
        partial=options.partial,
        **{"hide": _hidden(read)} | given,
    )


def _hidden(read: TrackFile) -> tuple[str, ...]:
    """Return what was to be hidden, as the settings have it."""
    said = read.settings.get("hide")
    words = tuple(word for word in said if word) if isinstance(said, list) else ()
    if not words and any(track.label != FACE for track in read.tracks.tracks):
        return tuple(sorted({track.label for track in read.tracks.tracks}))
    return words


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="trackblur verify",
        description="Look for faces in a finished video as an adversary would, and check that the "
        "rest is as it was.",
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    parser.add_argument("output", type=Path, metavar="OUT", help="the finished video")
    parser.add_argument(
        "--against",
        type=Path,
        metavar="IN",
        help="the video it was made of: proves by its pixels what is hidden, and compares the rest",
    )
    parser.add_argument(
        "--tracks", type=Path, metavar="FILE", help="the track file: looks closer at tracks' ends"
    )
    parser.add_argument(
        "--report", type=Path, metavar="FILE.html", help="write a page to look at; it shows faces"
    )
    parser.add_argument(
        "--json", type=Path, metavar="FILE", help="write what was found; - for standard output"
    )
    parser.add_argument(
        "--face", type=Path, metavar="DIR", help="a folder with weight files, looked in first"
    )
    add_hide(parser)
    parser.add_argument(
        "--detector",
        metavar="FILE.onnx",
        help="who finds what is neither a face nor a plate",
    )
    parser.add_argument(
        "--every", type=int, default=1, metavar="N", help="look at every Nth frame (default: all)"
    )
    parser.add_argument(
        "--metadata",
        choices=("drop", "keep"),
        default="drop",
        help="whether what identifies a file was dropped or kept (default: drop)",
    )
    parser.add_argument(
        "--partial",
        action="store_true",
        help="look at videos that break off, up to there; OUT itself then ends with exit code 1",
    )
    parser.add_argument("--overwrite", action="store_true", help="replace reports that exist")
    parser.add_argument("-q", "--quiet", action="store_true", help="say something only if it fails")
    parser.add_argument("-v", "--verbose", action="store_true", help="list all that was compared")
    return parser


@contextmanager
def _progress(name: str, quiet: bool) -> Iterator[Progress]:
    """Show a progress bar, on a terminal only."""
    from tqdm import tqdm  # not needed by --help

    disable: Any = True if quiet else None  # None: no bar where standard error is not a terminal
    with tqdm(desc=name, unit=" frames", leave=False, disable=disable) as bar:

        def show(_: int, expected: int | None) -> None:
            bar.total = expected
            bar.update()

        yield show


def _say(text: str) -> None:
    sys.stderr.write(f"trackblur: {text}\n")
