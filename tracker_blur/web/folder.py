"""The folder that the page may see: nothing outside of it is listed, read or written."""

from __future__ import annotations

import os
from http import HTTPStatus
from itertools import count
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING

from starlette.exceptions import HTTPException

from tracker_blur.errors import reason_of
from tracker_blur.files.companions import has_tracks, tracks_path
from tracker_blur.files.paths import (
    default_output,
    is_folder,
    is_image,
    is_media,
    numbered_output,
    original_folder_of,
    original_of,
    real_path,
)
from tracker_blur.review.journal import journal_path
from tracker_blur.web.json_answers import timestamp

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator
    from typing import Any


class Folder:
    """A folder and all below it, without hidden files and without links that lead out of it.

    Paths in requests and answers are relative to it, with slashes.

    Args:
        root: The folder.
    """

    def __init__(self, root: Path) -> None:
        self.root = real_path(root)

    def resolve(self, relative: str) -> Path:
        """Return where a relative path leads, through links.

        Raises:
            HTTPException: It leads out of the folder, is hidden, or there is nothing (404).
        """
        path = self._inside(relative)
        if path is None or not os.path.lexists(path):
            raise HTTPException(HTTPStatus.NOT_FOUND, f"{relative}: there is no such file here")
        return path

    def resolve_new(self, relative: str) -> Path:
        """Return where a relative path leads that need not exist yet; raises as `resolve`."""
        path = self._inside(relative)
        if path is None:
            raise HTTPException(
                HTTPStatus.NOT_FOUND, f"{relative}: is not in this folder: choose another name"
            )
        return path

    def relative(self, path: Path) -> str:
        """Return a path as the page names it; one outside by its name alone."""
        real = real_path(path)
        if real == self.root:
            return ""
        return real.relative_to(self.root).as_posix() if self.root in real.parents else path.name

    def named(self, text: str) -> str:
        """Return a sentence with the paths of files in the folder as the page names them."""
        return text.replace(f"{self.root}{os.sep}", "")

    def holds(self, path: Path) -> bool:
        """Return whether a path leads to something in the folder."""
        real = real_path(path)
        return real == self.root or self.root in real.parents

    def link_out(self, path: Path) -> Path | None:
        """Return a link to a file, in a folder or below it, that leads out of this one."""
        return link_out(path, self.root)

    def free_output(self, source: Path, taken: Collection[Path] = ()) -> Path:
        """Return the first name for a file's output that is free: NAME_redacted, NAME_redacted_2.

        Args:
            source: The input.
            taken: Names that others will write.
        """
        for number in count(1):
            path = default_output(source) if number == 1 else numbered_output(source, number)
            if path not in taken and not os.path.lexists(path):
                return path
        raise AssertionError

    def entries(self, relative: str) -> list[dict[str, Any]]:
        """Return what the page shows of a folder: folders first, then videos and images.

        Raises:
            HTTPException: There is no such folder (404), or it cannot be read (403).
        """
        folder = self.resolve(relative)
        if not is_folder(folder):
            raise HTTPException(HTTPStatus.NOT_FOUND, f"{relative}: is not a folder")
        try:
            found = [entry for path in folder.iterdir() for entry in self._entry(path)]
        except OSError as error:
            raise HTTPException(
                HTTPStatus.FORBIDDEN, f"{relative}: cannot be read ({reason_of(error)})"
            ) from error
        return sorted(found, key=lambda entry: (entry["kind"] != "folder", entry["name"].lower()))

    def _inside(self, relative: str) -> Path | None:
        parts = PurePosixPath(relative).parts
        if "\0" in relative or any(part.startswith((".", "/")) for part in parts):
            return None
        path = real_path(self.root.joinpath(*parts))
        return path if path == self.root or self.root in path.parents else None

    def _entry(self, path: Path) -> Iterator[dict[str, Any]]:
        """Yield the entry of a path, if it is to be shown."""
        if path.name.startswith(".") or not self.holds(path):
            return
        is_a_folder = is_folder(path)
        if not is_a_folder and not (is_media(path) and path.is_file()):
            return
        state = path.stat()
        original = original_folder_of(path) if is_a_folder else original_of(path)
        yield {
            "name": path.name,
            "path": path.relative_to(self.root).as_posix(),
            "kind": "folder" if is_a_folder else "image" if is_image(path) else "video",
            "bytes": 0 if is_a_folder else state.st_size,
            "modified": timestamp(state.st_mtime),
            "has_tracks": not is_a_folder and has_tracks(path),
            "has_journal": not is_a_folder and journal_path(tracks_path(path)).is_file(),
            "redacted_of": None if original is None else self.relative(original),
        }


def link_out(folder: Path, root: Path) -> Path | None:
    """Return a link to a file, in a folder or below it, that leads out of another one.

    Links to folders do not matter: they are not followed where a whole folder is redacted.
    """
    for parent, _, names in os.walk(folder):
        for path in (Path(parent, name) for name in names):
            if path.is_symlink() and root not in real_path(path).parents:
                return path
    return None
