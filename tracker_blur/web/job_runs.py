"""The processes of jobs: starts them, finds them again, and finds out how they ended."""

from __future__ import annotations

import time
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tracker_blur.errors import TrackerBlurError, reason_of
from tracker_blur.files.identity import sha256
from tracker_blur.files.temporaries import remove_leftovers
from tracker_blur.web.job_commands import leads_inside, startable, tracks_of
from tracker_blur.web.job_process import JobProcess
from tracker_blur.web.job_result import (
    NOTHING_FOUND,
    RESULT,
    WARNING_COUNT,
    WARNINGS,
    hashes_of,
    passed_over,
    result_of,
    with_earlier,
)
from tracker_blur.web.running_job import RunningJob

if TYPE_CHECKING:
    from collections.abc import Callable

    from tracker_blur.web.job import Job
    from tracker_blur.web.job_store import JobStore
    from tracker_blur.web.written_outputs import WrittenOutputs

_MAX_ATTEMPTS = 2
_EXIT_DONE, _EXIT_USAGE, _EXIT_EXPOSED = 0, 2, 3
_EVENTS = "events.jsonl"
_DETECTING = ("redact", "track", "verify")  # actions whose command takes a folder of weights
_OTHER_ADVICE = ", or raise the limit with --max-megapixels"  # no client can
_WARNED = WARNINGS, WARNING_COUNT, NOTHING_FOUND
_KILLED = "its process was ended from outside: there may be too little memory: try again"


class JobRuns:
    """The processes of jobs. Callers use one method at a time.

    Args:
        store: Keeps the jobs.
        outputs: Gets what they have written.
        keep: Called with a job that has changed, to keep it and to notify others.
        publish: Called with a job whose progress has changed.
        models_folder: A folder with weight files that they search first.
    """

    def __init__(
        self,
        store: JobStore,
        outputs: WrittenOutputs,
        keep: Callable[[Job], None],
        publish: Callable[[Job], None],
        models_folder: Path | None,
    ) -> None:
        self._store = store
        self._outputs = outputs
        self._keep = keep
        self._publish = publish
        self._models = () if models_folder is None else (f"--face={models_folder.absolute()}",)
        self._running: dict[str, RunningJob] = {}

    def has_process(self, job: Job) -> bool:
        """Return whether a job's process runs, is stopped, or is ending."""
        return job.id in self._running

    def progress(self, job: Job) -> dict[str, float | None]:
        """Return how far a job is: `progress`, `frames_per_second`, `seconds_left`."""
        running = self._running.get(job.id)
        known: dict[str, float | None] = {} if running is None else running.events.progress()
        if job.state != "running":
            known = {"progress": 1.0 if job.state == "done" else known.get("progress")}
        return {name: known.get(name) for name in ("progress", "frames_per_second", "seconds_left")}

    def pause(self, job: Job) -> None:
        """Stop a job's process, if it has one."""
        if self.has_process(job):
            self._running[job.id].process.pause()

    def resume(self, job: Job) -> bool:
        """Resume a job's process; return whether it has one."""
        if not self.has_process(job):
            return False
        self._running[job.id].process.resume()
        return True

    def end(self, job: Job) -> None:
        """Ask a job's process to end, if it has one, and kill it if it does not."""
        if self.has_process(job):
            self._running[job.id].end()

    def start(self, job: Job) -> None:
        """Start a job's process."""
        folder = self._store.folder_of(job.id)
        job.new = startable(job.new)
        if not leads_inside(job.new.arguments, self._store.root):
            self._end(job, "failed", "what it names leads out of this folder by now: add it again")
            return
        try:
            self._make_folders(job)
        except OSError as error:
            reason = f"the folder of its output cannot be made ({reason_of(error)}): try again"
            self._end(job, "failed", reason)
            return
        for name in (_EVENTS, RESULT):
            (folder / name).unlink(missing_ok=True)
        job.started, job.ended, job.attempts = time.time(), None, job.attempts + 1
        try:  # before it starts: whatever comes between, no server starts a second one
            self._store.keep(job, "running")
        except BaseException:
            job.started, job.attempts = None, job.attempts - 1
            raise
        process = JobProcess(folder)
        extra = ("--progress-file", str(folder / _EVENTS), "--json", str(folder / RESULT))
        models = self._models if job.new.action in _DETECTING else ()
        try:
            process.start((*job.new.arguments, *models, *extra))
        except OSError as error:
            reason = f"its process cannot be started ({reason_of(error)}): try again"
            self._end(job, "failed", reason)
            return
        self._running[job.id] = RunningJob(process, folder / _EVENTS, self._store.output_of(job))
        job.state, job.process = "running", process.number
        self._keep(job)

    def adopt(self, job: Job) -> None:
        """Find the process of a job that an earlier server started, and what it has written."""
        folder = self._store.folder_of(job.id)
        if self._outputs.is_new:
            self._outputs.add(self._hashes(job))
        process = JobProcess(folder, job.process)
        is_alive = process.is_alive()  # by its lock: its number may not have been kept
        if not is_alive and job.process is None and job.state != "running":
            return
        running = RunningJob(process, folder / _EVENTS, self._store.output_of(job))
        if is_alive:
            self._running[job.id] = running
            self._read(running)
            job.process = process.number
            if job.state == "cancelled":
                running.end()
            elif job.state == "waiting":  # the server ended in between
                job.state = "running"
        else:
            self._read(running)
            self._conclude(job, running, was_watched=False)

    def look_after(self, job: Job) -> None:
        """Read what a job's process says, and find out whether it has ended."""
        running = self._running.get(job.id)
        if running is None:
            return
        is_alive = running.process.is_alive()  # before reading: else the last lines might be lost
        has_news = self._read(running)
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

    def _read(self, running: RunningJob) -> bool:
        """Read what a process says, and keep what it has written; return whether it is new."""
        has_news = running.read()
        written = running.events.written
        self._outputs.add(written)
        written.clear()
        return has_news

    def _conclude(self, job: Job, running: RunningJob, *, was_watched: bool = True) -> None:
        """Find out how a job's process ended."""
        job.process = None
        code = running.events.code
        if running.is_ending or job.state == "cancelled":  # it may wait again by now
            self._remove_leftovers(job)
            if job.state == "cancelled":
                job.result = self._warned(job, running)
                self._remove_empty_folders(job)
            self._keep(job)
        elif code in (_EXIT_DONE, _EXIT_EXPOSED):
            job.result = self._with_tracks(job, self._said(job, running))
            self._end(job, "done")
        elif code is not None:
            job.result = self._warned(job, running)
            error = running.events.error or f"it ended with the exit code {code}"
            self._end(job, "failed", self._store.named(job, error.removesuffix(_OTHER_ADVICE)))
        elif running.process.exit_code == _EXIT_USAGE:  # before it had a progress file
            line = running.process.last_line().rpartition(": error: ")[2]
            error = line or f"it ended with the exit code {_EXIT_USAGE}"
            self._end(job, "failed", self._store.named(job, error))
        else:
            self._remove_leftovers(job)
            if job.state == "paused" and not was_watched:  # it begins again once it is resumed
                self._keep(job)
            elif was_watched or job.attempts >= _MAX_ATTEMPTS:
                job.result = self._warned(job, running)
                self._end(job, "failed", _KILLED)
            else:  # as after a power failure
                job.state, job.earlier = "waiting", self._warned(job, running)
                self._keep(job)

    def _end(self, job: Job, state: str, error: str | None = None) -> None:
        job.state = "done" if state == "done" else "failed"
        job.error, job.ended, job.process = error, time.time(), None
        if job.state == "failed":
            self._remove_empty_folders(job)
        self._keep(job)

    def _hashes(self, job: Job) -> dict[Path, str]:
        """Return the hash of each file that a job has written, by its result."""
        hashes = hashes_of(job.new.action, self._store.folder_of(job.id) / RESULT)
        tracks, digest = tracks_of(job.new.arguments), (job.result or {}).get("tracks_sha256")
        if tracks is not None and digest is not None:
            hashes[Path(tracks)] = digest
        return hashes

    def _said(self, job: Job, running: RunningJob) -> dict[str, Any] | None:
        """Return what a run said about its result, with all that it has warned of."""
        path = self._store.folder_of(job.id) / RESULT
        result = result_of(job.new.action, path)
        events = running.events
        if events.warnings:  # more than those about the result
            warned = {WARNINGS: events.warnings, WARNING_COUNT: events.warning_count}
            result = {**(result or {}), **warned}
        files = passed_over(path)
        named = files and [self._store.named(job, file) for file in files]
        return with_earlier(self._without_paths(job, result), job.earlier, named)

    def _warned(self, job: Job, running: RunningJob) -> dict[str, Any] | None:
        """Return what a run that did not end well has warned of.

        Of a folder, it may have written files, which are sent as any other result.
        """
        said = self._said(job, running) or {}
        return {name: said[name] for name in _WARNED if said.get(name)} or None

    def _without_paths(self, job: Job, result: dict[str, Any] | None) -> dict[str, Any] | None:
        """Return a result that names files as clients know them."""
        if result is None:
            return None
        named = {
            name: [self._store.named(job, str(each)) for each in result[name]]
            for name in (WARNINGS, NOTHING_FOUND)
            if isinstance(result.get(name), list)
        }
        return {**result, **named}

    def _with_tracks(self, job: Job, result: dict[str, Any] | None) -> dict[str, Any] | None:
        """Return a result with the hash of the track file that was written with it, if any.

        So it is known later whether a review is about that file.
        """
        tracks = tracks_of(job.new.arguments) if job.new.action == "redact" else None
        if tracks is None:
            return result
        try:
            digest = sha256(Path(tracks))
        except OSError:
            return result
        self._outputs.add({Path(tracks): digest})
        return {**(result or {}), "tracks_sha256": digest}

    def _make_folders(self, job: Job) -> None:
        """Make the folder of a job's output; a run makes none for a single file."""
        output = self._store.output_of(job)
        if output is not None:
            job.made_folders += sum(not folder.exists() for folder in output.parents)
            output.parent.mkdir(parents=True, exist_ok=True)

    def _remove_empty_folders(self, job: Job) -> None:
        """Remove the folders that were made for a job's output, where there is none."""
        output = self._store.output_of(job)
        if output is None or not leads_inside(job.new.arguments, self._store.root):
            return
        others = [running.output for running in self._running.values() if running.output]
        with suppress(OSError):  # the first that is not empty
            for folder in output.parents[: job.made_folders]:
                if any(folder in other.parents for other in others):  # about to be written there
                    break
                folder.rmdir()
                job.made_folders -= 1

    def _remove_leftovers(self, job: Job) -> None:
        """Remove what a process that was killed has left next to its output."""
        output = self._store.output_of(job)
        if output is not None:
            remove_leftovers(output.parent)
