"""What the terminal shows: notes, warnings, errors, progress bars, results."""

from __future__ import annotations

import itertools
import json
import logging
import os
import sys
from contextlib import contextmanager, suppress
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from tracker_blur.cli.background_writer import BackgroundWriter
from tracker_blur.cli.parser import STANDARD_OUTPUT
from tracker_blur.errors import SettingsError, SinkError, TrackerBlurError, reason_of
from tracker_blur.files.jobs import SkippedFile
from tracker_blur.settings import FACE
from tracker_blur.text import counted, escaped
from tracker_blur.version import __version__

if TYPE_CHECKING:
    import argparse
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

    from tracker_blur.cli.progress_file import ProgressFile
    from tracker_blur.core.report import Progress, Report
    from tracker_blur.files.discovery import UnsupportedFile
    from tracker_blur.settings import Settings

EXIT_DONE, EXIT_FAILED, EXIT_USAGE, EXIT_EXPOSED, EXIT_INTERRUPTED = 0, 1, 2, 3, 130

_LAST_MESSAGES_SECONDS = 1.0
_COUNTED = (
    FACE,
    "plate",
    "zone",
)  # words with a plural; the classes of detector files are anything

_SHOWN_STAGES = {"see": "detect"}  # the name in JSON is older
_FILES_BAR = "{l_bar}{bar}| [{elapsed}<{remaining}]"
_PHASES = {False: " (detecting)", True: " (writing)"}


class Message(NamedTuple):
    """A message for standard error.

    Attributes:
        text: one line.
        advice: what it advises, for messages that are printed once for many files.
    """

    text: str
    advice: str | None = None


class Console:
    """Prints messages to standard error and results to standard output.

    Messages that standard error cannot take, as on a full disk, are lost; nothing else is.

    Args:
        quiet: print only errors, warnings and results.
        flags: the flag of each setting, for messages that name settings.
        progress_file: also gets errors, warnings and the progress.
    """

    def __init__(
        self,
        quiet: bool = False,
        flags: Mapping[str, str] | None = None,
        progress_file: ProgressFile | None = None,
    ) -> None:
        self._quiet = quiet
        self.flags = flags or {}
        self._progress_file = progress_file
        self._background: BackgroundWriter | None = None
        self._bar: Any = None
        self._last_advice: str | None = None
        self._unused_photos: set[str] = set()
        self._names: Mapping[str, str] = {}

    def note(self, text: str) -> None:
        """Print what is useful to know, unless quiet."""
        if not self._quiet:
            self._print(Message(f"trackblur: {text}"))

    def announce(self, text: str) -> None:
        """Print what the user cannot do without, even when quiet."""
        self._print(Message(f"trackblur: {text}"))

    def caution(self, text: str) -> None:
        """Print a warning about what was chosen, unless quiet."""
        if not self._quiet:
            self.warn(text)

    def warn(self, problem: str | TrackerBlurError) -> None:
        """Print what the user must know, even when quiet."""
        self._print(Message(f"trackblur: warning: {self.text(problem)}"))
        if self._progress_file is not None:
            self._progress_file.warn(self.text(problem))

    def error(self, problem: str | TrackerBlurError) -> None:
        """Print, in one line, what failed."""
        self._print(Message(f"trackblur: error: {self.text(problem)}"))
        if self._progress_file is not None:
            self._progress_file.fail(self.text(problem))

    def trace(self, text: str) -> None:
        """Print where a bug was met."""
        for line in text.splitlines():
            self._print(Message(line))

    def advise(self, subject: str, advice: str) -> None:
        """Print what helps with a file, unless it is what was advised last."""
        self._print(Message(f"trackblur: warning: {subject}: {advice}", advice))

    def repeat(self, messages: Sequence[Message]) -> None:
        """Print the messages of another process."""
        for message in messages:
            self._print(message)

    def text(self, problem: str | TrackerBlurError) -> str:
        """Return a message that names flags, not settings."""
        text = problem.text(self.flags) if isinstance(problem, TrackerBlurError) else problem
        return self._named(text)

    @contextmanager
    def naming(self, names: Mapping[str, str]) -> Iterator[None]:
        """Call files what the user calls them, while the block lasts.

        Args:
            names: for each name that messages and results may have, the one to be shown.
        """
        self._names = names
        try:
            yield
        finally:
            self._names = {}

    def named(self, value: Any) -> Any:
        """Return a result for JSON with the names that the user knows."""
        if isinstance(value, str):
            return self._named(value)
        if isinstance(value, dict):
            return {key: self.named(each) for key, each in value.items()}
        return [self.named(each) for each in value] if isinstance(value, list) else value

    def _named(self, text: str) -> str:
        for name, shown in self._names.items():
            text = text.replace(name, shown)
        return text

    def report(self, report: Report, *, verbose: bool = False) -> None:
        """Print what a run wrote and how fast, with `verbose` also where the time went."""
        for warning in report.warnings:
            self.warn(warning)
        frames = report.frames or report.first_pass_frames
        rate = frames / report.seconds if report.seconds else 0.0
        speed = "" if report.is_still else f" ({rate:.3g} frames per second)"
        self.note(
            f"{report.target}: {counted(frames, 'frame')}, {found(report)}, "
            f"{report.seconds:.1f} seconds{speed}"
        )
        if report.added_places is not None:
            places = counted(sum(report.added_places), "place")
            rounds = counted(len(report.added_places), "round")
            self.note(f"{report.target}: looked again in {rounds}: {places} more to hide")
        if report.left_visible:
            self.warn(f"{report.target}: left visible by choice: {left_visible(report)}")
        if report.people is not None:
            from tracker_blur.cli.people_lines import doubt_lines, visible_lines

            for photo in report.people.unused_photos:
                if photo not in self._unused_photos:  # they are the same for all files
                    self._unused_photos.add(photo)
                    self.warn(f"not used: {photo}")
            for line in visible_lines(report.people, is_still=report.is_still):
                self.warn(f"{report.target}: {line}")
            for line in doubt_lines(report.people, is_still=report.is_still):
                self.note(f"{report.target}: {line}")
        if verbose:
            for stage, seconds in report.stage_seconds.items():
                shown = _SHOWN_STAGES.get(stage, stage)
                self.note(f"  {shown}: {1000 * seconds / max(1, frames):.2f} ms per frame")

    @contextmanager
    def progress(self, name: str) -> Iterator[Progress]:
        """Show a progress bar, on a terminal only, which the yielded function updates."""
        with progress_bar(name, self._quiet) as bar:

            def show(report: Report) -> None:
                if report.expected_frames is not None:
                    bar.total = report.passes * report.expected_frames
                phase = _PHASES[bool(report.frames)]
                if report.added_places is not None and not (report.frames or report.is_still):
                    phase = " (looking again)"
                bar.set_description_str(f"{escaped(name)}{phase}", refresh=False)
                bar.set_postfix_str(_found_so_far(report), refresh=False)
                bar.update()
                self.advance(next(counted_calls), bar.total, report.passes)

            counted_calls = itertools.count(1)
            yield show

    def advance(self, done: float, total: float | None, passes: int = 1) -> None:
        """Tell a program that watches how far the run is.

        Args:
            done: frames or files, counted once in each pass.
            total: how many there will be, if that is known.
            passes: how often each frame counts.
        """
        if self._progress_file is not None:
            self._progress_file.advance(done, total, passes)

    @contextmanager
    def files_progress(self, count: int) -> Iterator[Callable[[int, float], None]]:
        """Show a progress bar for several files at once, on a terminal only.

        Args:
            count: how many files there are.

        Yields:
            A function that takes how many are done, and the sum of the shares of those that are
            being done.
        """
        with progress_bar("", self._quiet, total=count, bar_format=_FILES_BAR) as bar:

            def show(done: int, shares: float) -> None:
                bar.set_description_str(f"{done}/{count} files", refresh=False)
                bar.n = done + shares
                bar.refresh()
                self.advance(bar.n, count)

            show(0, 0.0)
            self._bar = bar
            try:
                yield show
            finally:
                self._bar = None

    @contextmanager
    def in_background(self) -> Iterator[None]:
        """Print from a thread of its own meanwhile: standard error may block.

        If it still blocks at the end, later messages go the same way, and may be lost.
        """
        if sys.stderr is None:
            yield
            return
        self._background = writer = BackgroundWriter(sys.stderr)
        try:
            yield
        finally:
            if writer.close(_LAST_MESSAGES_SECONDS):
                self._background = None

    def _print(self, message: Message) -> None:
        self._put(message._replace(text=self._named(message.text)))

    def _put(self, message: Message) -> None:
        if message.advice is not None:
            if message.advice == self._last_advice:
                return
            self._last_advice = message.advice
        line = f"{escaped(message.text)}\n"
        if self._background is not None:
            self._background.write(line)
        elif sys.stderr is not None:  # it is None where there is no console
            if self._bar is not None:
                self._bar.clear()
            with suppress(OSError):
                sys.stderr.write(line)


@contextmanager
def progress_bar(name: str, quiet: bool, **details: Any) -> Iterator[Any]:
    """Show a tqdm bar, by default one that counts frames, where standard error is a terminal."""
    from tqdm import tqdm  # not needed by --help

    is_off = True if quiet else None  # None: shown on a terminal only
    with tqdm(desc=escaped(name), unit=" frames", leave=False, disable=is_off, **details) as bar:
        yield bar


def found(report: Report) -> str:
    """Return how many tracks there are of each class, such as "2 faces, 1 plate"."""
    texts = [
        counted(count, label) if label in _COUNTED else f"{label}: {count}"
        for label, count in report.track_counts.items()
    ]
    return ", ".join(texts) or counted(0, FACE)


def _found_so_far(report: Report) -> str:
    """Return how many tracks there are, and how many pieces of a video that has some."""
    if report.pieces is None:
        return found(report)
    lost = f", {report.pieces.lost} lost" if report.pieces.lost else ""
    return f"{found(report)}, {report.pieces.done} of {report.pieces.total} pieces{lost}"


def left_visible(report: Report) -> str:
    """Return how many tracks zones and limits leave visible, such as "2 in ignore zones"."""
    from tracker_blur.core.rules import REASONS  # imports NumPy: not needed by --help

    return ", ".join(f"{count} {REASONS[reason]}" for reason, count in report.left_visible.items())


def print_line(*lines: str) -> None:
    """Write lines to standard output at once, with escapes for what a terminal would obey.

    Raises:
        SinkError: they cannot be written, as on a full disk.
        BrokenPipeError: the reader has gone.
    """
    _write_out("\n".join(map(escaped, lines)))


def print_json(value: Mapping[str, Any]) -> None:
    """Print a machine-readable result; raises as `print_line` does."""
    _write_out(json.dumps(value, indent=2))


def write_json(value: Mapping[str, Any], options: argparse.Namespace) -> None:
    """Write a machine-readable result to the file that `json` names, whole or not at all.

    Args:
        value: the result.
        options: the parsed `json`, where "-" is standard output, and `overwrite`.

    Raises:
        SinkError: it cannot be written.
        BrokenPipeError: the reader has gone.
    """
    from tracker_blur.files.atomic import replacing

    if options.json == STANDARD_OUTPUT:
        print_json(value)
        return
    with replacing(options.json, options.overwrite) as temporary:
        temporary.write_text(f"{json.dumps(value, indent=2)}\n", encoding="utf-8")


def check_json_target(options: argparse.Namespace, others: Iterable[Path | None]) -> None:
    """Check that the result can be written where `json` says, before minutes are spent.

    Args:
        options: the parsed `json` and `overwrite`.
        others: what the command reads and writes.

    Raises:
        SettingsError: it is the name of a video or an image, or of something else.
        SinkError: it cannot be written.
    """
    from tracker_blur.files.atomic import check_place
    from tracker_blur.files.paths import is_media, is_same_file

    path = options.json
    if path is None or path == STANDARD_OUTPUT:
        return
    if is_media(path):
        raise SettingsError(
            f"{path}: is the name of a video or an image: choose another name for the results, "
            "such as results.json"
        )
    if any(other is not None and is_same_file(path, other) for other in others):
        raise SettingsError(f"{path}: is named twice: choose another name for the results")
    check_place(path, options.overwrite)


def _write_out(text: str) -> None:
    try:
        print(text, flush=True)
    except BrokenPipeError:
        raise
    except OSError as error:
        discard_output()
        raise SinkError(
            f"standard output cannot be written ({reason_of(error)}): send it elsewhere"
        ) from error


@contextmanager
def json_after_failure(
    options: argparse.Namespace, console: Console, source: Path | None = None
) -> Iterator[None]:
    """Print the JSON that was asked for also where the block fails or is interrupted.

    Args:
        options: the parsed `json` matters.
        console: names flags in the error.
        source: the input, if there is only one.
    """
    try:
        yield
    except (TrackerBlurError, OSError, KeyboardInterrupt) as error:
        if options.json == STANDARD_OUTPUT:  # a file may be the one that was refused
            text = "interrupted"
            if isinstance(error, TrackerBlurError):
                text = console.text(error)
            elif isinstance(error, OSError):
                text = reason_of(error)
            name = None if source is None else str(source)
            failed = [{"input": name, "error": text}]
            print_json({"version": __version__, "files": [], "skipped": [], "failed": failed})
        raise


def summarize(
    files: Sequence[Mapping[str, Any]],
    settings: Settings,
    failures: Sequence[tuple[str, str]] = (),
    skipped: Sequence[SkippedFile | UnsupportedFile] = (),
) -> dict[str, Any]:
    """Return what a run did as a dictionary that JSON can hold.

    Args:
        files: what `summarize_file` returned for each file that was written.
        settings: those of the run.
        failures: each failed input, with its error message.
        skipped: files that were left out.
    """
    return {
        "version": __version__,
        "settings": {
            name: str(value) if isinstance(value, Path) else value
            for name, value in settings.options().items()
        },
        "files": list(files),
        "skipped": [_left_out(file) for file in skipped],
        "failed": [{"input": name, "error": error} for name, error in failures],
    }


def _left_out(file: SkippedFile | UnsupportedFile) -> dict[str, Any]:
    existing = {"output": str(file.target)} if isinstance(file, SkippedFile) else {}
    return {"input": str(file.source), **existing, "reason": file.reason}


def summarize_file(report: Report) -> dict[str, Any]:
    """Return what became of one file; hashes are SHA-256. `verified` is None until it is."""
    return {
        "input": str(report.source),
        "input_sha256": _sha256(report.source),
        "output": str(report.target),
        "output_sha256": _sha256(report.target),
        "detector": report.detector,
        "method_class": report.method_class,
        "frames": report.frames or report.first_pass_frames,
        "faces": report.faces,
        "tracks": report.tracks,
        "tracks_by_class": report.track_counts,
        "left_visible": report.left_visible,
        "people": None if report.people is None else report.people.to_dict(),
        "careful": None if report.added_places is None else _careful(report.added_places),
        "pieces": None if report.pieces is None else asdict(report.pieces),
        "seconds": round(report.seconds, 3),
        "stage_seconds": {name: round(took, 3) for name, took in report.stage_seconds.items()},
        "warnings": list(report.warnings),
        "verified": None,
    }


def _careful(added_places: tuple[int, ...]) -> dict[str, Any]:
    return {
        "rounds": len(added_places),
        "places": sum(added_places),
        "places_by_round": list(added_places),
    }


def _sha256(path: Path) -> str | None:
    """Return a file's hash; None where it has gone since, which must not cost the summary."""
    from tracker_blur.files.identity import sha256

    try:
        return sha256(path)
    except OSError:
        return None


def discard_output() -> None:
    """Discard the rest of standard output: writing what its buffer holds would fail again."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def silence_libraries() -> None:
    """Silence what decoders print about damaged files; our own errors report them."""
    import cv2  # not needed by commands that read no images

    logging.getLogger("PIL").setLevel(logging.CRITICAL)
    cv2.utils.logging.setLogLevel(cv2.utils.logging.LOG_LEVEL_SILENT)
