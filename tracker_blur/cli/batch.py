"""A run over one or many files: a file that fails stops no other, and the summary names it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from tracker_blur.cli.console import EXIT_DONE, EXIT_FAILED, EXIT_USAGE, Console
from tracker_blur.cli.results import summarize, write_json
from tracker_blur.errors import TrackerBlurError
from tracker_blur.files.temporaries import remove_leftovers

if TYPE_CHECKING:
    import argparse
    from collections.abc import Callable

    from tracker_blur.cli.outcome import Outcome
    from tracker_blur.files.discovery import UnsupportedFile
    from tracker_blur.files.jobs import Plan, SkippedFile
    from tracker_blur.settings import Settings
    from tracker_blur.verification.verdict import Verdict


class Batch:
    """Remembers the outcome of each file of a plan.

    Args:
        plan: what to redact.
        settings: those of the run.
        options: the parsed `json`, `verify_report` and `overwrite` matter here.
        console: prints what fails, and the summary.
    """

    def __init__(
        self, plan: Plan, settings: Settings, options: argparse.Namespace, console: Console
    ) -> None:
        self._plan = plan
        self._left_out: list[SkippedFile | UnsupportedFile] = [*plan.skipped, *plan.unsupported]
        self._settings = settings
        self._options = options
        self._console = console
        self._files: list[dict[str, Any]] = []
        self._without_tracks: list[str] = []
        self._done = 0
        self._failures: list[tuple[str, str]] = []
        self._is_wrong_usage = False
        self._exit_codes = [EXIT_DONE]
        self._verdicts: list[Verdict] = []

    def run(self, redact: Callable[[Callable[[Outcome], None]], None]) -> int:
        """Redact the files, then write the page about all of them, and print the summary.

        Args:
            redact: redacts the files of the plan, and calls its argument with the outcome of each,
                in their order.

        Returns:
            The exit code.
        """
        for left_out in self._left_out:
            self._console.note(str(left_out))
        for unreadable in self._plan.unreadable:
            self._console.error(str(unreadable))
            self._failures.append((str(unreadable.folder), str(unreadable)))
        try:
            redact(self._add)
            self._write_page()
        finally:
            self._remove_leftovers()
            self._summarize()
        return self._exit_code()

    def _remove_leftovers(self) -> None:
        """Remove what killed processes have left next to outputs: workers, or an earlier run."""
        targets = [job.target for job in self._plan.jobs]
        targets += [Path(skipped.target) for skipped in self._plan.skipped]
        for folder in {target.parent for target in targets}:
            remove_leftovers(folder)

    def _add(self, outcome: Outcome) -> None:
        if outcome.is_written:
            self._console.begun()
        self._console.repeat(outcome.messages)
        if outcome.is_written:
            self._done += 1
            if not outcome.has_tracks:
                self._without_tracks.append(outcome.source)
        if outcome.summary is not None:
            self._files.append(outcome.summary)
            self._console.wrote(outcome.summary)
        if outcome.verdict_code is not None:
            self._exit_codes.append(outcome.verdict_code)
        if outcome.verdict is not None:
            self._verdicts.append(outcome.verdict)
        if outcome.failure is not None:
            self._failures.append((outcome.source, outcome.failure))
            self._is_wrong_usage = outcome.is_wrong_usage

    def _write_page(self) -> None:
        from tracker_blur.cli.verify_report import write_page

        if not self._verdicts:
            return
        page = self._options.verify_report
        try:
            write_page(page, self._verdicts, self._options.overwrite)
        except TrackerBlurError as error:
            self._console.error(error)
            self._failures.append((str(page), self._console.text(error)))
        else:
            self._console.note(f"{page}: the verification report; it shows faces")

    def _summarize(self) -> None:
        console = self._console
        if len(self._plan.jobs) + len(self._left_out) > 1:
            counts = self._done, len(self._left_out), len(self._failures)
            console.note("{} done, {} skipped, {} failed".format(*counts))
            for name, _ in self._failures:
                console.note(f"failed: {name}")
        for name in self._without_tracks:
            console.note(f"nothing to hide was found in {name}")
        if self._options.json:
            summary = summarize(self._files, self._settings, self._failures, self._left_out)
            write_json(summary, self._options)

    def _exit_code(self) -> int:
        if self._failures:
            is_single = len(self._plan.jobs) + len(self._plan.skipped) == 1
            return EXIT_USAGE if self._is_wrong_usage and is_single else EXIT_FAILED
        return max(self._exit_codes)
