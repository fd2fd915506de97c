"""A run over one or many files: a file that fails stops no other, and the summary names it."""

from __future__ import annotations

import traceback
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from tracker_blur.cli.console import (
    EXIT_DONE,
    EXIT_FAILED,
    EXIT_USAGE,
    Console,
    summarize,
    summarize_file,
    write_json,
)
from tracker_blur.cli.interruption import raise_if_interrupted
from tracker_blur.errors import SettingsError, TrackerBlurError

if TYPE_CHECKING:
    import argparse
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from tracker_blur.core.report import Report
    from tracker_blur.files.discovery import UnsupportedFile
    from tracker_blur.files.jobs import Job, Plan, SkippedFile
    from tracker_blur.settings import Settings
    from tracker_blur.verification.verdict import Verdict


class Batch:
    """Redacts the files of a plan one by one and remembers what became of each.

    Args:
        plan: what to redact.
        settings: those of the run.
        options: the parsed `json`, `overwrite` and `verbose` matter here.
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
        self._without_tracks: list[Path] = []
        self._done = 0
        self._failures: list[tuple[Path, str]] = []
        self._is_wrong_usage = False
        self._exit_codes = [EXIT_DONE]

    def run(self, redact: Callable[[Job, str], tuple[Report, Callable[[], Verdict | None]]]) -> int:
        """Redact each file, then print the summary.

        Args:
            redact: takes a job and its name for the progress bar, and writes the output. Returns
                the report, and a function that does what else was asked for and returns what
                verification found, if that was part of it.

        Returns:
            The exit code.
        """
        for left_out in self._left_out:
            self._console.note(str(left_out))
        for unreadable in self._plan.unreadable:
            self._console.error(str(unreadable))
            self._failures.append((unreadable.folder, str(unreadable)))
        jobs = self._plan.jobs
        try:
            for number, job in enumerate(jobs, 1):
                place = f"{number}/{len(jobs)} " if len(jobs) > 1 else ""
                with self._failing_alone(job):
                    report, finish = redact(job, f"{place}{job.source.name}")
                    self._add(report)
                    self._add_verdict(finish())
        finally:
            self._summarize()
        return self._exit_code()

    @contextmanager
    def _failing_alone(self, job: Job) -> Iterator[None]:
        """Report what fails in the block, and go on."""
        try:
            yield
        except TrackerBlurError as error:
            raise_if_interrupted(error)
            self._console.error(error)
            self._failures.append((job.source, self._console.text(error)))
            self._is_wrong_usage = isinstance(error, SettingsError)
        except Exception as error:  # noqa: BLE001  # a bug in one file must not stop the others
            raise_if_interrupted(error)
            reason = f"{type(error).__name__}: {error}"
            self._console.error(
                f"{job.source}: failed ({' '.join(reason.split())}): this is a bug: please report "
                "it with the output of --verbose"
            )
            if self._options.verbose:
                self._console.trace(traceback.format_exc())
            self._failures.append((job.source, reason))
        except KeyboardInterrupt:
            self._failures.append((job.source, "interrupted"))
            raise

    def _add(self, report: Report) -> None:
        self._console.report(report, verbose=self._options.verbose)
        self._done += 1
        if not report.tracks:
            self._without_tracks.append(report.source)
        if self._options.json:  # hashed now, so that an interrupted run need not wait for it
            self._files.append(summarize_file(report))

    def _add_verdict(self, verdict: Verdict | None) -> None:
        from tracker_blur.cli.verify_report import exit_code

        if verdict is not None:
            self._exit_codes.append(exit_code(verdict))
            if self._options.json:
                self._files[-1]["verified"] = verdict.to_dict()

    def _summarize(self) -> None:
        console = self._console
        if len(self._plan.jobs) + len(self._left_out) > 1:
            counts = self._done, len(self._left_out), len(self._failures)
            console.note("{} done, {} skipped, {} failed".format(*counts))
            for path, _ in self._failures:
                console.note(f"failed: {path}")
        for path in self._without_tracks:
            console.note(f"nothing to hide was found in {path}")
        if self._options.json:
            summary = summarize(self._files, self._settings, self._failures, self._left_out)
            write_json(summary, self._options)

    def _exit_code(self) -> int:
        if self._failures:
            is_single = len(self._plan.jobs) + len(self._plan.skipped) == 1
            return EXIT_USAGE if self._is_wrong_usage and is_single else EXIT_FAILED
        return max(self._exit_codes)
