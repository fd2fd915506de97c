"""What a terminal shows: notes, warnings, progress bars, results."""

from __future__ import annotations

import json
import logging
import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Any

from tracker_blur.cli.flags import in_flags
from tracker_blur.core.report import Progress, Report
from tracker_blur.errors import SettingsError, SinkError, TrackerBlurError, reason_of

EXIT_FAILED, EXIT_USAGE = 1, 2

_PHASES = {False: " (looking)", True: " (writing)"}


class Console:
    """Prints notes to standard error and results to standard output.

    Where standard error takes nothing, as on a full disk, what it is told is lost, and no more.

    quiet   only errors and results
    """

    def __init__(self, quiet: bool) -> None:
        self._quiet = quiet

    def note(self, text: str) -> None:
        """Say something that helps but need not be known."""
        if not self._quiet:
            self._print(f"trackblur: {in_flags(text)}")

    def warn(self, text: str) -> None:
        """Say something that the user should know even when quiet."""
        self._print(f"trackblur: warning: {in_flags(text)}")

    def error(self, text: str) -> None:
        """Say, in one line, what failed."""
        self._print(f"trackblur: error: {' '.join(in_flags(text).split())}")

    def result(self, value: dict[str, Any]) -> None:
        """Print a machine-readable result; raises SinkError as `say` does."""
        say(json.dumps(value, indent=2))

    def report(self, report: Report, *, verbose: bool = False) -> None:
        """Say what a run wrote and how fast; where the time went, if asked."""
        for warning in report.warnings:
            self.warn(warning)
        frames = report.frames or report.looked
        rate = frames / report.seconds if report.seconds else 0.0
        self.note(
            f"{report.target}: {counted(frames, 'frame')}, "
            f"{counted(report.tracks, 'face')}, {report.seconds:.1f} seconds "
            f"({rate:.3g} frames a second)"
        )
        if verbose:
            for stage, seconds in report.stage_seconds.items():
                self.note(f"  {stage}: {1000 * seconds / max(1, frames):.2f} ms a frame")

    @contextmanager
    def progress(self, name: str) -> Iterator[Progress | None]:
        """Show a progress bar, on a terminal only, fed by the yielded function."""
        from tqdm import tqdm  # not needed by --help

        # disable=None: no bar where standard error is not a terminal
        with tqdm(
            desc=name, unit=" frames", leave=False, disable=True if self._quiet else None
        ) as bar:

            def show(report: Report) -> None:
                if report.expected_frames is not None:
                    bar.total = report.passes * report.expected_frames
                bar.set_description_str(f"{name}{_PHASES[bool(report.frames)]}", refresh=False)
                bar.set_postfix_str(f"{report.tracks} faces", refresh=False)
                bar.update()

            yield show

    def _print(self, text: str) -> None:
        if sys.stderr is not None:  # closed by who started it
            with suppress(OSError):
                sys.stderr.write(f"{text}\n")


def counted(number: int, what: str) -> str:
    """Return "1 face", "2 faces"."""
    return f"{number} {what}{'' if number == 1 else 's'}"


def say(line: str) -> None:
    """Write a line to standard output, at once.

    Raises SinkError when it cannot be written, as on a full disk; a reader that has gone raises
    BrokenPipeError as ever.
    """
    try:
        print(line, flush=True)
    except BrokenPipeError:
        raise
    except OSError as error:
        discard_output()
        reason = reason_of(error)
        raise SinkError(
            f"standard output cannot be written ({reason}): send it elsewhere"
        ) from error


def guarded(console: Console, run: Callable[[], int | None]) -> int:
    """Return what `run` returns, 0 for None; for what failed, one clear line and an exit code."""
    try:
        return run() or 0
    except TrackerBlurError as error:
        console.error(str(error))
        return EXIT_USAGE if isinstance(error, SettingsError) else EXIT_FAILED


def discard_output() -> None:
    """Let nothing more be written to standard output: what is left in it would fail again."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def quieten() -> None:
    """Silence what decoders mutter about damaged files: our own errors say it."""
    import cv2  # not needed by commands that read no pictures

    logging.getLogger("PIL").setLevel(logging.CRITICAL)
    cv2.utils.logging.setLogLevel(cv2.utils.logging.LOG_LEVEL_SILENT)
