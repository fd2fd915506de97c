"""Which files a job has made in the folder of the page."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING

from starlette.exceptions import HTTPException

from tracker_blur.files.paths import is_file, is_folder
from tracker_blur.web.job_result import RESULT, written_files

if TYPE_CHECKING:
    from pathlib import Path

    from tracker_blur.web.folder import Folder
    from tracker_blur.web.job import Job
    from tracker_blur.web.job_queue import JobQueue


def made_files(job: Job, jobs: JobQueue, folder: Folder) -> list[tuple[Path, str]]:
    """Return what a job for files of the folder has made and is still there.

    Of a folder of outputs, only what the job's run has written, or an earlier run for the same
    outputs: others may have put originals there since.

    Returns:
        Each file, with its path in the folder of the page.
    """
    if job.state != "done" or job.new.is_upload or job.new.output is None:
        return []
    output = folder.root / job.new.output
    if not is_folder(output):
        paths = [output]
    else:
        written = written_files(jobs.folder_of(job.id) / RESULT)
        paths = sorted({path for path in written if output in path.parents})
    found = {}
    for path in paths:
        name = path.relative_to(folder.root).as_posix()
        with suppress(HTTPException):  # it is gone, or leads elsewhere by now
            found[name] = folder.resolve(name)
    return [(path, name) for name, path in found.items() if is_file(path)]
