"""Looks after jobs that take too long or too much, and deletes uploads whose time is over."""

from __future__ import annotations

import threading
import time
from contextlib import suppress
from typing import TYPE_CHECKING

from starlette.exceptions import HTTPException

from tracker_blur.errors import reason_of
from tracker_blur.service.stored_uploads import size_of, stored_bytes, uploads

if TYPE_CHECKING:
    from collections.abc import Callable

    from tracker_blur.service.job_settings import JobSettings
    from tracker_blur.web.job_queue import JobQueue

_POLL_SECONDS = 5.0
_HOUR_SECONDS = 3600.0


class JobUpkeep:
    """Enforces the limits of jobs that no request can: of time and of space.

    Args:
        jobs: The jobs.
        settings: The service's for jobs.
        report: Called with a line when that fails.
    """

    def __init__(
        self, jobs: JobQueue, settings: JobSettings, report: Callable[[str], None]
    ) -> None:
        self._jobs = jobs
        self._settings = settings
        self._report = report
        self._is_closed = threading.Event()
        self._thread = threading.Thread(target=self._run, name="trackblur upkeep", daemon=True)

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def close(self) -> None:
        """End."""
        self._is_closed.set()
        if self._thread.is_alive():
            self._thread.join()

    def _run(self) -> None:
        before = time.monotonic()
        while not self._is_closed.wait(_POLL_SECONDS):
            now = time.monotonic()
            try:
                self._look(now - before)
            except OSError as error:
                self._report(f"jobs cannot be looked after: {reason_of(error)}")
            before = now

    def _look(self, seconds: float) -> None:
        for job in uploads(self._jobs):
            keep_seconds = self._settings.keep_hours * _HOUR_SECONDS
            if job.is_over and time.time() - (job.ended or job.created) > keep_seconds:
                with suppress(HTTPException):  # someone else was quicker, or it is still ending
                    self._jobs.forget(job.id)
        limit = self._settings.limits.job_seconds
        running = [job for job in self._jobs.known() if job.state == "running"]
        for job in running:
            job.run_seconds += seconds  # is kept with the job's state, also when the server stops
            if job.run_seconds > limit:
                self._cancel(job.id, f"it ran for more than {limit:g} seconds, the longest here")
        of_uploads = [job for job in running if job.new.is_upload]
        if of_uploads and stored_bytes(self._jobs) > self._settings.limits.stored_bytes:
            largest = max(of_uploads, key=lambda job: size_of(self._jobs, job))
            self._cancel(largest.id, "there is no room for what it writes: delete other jobs")

    def _cancel(self, job_id: str, reason: str) -> None:
        with suppress(HTTPException):  # it is over by now
            self._jobs.cancel(job_id, reason)
