"""Keeps jobs on disk, each in a folder of its own."""

from __future__ import annotations

import os
import shutil
from contextlib import suppress
from typing import TYPE_CHECKING

from tracker_blur.web.job import Job, NewJob, new_id
from tracker_blur.web.state import make_private_folder, read_json, write_json

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tracker_blur.web.job import JobState
    from tracker_blur.web.state import State

_RECORD = "job.json"
_FILES = "files"
_GONE = ".gone"
"""Ends the name of a folder that is being deleted."""


class JobStore:
    """The records of jobs, and the files that belong to a job alone.

    Args:
        state: Where they are kept.
        root: The folder that the page shows.

    Attributes:
        root: The same.

    Raises:
        SinkError: Nothing can be kept there.
    """

    def __init__(self, state: State, root: Path) -> None:
        self.root = root
        self._state = state
        self._folder = state.folder / "jobs"
        make_private_folder(self._folder)

    def read(self, warn: Callable[[str], None]) -> dict[str, Job]:
        """Return all jobs by their ids, the oldest first.

        Folders of no job are deleted: a server that was killed may leave an upload there.

        Args:
            warn: Called with a line about each record that is damaged, for which there is no job
                then, and about each folder that cannot be deleted.
        """
        jobs = []
        for folder in self._state.folders("jobs"):
            record = folder / _RECORD
            if folder.name.endswith(_GONE) or not os.path.lexists(record):
                shutil.rmtree(folder, ignore_errors=True)
                if folder.exists():
                    warn(f"{folder}: is of a job that is gone, but stays: delete it")
                continue
            try:
                job = Job.from_record(read_json(record, {}))
                if job.id != folder.name:
                    raise ValueError(job.id)
            except ValueError:
                warn(f"{record}: is damaged, the job is left out: delete its folder")
            else:
                jobs.append(job)
        return {job.id: job for job in sorted(jobs, key=lambda job: job.created)}

    def create(self, make: Callable[[Path], NewJob]) -> Job:
        """Return a new job with a folder; it is not kept before `keep`.

        Args:
            make: Gets the folder, may write into it, and returns what is to be run. What it raises
                is raised again, and nothing is left.
        """
        job_id = new_id()
        folder = self.folder_of(job_id)
        make_private_folder(folder)
        try:
            return Job.of(make(folder), job_id)
        except BaseException:
            self.remove(job_id)
            raise

    def keep(self, job: Job, state: JobState | None = None) -> None:
        """Write a job's record; raises SinkError.

        Args:
            job: The job.
            state: The state that is written, if it is not that of the job yet.
        """
        record = job.record() if state is None else {**job.record(), "state": state}
        write_json(self.folder_of(job.id) / _RECORD, record)

    def remove(self, job_id: str) -> None:
        """Delete a job's record and its own files.

        What cannot be deleted now is when the next server starts, by the folder's name.
        """
        folder = self.folder_of(job_id)
        gone = folder.with_name(f"{job_id}{_GONE}")
        with suppress(OSError):
            folder = folder.rename(gone)
        shutil.rmtree(folder, ignore_errors=True)

    def folder_of(self, job_id: str) -> Path:
        """Return the folder of a job's record and of its own files."""
        return self._folder / job_id

    def named(self, job: Job, text: str) -> str:
        """Return what a job's run said, with files named as clients know them."""
        for folder in (own_files(self.folder_of(job.id)), self.root):
            text = text.replace(f"{folder}{os.sep}", "")
        return text

    def output_of(self, job: Job) -> Path | None:
        """Return where a job writes its output; None: it writes none."""
        name = job.new.output
        if name is None:
            return None
        return (own_files(self.folder_of(job.id)) if job.new.is_upload else self.root) / name


def own_files(folder: Path) -> Path:
    """Return the folder, in that of a job, for an uploaded input and what is made of it."""
    return folder / _FILES
