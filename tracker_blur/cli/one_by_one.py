"""Redacts files one by one, with everything loaded once."""

from __future__ import annotations

import traceback
from contextlib import contextmanager
from typing import TYPE_CHECKING

from tracker_blur.cli.interruption import raise_if_interrupted
from tracker_blur.cli.outcome import Outcome
from tracker_blur.cli.results import summarize_file
from tracker_blur.cli.settings_notes import describe
from tracker_blur.cli.side_outputs import SideOutputs
from tracker_blur.errors import SettingsError, TrackerBlurError
from tracker_blur.files.companions import tracks_path
from tracker_blur.files.identity import FileIdentity
from tracker_blur.files.paths import is_file
from tracker_blur.pipeline import Engine
from tracker_blur.review.journal import journal_path

if TYPE_CHECKING:
    import argparse
    from collections.abc import Callable, Iterator, Sequence
    from pathlib import Path
    from typing import TypeAlias

    from tracker_blur.cli.console import Console
    from tracker_blur.core.report import Progress, Report
    from tracker_blur.files.jobs import Job
    from tracker_blur.settings import Settings
    from tracker_blur.verification.verdict import Verdict

    RedactFile: TypeAlias = Callable[[Job, Progress | None, FileIdentity | None], Report]


class OneByOne:
    """Redacts files in this process. A file that fails stops no other.

    Args:
        settings: those of the run.
        options: the parsed options of `redact`.
        console: prints what happens.
        engine: one that is loaded already; None: it is loaded here.

    Attributes:
        description: one line about how faces are detected and tracked.
        engine: what detects and redacts.
        redact_file: redacts a file; None: the engine does.

    Raises:
        TrackerBlurError: a detector cannot be loaded.
    """

    def __init__(
        self,
        settings: Settings,
        options: argparse.Namespace,
        console: Console,
        engine: Engine | None = None,
    ) -> None:
        self._options = options
        self._console = console
        self.engine = engine or Engine(settings)
        self.redact_file: RedactFile | None = None
        self._side_outputs = SideOutputs(options, settings, self.engine, console)
        self.description = describe(self.engine, settings)

    def redact(self, jobs: Sequence[Job], add: Callable[[Outcome], None]) -> None:
        """Redact these files, and call `add` with the outcome of each."""
        for number, job in enumerate(jobs, 1):
            place = f"{number}/{len(jobs)} " if len(jobs) > 1 else ""
            try:
                outcome = self.redact_one(job, f"{place}{job.source.name}")
            except KeyboardInterrupt:
                add(Outcome.interrupted(job.source_name))
                raise
            add(outcome)

    def redact_one(self, job: Job, name: str) -> Outcome:
        """Redact a file, print about it, and return the outcome.

        Args:
            job: what to read and to write.
            name: of the file, for the progress bar.
        """
        outcome = Outcome(job.source_name)
        options, console = self._options, self._console
        with (
            console.naming(job.shown_names),
            self._failing_alone(outcome),
            job.at_hand(overwrite=options.overwrite) as deliver,
        ):
            identity = FileIdentity.of(job.source, hashed=options.tracks is not None)
            _warn_of_decisions(job.source, console)
            with job.target_folder():
                self._side_outputs.check(job, identity)
                with console.progress(name) as progress:
                    redact_file = self.redact_file or self.engine.redact_file
                    report = redact_file(job, progress, identity)
            deliver()
            self._add_report(report, outcome)
            verdict = self._side_outputs.write(job, identity, report)
            if verdict is not None:
                self._add_verdict(verdict, outcome)
            if outcome.summary is not None:
                outcome.summary = console.named(outcome.summary)
        return outcome

    @contextmanager
    def _failing_alone(self, outcome: Outcome) -> Iterator[None]:
        """Report what fails in the block, and continue."""
        try:
            yield
        except TrackerBlurError as error:
            raise_if_interrupted(error)
            self._console.error(error)
            outcome.failure = self._console.text(error)
            outcome.is_wrong_usage = isinstance(error, SettingsError)
        except Exception as error:  # noqa: BLE001  # a bug in one file must not stop the others
            raise_if_interrupted(error)
            outcome.failure = f"{type(error).__name__}: {error}"
            self._console.error(
                f"{outcome.source}: failed ({' '.join(outcome.failure.split())}): this is a bug: "
                "please report it with the output of --verbose"
            )
            if self._options.verbose:
                self._console.trace(traceback.format_exc())

    def _add_report(self, report: Report, outcome: Outcome) -> None:
        self._console.report(report, verbose=self._options.verbose)
        outcome.is_written = True
        outcome.has_tracks = bool(report.tracks)
        if self._options.json:  # hashed now, so that an interrupted run need not wait for it
            outcome.summary = summarize_file(report)

    def _add_verdict(self, verdict: Verdict, outcome: Outcome) -> None:
        from tracker_blur.cli.verify_report import exit_code

        outcome.verdict_code = exit_code(verdict)
        if self._options.verify_report is not None:
            outcome.verdict = verdict
        if outcome.summary is not None:
            outcome.summary["verified"] = verdict.to_dict()


def _warn_of_decisions(source: Path, console: Console) -> None:
    """Say that what was decided in a review of a file has no effect here."""
    journal = journal_path(tracks_path(source))
    if is_file(journal):
        console.caution(
            f"{source}: was reviewed, and what was decided ({journal.name}) has no effect here: "
            "make it from its review"
        )
