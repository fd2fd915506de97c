"""Redacts a file at once on an executor: small ones, and what cannot be cut."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from tracker_blur.cluster.tasks import Advanced, Done, Failed, WholeTask
from tracker_blur.core.report import Report
from tracker_blur.errors import TrackerBlurError

if TYPE_CHECKING:
    from collections.abc import Callable
    from contextlib import AbstractContextManager

    from tracker_blur.cluster.redact import Executor
    from tracker_blur.core.report import Progress
    from tracker_blur.files.identity import FileIdentity
    from tracker_blur.files.jobs import Job


@dataclass(frozen=True)
class WholeRedactor:
    """Redacts files at once on an executor.

    Attributes:
        new_executor: Returns what does the tasks.
        attempts: How often a file is begun if its machine is lost.
    """

    new_executor: Callable[[], AbstractContextManager[Executor]]
    attempts: int

    def redact_file(
        self, job: Job, progress: Progress | None = None, identity: FileIdentity | None = None
    ) -> Report:
        """Redact a file, as `Engine.redact_file` does.

        Raises:
            TrackerBlurError: It fails, or its machine is lost too often.
        """
        task, reason = WholeTask(job), ""
        with self.new_executor() as executor:
            for _ in range(self.attempts):
                event = self._ended(executor, task, progress)
                if isinstance(event, Done):
                    if identity is not None:
                        identity.check()
                    assert event.report is not None
                    return event.report
                reason = event.reason
                if not event.is_lost:
                    raise TrackerBlurError(reason)
        raise TrackerBlurError(f"{job.source}: failed {self.attempts} times: {reason}")

    def _ended(
        self, executor: Executor, task: WholeTask, progress: Progress | None
    ) -> Done | Failed:
        """Do the task once, and return how it ended."""
        report = Report(task.job.source, task.job.target)
        executor.start(task)
        while True:
            for _, event in executor.wait():
                if isinstance(event, Done | Failed):
                    return event
                if isinstance(event, Advanced) and progress is not None:
                    report.frames = event.frames
                    report.first_pass_frames = event.first_pass_frames
                    progress(report)
