"""Which files lie below a folder, or match a pattern there.

A part is a name, a pattern as of `fnmatch`, or `**` for any depth. Links to folders are entered
where a part names or matches them, but never by `**`, nor by a pattern after it: they may lead out
of the folder, or in circles.

Which files the words of a command mean: a file, a folder, or a pattern.

In folders and patterns, files are left out that are hidden, that have no known suffix, that lie in
the output folder, or that are the NAME_redacted.EXT of a file beside them. Links to folders are not
followed in folders and by `**`.
"""

from __future__ import annotations

import errno
import fnmatch
import glob
import os
import stat
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from tracker_blur.errors import SettingsError, SourceError, reason_of
from tracker_blur.files.paths import (
    NO_FILE,
    check_is_file,
    is_media,
    is_output,
    is_stream,
    mirrored,
    redacted,
    redacted_folder,
)

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
        reason = reason_of(error)
        unreadable = Unreadable(Path(error.filename), reason)
        if unreadable not in self.unreadable:
            self.unreadable.append(unreadable)


@dataclass(frozen=True, slots=True)
class Input:
    """A file to read.

    beside  where its output goes when no OUT is given
    place   of its output in a folder OUT
    """

    source: Path
    beside: Path
    place: Path


def files_of(word: str, output: Path | None, finder: Finder) -> Iterator[Input]:
    """Yield the files that one word stands for.

    output  where the outputs go, if anything was said; no input lies in there
    finder  remembers the folders that could not be looked into

    Raises SourceError when there is none, SettingsError when the output is the input's folder.
    """
    path = Path(word)
    try:
        mode = path.stat().st_mode
    except OSError as error:
        if glob.has_magic(word):
            yield from _matching(word, output, finder)
            return
        if is_stream(word):
            raise SourceError(f"{word}: {NO_FILE}") from error
        if isinstance(error, FileNotFoundError | NotADirectoryError):
            raise SourceError(f"{path}: no such file or folder: check the name") from error
        reason = reason_of(error)
        raise SourceError(f"{path}: cannot be looked at ({reason}): check its folders") from error
    if stat.S_ISDIR(mode):
        yield from _in_folder(path, output, finder)
    else:
        check_is_file(path)
        yield _file(path, path.parent)


def _file(path: Path, root: Path) -> Input:
    return Input(path, redacted(path), mirrored(path.relative_to(root)))


def _in_folder(folder: Path, output: Path | None, finder: Finder) -> Iterator[Input]:
    """Yield the media files under a folder."""
    _check_apart(folder, output)
    default = redacted_folder(folder)
    is_empty = True
    for file in finder.find(folder, ANY_DEPTH):
        if is_media(file) and _is_input(file, folder, output):
            is_empty = False
            place = mirrored(file.relative_to(folder))
            yield Input(file, default / place, place)
    if is_empty:
        raise SourceError(f"{folder}: holds no videos or pictures: check the name")


def _matching(pattern: str, output: Path | None, finder: Finder) -> Iterator[Input]:
    """Yield the media files that a pattern matches; folders that match are not entered."""
    root = Path(pattern)
    while glob.has_magic(str(root)):
        root = root.parent
    _check_apart(root, output)
    is_empty = True
    for path in finder.find(root, *Path(pattern).relative_to(root).parts):
        if is_media(path) and _is_input(path, root, output):
            is_empty = False
            yield _file(path, root)
    if is_empty:
        raise SourceError(f"{pattern}: matches no videos or pictures: check the pattern")


def _is_input(file: Path, root: Path, output: Path | None) -> bool:
    """Return whether a file found under `root` is neither hidden nor an output of ours."""
    if any(part.startswith(".") for part in file.relative_to(root).parts):
        return False
    try:
        if not file.is_file():
            return False
    except PermissionError:  # a link to a place that is closed: told when it is read
        return True
    if output is not None and _is_below(output, root) and _is_below(file, output):
        return False
    return not is_output(file)


def _is_below(path: Path, folder: Path) -> bool:
    return folder.resolve() in path.resolve().parents


def _check_apart(root: Path, output: Path | None) -> None:
    if output is not None and output.resolve() == root.resolve():
        raise SettingsError(f"{output}: is the input folder: choose another for the output")
