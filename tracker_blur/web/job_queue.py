"""The queue of jobs: kept on disk, so that it survives the server."""

from __future__ import annotations

import shutil
import threading
import time
from collections import Counter
from contextlib import suppress
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

from starlette.exceptions import HTTPException

from tracker_blur.errors import TrackerBlurError, reason_of
from tracker_blur.files.temporaries import remove_leftovers
from tracker_blur.web.job import Job, NewJob, new_id
from tracker_blur.web.job_commands import leads_inside, startable
from tracker_blur.web.job_process import JobProcess
from tracker_blur.web.job_result import result_of
from tracker_blur.web.running_job import RunningJob
from tracker_blur.web.state import make_private_folder, read_json, write_json

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tracker_blur.web.events import EventHub
    from tracker_blur.web.job import JobState
    from tracker_blur.web.state import State

_POLL_SECONDS = 0.25
_MAX_ATTEMPTS = 2
_EXIT_DONE, _EXIT_EXPOSED = 0, 3
_RECORD, _EVENTS, _RESULT = "job.json", "events.jsonl", "result.json"
_NO_PROGRESS: dict[str, float | None] = {
    "progress": None,
    "frames_per_second": None,
    "seconds_left": None,
}
_KILLED = "its process was ended from outside: there may be too little memory: try again"
_BROKEN = "this is a bug: please report it with what the terminal shows"


class JobQueue:
    """Runs jobs in the order in which they were added, some at once.

    Args:
        state: Where they are kept.
        root: The folder that the page shows.
        events: Learns of each change.
        at_once: How many run at the same time.
        warn: Called with a line when something of the queue itself fails, from its thread.

    Attributes:
        planning: Held while jobs are planned and added: a name for an output that is free for one
            is so for no other.
    """

    def __init__(
        self,
        state: State,
        root: Path,
        events: EventHub,
        at_once: int,
        warn: Callable[[str], None],
    ) -> None:
        self._folder = state.folder / "jobs"
        make_private_folder(self._folder)
        self._root = root
        self._events = events
        self._at_once = at_once
        self._warn = warn
        self._warned: dict[str, str] = {}
        self.planning = threading.RLock()
        self._changed = threading.Condition(threading.RLock())
        self._is_over = False
        self._running: dict[str, RunningJob] = {}
        self._jobs = self._read(state)
        self._thread = threading.Thread(target=self._run, name="trackblur jobs", daemon=True)
        for job in self._jobs.values():
            self._safely(self._adopt, job)

    def start(self) -> None:
        """Begin to run jobs."""
        self._thread.start()

    def close(self) -> None:
        """Stop looking after jobs; those that run go on."""
        with self._changed:
            self._is_over = True
            self._changed.notify_all()
        self._thread.join()

    def unfinished(self) -> Counter[JobState]:
        """Return how many jobs are not over, by their state."""
        with self._changed:
            return Counter(job.state for job in self._jobs.values() if not job.is_over)

    def add(self, new: NewJob) -> Job:
        """Add a job at the end of the queue."""
        return self.add_with_files(lambda _: new)

    def add_with_files(self, make: Callable[[Path], NewJob]) -> Job:
        """Add a job that needs files of its own at the end of the queue.

        Args:
            make: Gets the job's own folder, writes the files into it and returns the job; no other
                job is added meanwhile. What it raises is raised again, and nothing is left.
        """
        job_id = new_id()
        folder = self._folder / job_id
        make_private_folder(folder)
        try:
            with self.planning:
                job = Job.of(make(folder), job_id)
                with self._changed:
                    self._keep(job)
                    self._jobs[job.id] = job
                    self._changed.notify_all()
        except BaseException:
            shutil.rmtree(folder, ignore_errors=True)
            raise
        return job

    def folder_of(self, job_id: str) -> Path:
        """Return the folder of a job's own files."""
        return self._folder / job_id

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
            running = self._running.get(job.id)
            progress = _NO_PROGRESS if running is None else running.events.progress()
            if job.state == "done":
                progress = {**_NO_PROGRESS, "progress": 1.0}
            elif job.state != "running":
                progress = {**_NO_PROGRESS, "progress": progress["progress"]}
            return job.as_dict(progress)

    def promised(self) -> set[str]:
        """Return the outputs that jobs will write that are not over."""
        with self._changed:
            return {
                job.new.output
                for job in self._jobs.values()
                if not job.is_over and job.new.output is not None
            }

    def pause(self, job_id: str) -> Job:
        """Stop a job until it is resumed; one that waits is held back."""
        with self._changed:
            job = self.get(job_id)
            self._check(job, "paused", "waiting", "running")
            if job.id in self._running:
                self._running[job.id].process.pause()
            job.state = "paused"
            self._keep(job)
            self._changed.notify_all()
            return job

    def resume(self, job_id: str) -> Job:
        """Let a paused job go on."""
        with self._changed:
            job = self.get(job_id)
            self._check(job, "resumed", "paused")
            job.state = "waiting"
            if job.id in self._running:
                self._running[job.id].process.resume()
                job.state = "running"
            self._keep(job)
            self._changed.notify_all()
            return job

    def cancel(self, job_id: str) -> Job:
        """End a job; what is half-written is deleted."""
        with self._changed:
            job = self.get(job_id)
            self._check(job, "cancelled", "waiting", "running", "paused")
            if job.id in self._running:
                self._running[job.id].end()
            job.state, job.ended = "cancelled", time.time()
            self._keep(job)
            self._changed.notify_all()
            return job

    def retry(self, job_id: str) -> Job:
        """Put a job that failed or was cancelled into the queue again."""
        with self._changed:
            job = self.get(job_id)
            self._check(job, "tried again", "failed", "cancelled")
            job.state, job.error, job.result = "waiting", None, None
            job.started = job.ended = None
            job.attempts = 0
            self._keep(job)
            self._changed.notify_all()
            return job

    def forget(self, job_id: str) -> None:
        """Take a job that is over out of the list; its output stays."""
        with self._changed:
            job = self.get(job_id)
            self._check(job, "forgotten", "done", "failed", "cancelled")
            if job.id in self._running:
                raise HTTPException(HTTPStatus.CONFLICT, "this job is still ending: try again")
            del self._jobs[job.id]
            shutil.rmtree(self._folder_of(job), ignore_errors=True)
        self._events.publish("gone", {"id": job.id})

    def _check(self, job: Job, verb: str, *states: str) -> None:
        if job.state not in states:
            raise HTTPException(
                HTTPStatus.CONFLICT, f"this job is {job.state}: it cannot be {verb}"
            )

    def _run(self) -> None:
        with self._changed:
            while not self._is_over:
                for job in list(self._jobs.values()):
                    self._safely(self._look_after, job)
                self._start_waiting()
                self._changed.wait(_POLL_SECONDS)

    def _safely(self, act: Callable[[Job], object], job: Job) -> None:
        """Do something for a job; what fails there stops neither the others nor the queue."""
        try:
            act(job)
        except (OSError, TrackerBlurError) as error:  # such as a full disk: it may pass
            self._warn_once(job, reason_of(error))
        except Exception as error:  # noqa: BLE001  # a bug; the other jobs go on
            job.state, job.error, job.ended = "failed", _BROKEN, time.time()
            self._publish(job)
            self._warn_once(job, f"{type(error).__name__}: {error}")

    def _warn_once(self, job: Job, problem: str) -> None:
        if self._warned.get(job.id) != problem:
            self._warned[job.id] = problem
            self._warn(f"{job.new.file}: {problem}")

    def _start_waiting(self) -> None:
        for job in list(self._jobs.values()):
            if sum(each.state == "running" for each in self._jobs.values()) >= self._at_once:
                return
            if job.state == "waiting" and job.id not in self._running:
                self._safely(self._start, job)

    def _start(self, job: Job) -> None:
        """Start a job's process."""
        folder = self._folder_of(job)
        job.new = startable(job.new)
        if not leads_inside(job.new.arguments, self._root):
            self._end(job, "failed", "what it names leads out of this folder by now: add it again")
            return
        for name in (_EVENTS, _RESULT):
            (folder / name).unlink(missing_ok=True)
        job.started, job.ended, job.attempts = time.time(), None, job.attempts + 1
        try:  # before it starts: whatever comes between, no server starts a second one
            write_json(folder / _RECORD, {**job.record(), "state": "running"})
        except BaseException:
            job.started, job.attempts = None, job.attempts - 1
            raise
        process = JobProcess(folder)
        extra = ("--progress-file", str(folder / _EVENTS), "--json", str(folder / _RESULT))
        try:
            process.start((*job.new.arguments, *extra))
        except OSError as error:
            reason = f"its process cannot be started ({reason_of(error)}): try again"
            self._end(job, "failed", reason)
            return
        self._running[job.id] = RunningJob(process, folder / _EVENTS)
        job.state, job.process = "running", process.number
        self._keep(job)

    def _adopt(self, job: Job) -> None:
        """Find the process of a job that an earlier server started."""
        folder = self._folder_of(job)
        process = JobProcess(folder, job.process)
        is_alive = process.is_alive()  # by its lock: its number may not have been kept
        if not is_alive and job.process is None and job.state != "running":
            return
        running = RunningJob(process, folder / _EVENTS)
        if is_alive:
            self._running[job.id] = running
            running.read()
            job.process = process.number
            if job.state == "cancelled":
                running.end()
            elif job.state == "waiting":  # the server ended in between
                job.state = "running"
        else:
            running.read()
            self._conclude(job, running, was_watched=False)

    def _look_after(self, job: Job) -> None:
        running = self._running.get(job.id)
        if running is None:
            return
        is_alive = running.process.is_alive()  # before reading: else the last lines might be lost
        has_news = running.read()
        job.process = running.process.number
        if not is_alive:
            del self._running[job.id]
            try:
                self._conclude(job, running)
            except (OSError, TrackerBlurError):
                self._running[job.id] = running  # the next look concludes again
                raise
        elif has_news and job.state == "running":
            self._publish(job)
        running.insist()

    def _conclude(self, job: Job, running: RunningJob, *, was_watched: bool = True) -> None:
        """Find out how a job's process ended."""
        job.process = None
        code = running.events.code
        if running.is_ending or job.state == "cancelled":  # it may wait again by now
            self._remove_leftovers(job)
            self._keep(job)
        elif code in (_EXIT_DONE, _EXIT_EXPOSED):
            job.result = result_of(job.new.action, self._folder_of(job) / _RESULT)
            self._end(job, "done")
        elif code is not None:
            error = running.events.error or f"it ended with the exit code {code}"
            self._end(job, "failed", error)
        else:
            self._remove_leftovers(job)
            if was_watched or job.attempts >= _MAX_ATTEMPTS:
                self._end(job, "failed", _KILLED)
            else:  # as after a power failure
                job.state = "waiting"
                self._keep(job)

    def _end(self, job: Job, state: str, error: str | None = None) -> None:
        job.state = "done" if state == "done" else "failed"
        job.error, job.ended, job.process = error, time.time(), None
        self._keep(job)

    def _remove_leftovers(self, job: Job) -> None:
        """Remove what a process that was killed has left next to its output."""
        if job.new.output is not None:
            remove_leftovers((self._root / job.new.output).parent)

    def _keep(self, job: Job) -> None:
        try:
            write_json(self._folder_of(job) / _RECORD, job.record())
        finally:
            self._publish(job)

    def _publish(self, job: Job) -> None:
        self._events.publish("job", self.as_dict(job))

    def _folder_of(self, job: Job) -> Path:
        return self._folder / job.id

    def _read(self, state: State) -> dict[str, Job]:
        jobs = []
        for folder in state.folders("jobs"):
            with suppress(ValueError):  # one that was not kept whole
                job = Job.from_record(read_json(folder / _RECORD, {}))
                if job.id == folder.name:
                    jobs.append(job)
        return {job.id: job for job in sorted(jobs, key=lambda job: job.created)}
