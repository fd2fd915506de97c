"""Which files jobs have made in the folder of the page, and are still there.

Before one is sent, it is checked to be unchanged. A folder's other videos and images come along,
to be named as left out: a run may have passed them over, and no archive is to be taken for whole.
"""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from starlette.exceptions import HTTPException

from tracker_blur.files.paths import is_file, is_folder, is_media

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from tracker_blur.web.folder import Folder
    from tracker_blur.web.job import Job
    from tracker_blur.web.written_outputs import WrittenOutputs


def made_files(job: Job, outputs: WrittenOutputs, folder: Folder) -> list[tuple[Path, str]]:
    """Return what a job for files of the folder has made; of a folder, what `results_in` returns.

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
    """Return all videos and images in a folder and below it, if jobs have made any of them.

    Returns:
        Those that jobs have made, then the others, each with its path in the folder of the page.
    """
    made = _present(filter(is_media, outputs.below(path)), folder)
    names = {name for _, name in made}
    return made and [*made, *(file for file in _media(path, folder) if file[1] not in names)]


def _media(path: Path, folder: Folder) -> Iterator[tuple[Path, str]]:
    """Yield the videos and images in a folder and below it, but for hidden ones, as above."""
    for parent, folders, names in os.walk(path):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        for file in (Path(parent, name) for name in sorted(names) if not name.startswith(".")):
            if is_media(file):
                yield file, file.relative_to(folder.root).as_posix()


def _present(paths: Iterable[Path], folder: Folder) -> list[tuple[Path, str]]:
    found = {}
    for path in paths:
        name = path.relative_to(folder.root).as_posix()
        with suppress(HTTPException):  # it is gone, or leads elsewhere by now
            found[name] = folder.resolve(name)
    return [(path, name) for name, path in found.items() if is_file(path)]
