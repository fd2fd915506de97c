"""The queue of jobs: kept on disk, so that it survives the server."""

from __future__ import annotations

import threading
import time
from collections import Counter
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

from starlette.exceptions import HTTPException

from tracker_blur.errors import TrackerBlurError, reason_of
from tracker_blur.web.job_runs import JobRuns
from tracker_blur.web.job_store import JobStore
from tracker_blur.web.written_outputs import WrittenOutputs

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tracker_blur.web.events import EventHub
    from tracker_blur.web.job import Job, JobState, NewJob
    from tracker_blur.web.queue_settings import QueueSettings
    from tracker_blur.web.state import State

_POLL_SECONDS = 0.25
_RETRY_SECONDS = "60"
_BROKEN = "this is a bug: please report it with what the terminal shows"


class JobQueue:
    """Runs jobs in the order in which they were added, some at once.

    Args:
        state: Where they are kept.
        root: The folder that the page shows.
        events: Learns of each change.
        settings: How they are run, and how many are taken.
        warn: Called with a line when something of the queue itself fails, from its thread.

    Attributes:
        planning: Held while jobs are planned and added: a name for an output that is free for one
            is so for no other.
        outputs: What they have written into the folder of the page.
    """

    def __init__(
        self,
        state: State,
        root: Path,
        events: EventHub,
        settings: QueueSettings,
        warn: Callable[[str], None],
    ) -> None:
        self._store = JobStore(state, root)
        self._events = events
        self._settings = settings
        self._warn = warn
        self._warned: dict[str, str] = {}
        self.planning = threading.RLock()
        self._changed = threading.Condition(threading.RLock())
        self._is_over = False
        self.outputs = WrittenOutputs(state, root)
        self._runs = JobRuns(
            self._store, self.outputs, self._keep, self._publish, settings.models_folder
        )
        self._jobs = self._store.read(warn)
        self._thread = threading.Thread(target=self._run, name="trackblur jobs", daemon=True)
        for job in self._jobs.values():
            self._safely(self._runs.adopt, job)

    def start(self) -> None:
        """Begin to run jobs."""
        self._thread.start()

    def close(self) -> None:
        """Stop looking after jobs; those that run continue."""
        with self._changed:
            self._is_over = True
            self._changed.notify_all()
        self._thread.join()
        for job in self._jobs.values():
            if job.state == "running":
                self._safely(self._absolve, job)

    def unfinished(self) -> Counter[JobState]:
        """Return how many jobs are not over, by their state."""
        with self._changed:
            return Counter(job.state for job in self._jobs.values() if not job.is_over)

    def check_room(self, count: int = 1) -> None:
        """Check that so many more jobs are taken.

        Raises:
            HTTPException: There are too many (429).
        """
        with self._changed:
            self._check_unfinished(count)
            kept = self._settings.kept
            if kept is not None and len(self._jobs) + count > kept:
                raise _too_many("too many jobs are kept: delete those that are over")

    def _check_unfinished(self, count: int) -> None:
        most = self._settings.unfinished
        if most is None:
            return
        if count > most:
            raise _too_many(f"these are more than {most} files: choose fewer, or their folder")
        if self.unfinished().total() + count > most:
            raise _too_many("too many jobs wait already: try again later")

    def add(self, new: NewJob) -> Job:
        """Add a job at the end of the queue; raises HTTPException if there is no room for it."""
        return self.add_with_files(lambda _: new)

    def add_with_files(self, make: Callable[[Path], NewJob]) -> Job:
        """Add a job that needs files of its own at the end of the queue.

        Args:
            make: Gets the job's own folder, writes the files into it and returns the job; no other
                job is added meanwhile. What it raises is raised again, and nothing is left.

        Raises:
            HTTPException: There are too many jobs (429).
        """
        with self.planning:
            self.check_room()
            job = self._store.create(make)
            try:
                with self._changed:
                    self._keep(job)
                    self._jobs[job.id] = job
                    self._changed.notify_all()
            except BaseException:
                self._store.remove(job.id)
                raise
        return job

    def folder_of(self, job_id: str) -> Path:
        """Return the folder of a job's own files."""
        return self._store.folder_of(job_id)

    def output_of(self, job: Job) -> Path | None:
        """Return where a job writes its output; None: it writes none."""
        return self._store.output_of(job)

    def all(self) -> list[dict[str, Any]]:
        """Return all jobs as the page shows them, the oldest first."""
        with self._changed:
            return [self.as_dict(job) for job in self._jobs.values()]

    def known(self) -> list[Job]:
        """Return all jobs, the oldest first."""
        with self._changed:
            return list(self._jobs.values())

    def get(self, job_id: str) -> Job:
        """Return a job; raises HTTPException if there is none."""
        with self._changed:
            if job_id not in self._jobs:
                raise HTTPException(HTTPStatus.NOT_FOUND, "there is no such job")
            return self._jobs[job_id]

    def as_dict(self, job: Job) -> dict[str, Any]:
        """Return a job as the page shows it."""
        with self._changed:
            return job.as_dict(self._runs.progress(job))

    def promised(self) -> set[str]:
        """Return the outputs in the page's folder of jobs that are not over."""
        with self._changed:
            return {
                job.new.output
                for job in self._jobs.values()
                if not (job.is_over or job.new.is_upload) and job.new.output is not None
            }

    def pause(self, job_id: str) -> Job:
        """Stop a job until it is resumed; one that waits is held back."""
        with self._changed:
            job = self.get(job_id)
            self._check(job, "paused", "waiting", "running")
            self._runs.pause(job)
            job.state = "paused"
            self._keep(job)
            self._changed.notify_all()
            return job

    def resume(self, job_id: str) -> Job:
        """Resume a paused job."""
        with self._changed:
            job = self.get(job_id)
            self._check(job, "resumed", "paused")
            job.state = "running" if self._runs.resume(job) else "waiting"
            self._keep(job)
            self._changed.notify_all()
            return job

    def cancel(self, job_id: str, reason: str | None = None) -> Job:
        """End a job; what is half-written is deleted.

        Args:
            job_id: The job's id.
            reason: Why, if no user requested it.
        """
        with self._changed:
            job = self.get(job_id)
            self._check(job, "cancelled", "waiting", "running", "paused")
            self._runs.end(job)
            job.state, job.error, job.ended = "cancelled", reason, time.time()
            self._keep(job)
            self._changed.notify_all()
            return job

    def retry(self, job_id: str) -> Job:
        """Put a job that failed or was cancelled into the queue again."""
        with self._changed:
            job = self.get(job_id)
            self._check(job, "tried again", "failed", "cancelled")
            self._check_unfinished(1)
            job.earlier = job.result
            job.state, job.error, job.result = "waiting", None, None
            job.started = job.ended = None
            job.attempts, job.run_seconds = 0, 0.0
            self._keep(job)
            self._changed.notify_all()
            return job

    def forget(self, job_id: str) -> None:
        """Take a job that is over out of the list; its output stays, unless it is of an upload."""
        with self._changed:
            job = self.get(job_id)
            self._check(job, "forgotten", "done", "failed", "cancelled")
            if self._runs.has_process(job):
                raise HTTPException(HTTPStatus.CONFLICT, "this job is still ending: try again")
            del self._jobs[job.id]
            self._store.remove(job.id)
        self._events.publish("gone", {"id": job.id})

    def delete(self, job_id: str, seconds: float) -> None:
        """End a job, if it is not over, and take it out of the list.

        Args:
            job_id: The job's id.
            seconds: How long its process may take to end.

        Raises:
            HTTPException: There is no such job, or its process has not ended yet.
        """
        with self._changed:
            job = self.get(job_id)
            if not job.is_over:
                self.cancel(job_id)
            self._changed.wait_for(
                lambda: self._is_over or not self._runs.has_process(job), seconds
            )
            self.forget(job_id)

    def _check(self, job: Job, verb: str, *states: str) -> None:
        if job.state not in states:
            raise HTTPException(
                HTTPStatus.CONFLICT, f"this job is {job.state}: it cannot be {verb}"
            )

    def _run(self) -> None:
        with self._changed:
            while not self._is_over:
                for job in list(self._jobs.values()):
                    self._safely(self._runs.look_after, job)
                self._start_waiting()
                self._changed.notify_all()  # some may wait for a process that has ended
                self._changed.wait(_POLL_SECONDS)

    def _safely(self, act: Callable[[Job], object], job: Job) -> None:
        """Do something for a job; what fails there stops neither the others nor the queue."""
        try:
            act(job)
        except (OSError, TrackerBlurError) as error:  # such as a full disk: it may pass
            self._warn_once(job, reason_of(error))
        except Exception as error:  # noqa: BLE001  # a bug; the other jobs continue
            job.state, job.error, job.ended = "failed", _BROKEN, time.time()
            self._publish(job)
            self._warn_once(job, f"{type(error).__name__}: {error}")

    def _absolve(self, job: Job) -> None:
        """Note that a job did not end this server: systems may end its process with the server."""
        job.attempts = 0
        self._keep(job)

    def _warn_once(self, job: Job, problem: str) -> None:
        if self._warned.get(job.id) != problem:
            self._warned[job.id] = problem
            self._warn(f"{job.new.file}: {problem}")

    def _start_waiting(self) -> None:
        most = self._settings.at_once
        for job in list(self._jobs.values()):
            if sum(each.state == "running" for each in self._jobs.values()) >= most:
                return
            if job.state == "waiting" and not self._runs.has_process(job):
                self._safely(self._runs.start, job)

    def _keep(self, job: Job) -> None:
        try:
            self._store.keep(job)
        finally:
            self._publish(job)

    def _publish(self, job: Job) -> None:
        self._events.publish("job", self.as_dict(job))


def _too_many(problem: str) -> HTTPException:
    return HTTPException(HTTPStatus.TOO_MANY_REQUESTS, problem, {"retry-after": _RETRY_SECONDS})
