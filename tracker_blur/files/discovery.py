"""Which files lie below a folder, or match a pattern there.

A part is a name, a pattern as of `fnmatch`, or `**` for any depth. Links to folders are entered
where a part names or matches them, but never by `**`, nor by a pattern after it: they may lead out
of the folder, or in circles.
"""

from __future__ import annotations

import errno
import fnmatch
import glob
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from tracker_blur.errors import SourceError

ANY_DEPTH = "**"


@dataclass(frozen=True, slots=True)
class Unreadable:
    """A folder that could not be looked into, and why."""

    folder: Path
    reason: str

    def __str__(self) -> str:
        return f"{self.folder}: cannot be looked into ({self.reason}): change its permissions"


class Finder:
    """Finds files, and remembers what it could not look into.

    unreadable  these folders, as they were met
    """

    def __init__(self) -> None:
        self.unreadable: list[Unreadable] = []

    def find(self, root: Path, *parts: str) -> list[Path]:
        """Return the files and folders that match below `root`, sorted, hidden ones among them.

        Raises SourceError when nothing matches and a folder could not be looked into.
        """
        known = len(self.unreadable)
        found = sorted(set(self._matching(root, parts)), key=str)
        if not found and len(self.unreadable) > known:
            raise SourceError(str(self.unreadable[known]))
        return found

    def _matching(
        self, folder: Path, parts: tuple[str, ...], enters_links: bool = True
    ) -> Iterator[Path]:
        if not parts:
            yield folder
            return
        part, rest = parts[0], parts[1:]
        if part == ANY_DEPTH:
            folders = self._folders(folder)
            if rest:
                for each in folders:
                    yield from self._matching(each, rest, enters_links=False)
            else:
                from imutils.paths import list_files  # type: ignore[import-untyped]  # loads OpenCV

                files = map(Path, list_files(str(folder)))
                yield from (file for file in files if file.parent in folders)
        elif not glob.has_magic(part):
            if os.path.lexists(folder / part):
                yield from self._matching(folder / part, rest, enters_links)
        else:
            for child in self._children(folder, part):
                if not rest or (child.is_dir() and (enters_links or not child.is_symlink())):
                    yield from self._matching(child, rest, enters_links)

    def _folders(self, folder: Path) -> set[Path]:
        """Return a folder and all below it, without hidden ones."""
        found = set()
        for name, below, _ in os.walk(folder, onerror=self._note):
            below[:] = [other for other in below if not other.startswith(".")]
            # Where names may be read, but not entered, os.walk knows of no error.
            if not os.access(name, os.X_OK):
                self._note(PermissionError(errno.EACCES, os.strerror(errno.EACCES), name))
                below.clear()
            else:
                found.add(Path(name))
        return found

    def _children(self, folder: Path, pattern: str) -> list[Path]:
        try:
            children = list(folder.iterdir())
        except NotADirectoryError:
            return []
        except OSError as error:
            self._note(error)
            return []
        return [child for child in children if fnmatch.fnmatch(child.name, pattern)]

    def _note(self, error: OSError) -> None:
        reason = (error.strerror or str(error)).lower()
        unreadable = Unreadable(Path(error.filename), reason)
        if unreadable not in self.unreadable:
            self.unreadable.append(unreadable)
