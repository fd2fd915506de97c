"""Which files jobs have made in the folder of the page, and are still there.

Whoever sends one checks first that it is unchanged.
"""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING

from starlette.exceptions import HTTPException

from tracker_blur.files.paths import is_file, is_folder, is_media

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from tracker_blur.web.folder import Folder
    from tracker_blur.web.job import Job
    from tracker_blur.web.written_outputs import WrittenOutputs


def made_files(job: Job, outputs: WrittenOutputs, folder: Folder) -> list[tuple[Path, str]]:
    """Return what a job for files of the folder has made; of a folder, what any job has made in it.

    Returns:
        Each file, with its path in the folder of the page.
    """
    if job.state != "done" or job.new.is_upload or job.new.output is None:
        return []
    output = folder.root / job.new.output
    if is_folder(output):
        return results_in(output, outputs, folder)
    return _present([output] if outputs.has(output) else [], folder)


def results_in(path: Path, outputs: WrittenOutputs, folder: Folder) -> list[tuple[Path, str]]:
    """Return the videos and images that jobs have made in a folder and below it, as above."""
    return _present(filter(is_media, outputs.below(path)), folder)


def _present(paths: Iterable[Path], folder: Folder) -> list[tuple[Path, str]]:
    found = {}
    for path in paths:
        name = path.relative_to(folder.root).as_posix()
        with suppress(HTTPException):  # it is gone, or leads elsewhere by now
            found[name] = folder.resolve(name)
    return [(path, name) for name, path in found.items() if is_file(path)]
