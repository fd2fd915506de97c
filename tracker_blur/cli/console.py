"""What the terminal shows: notes, warnings, errors, progress bars, results."""

from __future__ import annotations

import itertools
import logging
import sys
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

from tracker_blur.cli.background_writer import BackgroundWriter
from tracker_blur.errors import TrackerBlurError
from tracker_blur.settings import FACE
from tracker_blur.text import counted, escaped

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from tracker_blur.cli.progress_file import ProgressFile
    from tracker_blur.core.report import Progress, Report

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
        kind: what programs that watch get it as, without its beginning; None: they do not.
    """

    text: str
    advice: str | None = None
    kind: Literal["warning", "error"] | None = None

    @classmethod
    def of(
        cls, kind: Literal["warning", "error"], problem: str, advice: str | None = None
    ) -> Message:
        """Return the message about a problem."""
        return cls(f"trackblur: {kind}: {problem}", advice, kind)

    @property
    def problem(self) -> str:
        """What `of` got."""
        return self.text.removeprefix(f"trackblur: {self.kind}: ")


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
        self._waiting: list[Callable[[], None]] = []

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
        self._print(Message.of("warning", self.text(problem)))

    def error(self, problem: str | TrackerBlurError) -> None:
        """Print, in one line, what failed."""
        self._print(Message.of("error", self.text(problem)))

    def when_begun(self, print_notes: Callable[[], None]) -> None:
        """Print notes about a run once its file can be read: else a refusal is all that is said.

        Args:
            print_notes: prints them. It is called at the first frame, from any thread, or once a
                file is written.
        """
        self._waiting.append(print_notes)

    def begun(self) -> None:
        """Print the notes that wait."""
        with suppress(IndexError):
            while True:
                self._waiting.pop(0)()  # several threads may come here: each gets others

    def trace(self, text: str) -> None:
        """Print where a bug was met."""
        for line in text.splitlines():
            self._print(Message(line))

    def advise(self, subject: str, advice: str) -> None:
        """Print what helps with a file, unless it is what was advised last."""
        self._print(Message.of("warning", f"{subject}: {advice}", advice))

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
        self.begun()
        for warning in report.warnings:
            self.warn(warning)
        frames = report.frames or report.first_pass_frames
        rate = frames / report.seconds if report.seconds else 0.0
        speed = "" if report.is_still else f" ({rate:.3g} frames per second)"
        self.note(
            f"{report.target}: {counted(frames, 'frame')}, {found(report.separate_counts)}, "
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

    def wrote(self, summary: Mapping[str, Any]) -> None:
        """Tell a program that watches which file is complete.

        Args:
            summary: what the JSON says about it.
        """
        if self._progress_file is not None and summary["output_sha256"] is not None:
            self._progress_file.wrote(summary["output"], summary["output_sha256"])

    @contextmanager
    def progress(self, name: str) -> Iterator[Progress]:
        """Show a progress bar, on a terminal only, which the yielded function updates."""
        with progress_bar(name, self._quiet) as bar:

            def show(report: Report) -> None:
                self.begun()
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
            self._bar = bar
            try:
                yield show
            finally:
                self._bar = None

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
        if self._progress_file is not None and message.kind == "warning":
            self._progress_file.warn(message.problem)
        elif self._progress_file is not None and message.kind == "error":
            self._progress_file.fail(message.problem)
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


def shows_bars() -> bool:
    """Return whether standard error is a terminal; programs that embed this may have none."""
    return getattr(sys.stderr, "isatty", lambda: False)()


@contextmanager
def progress_bar(name: str, quiet: bool, **details: Any) -> Iterator[Any]:
    """Show a tqdm bar, by default one that counts frames, where standard error is a terminal."""
    from tqdm import tqdm  # not needed by --help

    is_off = quiet or not shows_bars()
    with tqdm(desc=escaped(name), unit=" frames", leave=False, disable=is_off, **details) as bar:
        yield bar


def found(counts: Mapping[str, int]) -> str:
    """Return how many there are of each class, by its label, such as "2 faces, 1 plate"."""
    texts = [
        counted(count, label) if label in _COUNTED else f"{label}: {count}"
        for label, count in counts.items()
    ]
    return ", ".join(texts) or counted(0, FACE)


def _found_so_far(report: Report) -> str:
    """Return how many tracks there are, and how many pieces of a video that has some."""
    if report.pieces is None:
        return found(report.track_counts)
    lost = f", {report.pieces.lost} lost" if report.pieces.lost else ""
    return (
        f"{found(report.track_counts)}, {report.pieces.done} of {report.pieces.total} pieces{lost}"
    )


def left_visible(report: Report) -> str:
    """Return what zones and limits leave visible, such as "2 tracks in ignore zones"."""
    from tracker_blur.core.rules import REASONS  # imports NumPy: not needed by --help

    return ", ".join(
        f"{counted(count, 'track')} {REASONS[reason]}"
        for reason, count in report.left_visible.items()
    )


def silence_libraries() -> None:
    """Silence what decoders print about damaged files; our own errors report them."""
    import cv2  # not needed by commands that read no images

    logging.getLogger("PIL").setLevel(logging.CRITICAL)
    cv2.utils.logging.setLogLevel(cv2.utils.logging.LOG_LEVEL_SILENT)
