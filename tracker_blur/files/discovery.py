"""Finding input files: which files a name, a folder or a pattern means.

Parts of a pattern are names, patterns as in `fnmatch`, or `**` for any depth. Files in folders and
those that match patterns are skipped if they are hidden, have no known suffix, lie in the output
folder, or are the NAME_redacted.EXT of a file next to them. Where outputs are looked for, these are
taken, and the files that they were made of are skipped. Links to folders are entered where a
part of the pattern names or matches them, but never by `**`, nor by a pattern after it: they may
lead out of the folder, or in circles.
"""

from __future__ import annotations

import errno
import fnmatch
import glob
import os
import stat
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from tracker_blur.errors import SettingsError, SourceError, reason_of
from tracker_blur.files.paths import (
    NOT_A_FILE,
    check_is_file,
    default_output,
    default_output_folder,
    exists,
    is_comparison,
    is_media,
    is_output,
    is_same_file,
    is_stream,
    mirrored_output,
    real_path,
    why_not_read,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

_ANY_DEPTH = "**"


@dataclass(frozen=True, slots=True)
class InputFile:
    """A file to read.

    Attributes:
        source: the file.
        default_output: its output when no OUT is given.
        relative_output: its output within a folder OUT.
    """

    source: Path
    default_output: Path
    relative_output: Path


@dataclass(frozen=True, slots=True)
class UnreadableFolder:
    """A folder that could not be read, and why."""

    folder: Path
    reason: str

    def __str__(self) -> str:
        return f"{self.folder}: cannot be read ({self.reason}): change its permissions"


@dataclass(frozen=True, slots=True)
class UnsupportedFile:
    """A file that is not read although it may show people, and why."""

    source: Path | str
    reason: str

    def __str__(self) -> str:
        return f"{self.source}: skipped, it is {self.reason}"


def find_inputs(name: str, output: Path | None, finder: Finder) -> Iterator[InputFile]:
    """Yield the files that a name, a folder or a pattern means.

    Args:
        name: as the user gave it.
        output: where the outputs go, if given; files in that folder are skipped.
        finder: remembers the unreadable folders.

    Raises:
        SourceError: there is no such file.
        SettingsError: the output is the input folder.
    """
    path = Path(name)
    try:
        mode = path.stat().st_mode
    except OSError as error:
        if glob.has_magic(name):
            yield from _in_pattern(name, output, finder)
            return
        if is_stream(name):
            raise SourceError(f"{name}: {NOT_A_FILE}") from error
        if isinstance(error, FileNotFoundError | NotADirectoryError):
            raise SourceError(f"{path}: no such file or folder: check the name") from error
        is_too_long = error.errno == errno.ENAMETOOLONG
        remedy = "check the name" if is_too_long else "check the permissions of its folders"
        raise SourceError(f"{path}: cannot be read ({reason_of(error)}): {remedy}") from error
    if stat.S_ISDIR(mode):
        yield from _in_folder(path, output, finder)
    else:
        check_is_file(path)
        yield _input(path, path.parent)


def _input(path: Path, root: Path) -> InputFile:
    return InputFile(path, default_output(path), mirrored_output(path.relative_to(root)))


def _in_folder(folder: Path, output: Path | None, finder: Finder) -> Iterator[InputFile]:
    _check_apart(folder, output)
    default_folder = default_output_folder(folder)
    paths = finder.find(folder, _ANY_DEPTH)
    for path in _media(paths, folder, output, finder, "contains no videos or images"):
        relative = mirrored_output(path.relative_to(folder))
        yield InputFile(path, default_folder / relative, relative)


def _in_pattern(pattern: str, output: Path | None, finder: Finder) -> Iterator[InputFile]:
    """Yield the media files that a pattern matches; folders that match are not entered."""
    root = Path(pattern)
    while glob.has_magic(str(root)):
        root = root.parent
    try:
        root.stat()
    except FileNotFoundError as error:
        raise SourceError(f"{root}: no such folder: check the pattern") from error
    except OSError:
        pass  # reading it will fail with the reason
    _check_apart(root, output)
    paths = finder.find(root, *Path(pattern).relative_to(root).parts)
    for path in _media(paths, root, output, finder, "matches no videos or images", pattern):
        yield _input(path, root)


def _media(
    paths: Iterable[Path],
    root: Path,
    output: Path | None,
    finder: Finder,
    problem: str,
    name: str | None = None,
) -> Iterator[Path]:
    """Yield those files that are redacted, and remember what cameras write besides.

    Args:
        paths: the files that were found.
        root: where.
        output: where the outputs go, if given.
        finder: remembers the files that are not read.
        problem: what to say if none is redacted.
        name: what the user gave; None: the root.
    """
    known = len(finder.unsupported)
    is_empty = True
    for path in paths:
        reason = why_not_read(path)
        if (reason or is_media(path)) and _is_taken(path, root, output, finder):
            if reason:
                finder.unsupported.append(UnsupportedFile(path, reason))
            else:
                is_empty = False
                yield path
    if is_empty:
        skipped = "; ".join(map(str, finder.unsupported[known:]))
        remedy = skipped or f"check the {'name' if name is None else 'pattern'}"
        raise SourceError(f"{name or root}: {problem}: {remedy}")


def _check_apart(root: Path, output: Path | None) -> None:
    if output is not None and is_same_file(output, root):
        raise SettingsError(f"{output}: is the input folder: choose another for the output")


def _is_taken(file: Path, root: Path, output: Path | None, finder: Finder) -> bool:
    """Return whether a file found under `root` is not hidden, and an input (or an output)."""
    if any(part.startswith(".") for part in file.relative_to(root).parts):
        return False
    try:
        if not file.is_file():
            return False
    except PermissionError:  # a link into a closed folder: reading it reports that
        return True
    if output is not None and _is_below(output, root) and _is_below(file, output):
        return False
    if finder.takes_outputs:
        return not (is_comparison(file) or exists(default_output(file)))
    return not is_output(file)


def _is_below(path: Path, folder: Path) -> bool:
    return real_path(folder) in real_path(path).parents


class Finder:
    """Finds files, and remembers the folders that it could not read.

    Args:
        takes_outputs: find outputs, not inputs: of a file and its NAME_redacted.EXT, the latter.

    Attributes:
        unreadable: these folders, in the order in which they were met.
        unsupported: camera's files that are not read.
    """

    def __init__(self, *, takes_outputs: bool = False) -> None:
        self.takes_outputs = takes_outputs
        self.unsupported: list[UnsupportedFile] = []
        self.unreadable: list[UnreadableFolder] = []

    def find(self, root: Path, *parts: str) -> list[Path]:
        """Return the files and folders below `root` that match, sorted, with hidden ones.

        Raises:
            SourceError: nothing matches, and a folder could not be read.
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
        if part == _ANY_DEPTH:
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
        """Return a folder and all folders below it, without hidden ones."""
        found = set()
        for name, below, _ in os.walk(folder, onerror=self._note):
            below[:] = [other for other in below if not other.startswith(".")]
            # os.walk does not notice a folder that can be listed but not entered.
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
        unreadable = UnreadableFolder(Path(error.filename), reason_of(error))
        if unreadable not in self.unreadable:
            self.unreadable.append(unreadable)
