"""What the jobs of uploads take on the disk."""

from __future__ import annotations

import os
from contextlib import suppress
from typing import TYPE_CHECKING

from tracker_blur.web.job_store import own_files

if TYPE_CHECKING:
    from tracker_blur.web.job import Job
    from tracker_blur.web.job_queue import JobQueue


def uploads(jobs: JobQueue) -> list[Job]:
    """Return the jobs of uploads, the oldest first."""
    return [job for job in jobs.known() if job.new.is_upload]


def stored_bytes(jobs: JobQueue) -> int:
    """Return how many bytes uploads, and what was made of them, take."""
    return sum(size_of(jobs, job) for job in uploads(jobs))


def size_of(jobs: JobQueue, job: Job) -> int:
    """Return how many bytes the upload of a job, and what was made of it, take."""
    total = 0
    with (
        suppress(FileNotFoundError),  # it has just been deleted
        os.scandir(own_files(jobs.folder_of(job.id))) as entries,
    ):
        for entry in entries:
            with suppress(FileNotFoundError):  # it has just got its name
                total += entry.stat(follow_symlinks=False).st_size
    return total
