"""`trackblur verify`: looks for faces in a finished file, and whether the rest is as it was."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from os.path import realpath
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tracker_blur.cli.console import Console, guarded, say
from tracker_blur.cli.options import add_hide
from tracker_blur.cli.values import whole_number
from tracker_blur.cli.verdicts import STANDARD_OUTPUT, exit_code, line, verified, write_reports
from tracker_blur.errors import SettingsError
from tracker_blur.settings import DETECTOR_FILE_ENDING, FACE, MetadataRule, Settings

if TYPE_CHECKING:
    from tracker_blur.annotations.track_file import TrackFile
    from tracker_blur.core.tracks import Tracks
    from tracker_blur.verification.verifier import Progress

_ALWAYS_FOUND = (FACE, "faces", "plate", "plates")

_EPILOG = """\
exit codes: 0 clean, or doubtful places only; 3 a face is exposed; 1 the rest is not as it was, or
a file cannot be read; 2 wrong usage. docs/verification.md says what each way of looking can prove,
and what not.
"""


def run_verify(words: Sequence[str]) -> int:
    """Run the sub-command with these arguments; return the exit code."""
    options = _parser().parse_args(words)
    return guarded(Console(options.quiet), lambda: _run(options))


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
        if options.json == STANDARD_OUTPUT:
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
    if options.report == STANDARD_OUTPUT:
        raise SettingsError("--report needs a file: name one, such as report.html")
    against = options.against
    both_exist = against is not None and against.exists() and options.output.exists()
    if both_exist and against.samefile(options.output):
        raise SettingsError(f"{against}: is the output itself: name the input with --against")
    if None not in (options.report, options.json) and realpath(options.report) == realpath(
        options.json
    ):
        raise SettingsError(f"{options.json}: is named twice: give --report and --json two names")
    inputs = [path for path in (options.output, against, options.tracks) if path is not None]
    for target in (options.report, options.json):
        if target is None or target == STANDARD_OUTPUT:
            continue
        if not target.parent.is_dir():
            raise SettingsError(f"{target}: the folder {target.parent} does not exist: make it")
        if not target.exists():
            continue
        if any(path.exists() and path.samefile(target) for path in inputs):
            raise SettingsError(f"{target}: is read by this very command: choose another name")
        if not options.overwrite:
            raise SettingsError(f"{target}: exists already: choose another name, or --overwrite")


def _tracks(options: argparse.Namespace) -> tuple[Tracks | None, Settings]:
    """Return the tracks, and the settings that matter here: the track file's, where it has any."""
    given = {name: getattr(options, name) for name in ("hide", "detector")}
    given = {name: value for name, value in given.items() if value}
    metadata: MetadataRule = "keep" if options.metadata == "keep" else "drop"
    if options.tracks is None:
        return None, Settings(
            models_folder=options.face, metadata=metadata, partial=options.partial, **given
        )
    from tracker_blur.annotations import track_file

    read = track_file.read(options.tracks)
    if options.against is not None:
        track_file.check_belongs(read, options.against)
    if not options.hide:
        _check_finders(options, _hidden(read))
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


def _check_finders(options: argparse.Namespace, words: Sequence[str]) -> None:
    """Find out whether all that the track file hides is found here."""
    known = set(_ALWAYS_FOUND)
    if options.detector is not None and options.detector.endswith(DETECTOR_FILE_ENDING):
        from tracker_blur.detectors import onnx

        known.update(onnx.from_file(options.detector).labels)
    for word in words:
        if word not in known:
            raise SettingsError(
                f"{options.tracks}: hides '{word}', which nobody finds here: name the file that "
                "finds it with --detector FILE.onnx, or with --hide what else to look for"
            )


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
        "--every",
        type=whole_number,
        default=1,
        metavar="N",
        help="look at every Nth frame (default: all)",
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
