"""Atomic writing: a file appears complete under its name, or not at all."""

from __future__ import annotations

import errno
import os
import stat
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING

from tracker_blur.errors import SinkError, TrackerBlurError, reason_of
from tracker_blur.files.paths import NOT_A_FILE, is_stream
from tracker_blur.files.temporaries import TemporaryFile

if TYPE_CHECKING:
    from collections.abc import Iterator

NO_SPACE = {errno.ENOSPC, errno.EFBIG, getattr(errno, "EDQUOT", errno.ENOSPC)}
"""The numbers of the errors that more free space would prevent."""

_PRIVATE_MODE = 0o600
_MISSING = {errno.ENOENT, errno.ENOTDIR, errno.ELOOP}


@contextmanager
def replacing(path: Path, overwrite: bool, *, is_private: bool = False) -> Iterator[Path]:
    """Yield a temporary, empty file to fill; it replaces `path` when the block succeeds.

    The temporary file lies in the same folder, hidden, with the same suffix. When the block raises
    anything at all, KeyboardInterrupt included, it is deleted and `path` is as it was. A symbolic
    link is written through, not replaced. A file that is replaced hands on its permissions, and its
    owner as far as the system allows. The file is on the disk before it gets its name.

    Args:
        path: the file to write.
        overwrite: replace an existing file.
        is_private: let only the owner read the file, as it shows what others should not see.

    Raises:
        SinkError: `path` exists and may not be replaced, or is not a file; its folder is missing
            or cannot be written to; its name is too long; or the disk is full or fails.
    """
    target = Path(os.path.realpath(path))
    old = _refuse_existing(path, target, overwrite)
    try:
        # Until the file has the old one's permissions, only its owner may read it.
        with _temporary(path, target, is_private=is_private or old is not None) as temporary:
            yield temporary
            old = _refuse_existing(path, target, overwrite)  # it may have appeared meanwhile
            with _named(path):
                _sync(temporary)
                if is_private:
                    temporary.chmod(_PRIVATE_MODE)
                elif old is not None:
                    _hand_on(old, temporary)
                temporary.replace(target)
                _sync_folder(target.parent)
    except TrackerBlurError:
        raise
    except OSError as error:
        if error.errno in NO_SPACE:
            raise SinkError(
                f"{path}: cannot be written ({reason_of(error)}): free some space or choose "
                "another folder"
            ) from error
        raise


def check_place(path: Path, overwrite: bool) -> None:
    """Check that a file can be written here later; leaves nothing.

    Raises:
        SinkError: as `replacing` does.
    """
    target = Path(os.path.realpath(path))
    _refuse_existing(path, target, overwrite)
    with _temporary(path, target, is_private=True):
        pass


def check_folder(path: Path) -> None:
    """Check that the folder is there in which a file or a folder is to be written.

    Only OUT itself is created where it is a folder, and what mirrors the input in it. A folder
    above it that is missing is mostly a typing error.

    Raises:
        SinkError: it is missing, is no folder or cannot be looked into.
    """
    folder = Path(os.path.realpath(path)).parent
    try:
        mode = folder.stat().st_mode
    except FileNotFoundError as error:
        raise SinkError(f"{path}: the folder {folder} does not exist: create it") from error
    except OSError as error:
        raise SinkError(
            f"{path}: the folder {folder} cannot be used ({reason_of(error)}): choose another"
        ) from error
    if not stat.S_ISDIR(mode):
        raise SinkError(f"{path}: {folder} is a file, not a folder: choose another")


def _refuse_existing(path: Path, target: Path, overwrite: bool) -> os.stat_result | None:
    """Return the state of the file that will be replaced, if there is one."""
    if is_stream(str(path)):
        raise SinkError(f"{path}: {NOT_A_FILE}")
    try:
        state = target.stat()
    except OSError as error:
        if error.errno in _MISSING:
            return None
        raise SinkError(
            f"{path}: cannot be written ({reason_of(error)}): choose another name"
        ) from error
    if not stat.S_ISREG(state.st_mode):
        raise SinkError(f"{path}: is not a file: choose another name for the output")
    if not overwrite:
        raise SinkError(f"{path}: already exists: choose another name or use", remedy="overwrite")
    return state


@contextmanager
def _temporary(path: Path, target: Path, *, is_private: bool) -> Iterator[Path]:
    temporary = TemporaryFile(target, is_private=is_private)
    try:
        try:
            temporary.create()
        except OSError as error:
            raise _not_created(error, path, target.parent) from error
        yield temporary.path
    finally:
        temporary.remove()


def _not_created(error: OSError, path: Path, folder: Path) -> SinkError:
    reason = reason_of(error)
    if isinstance(error, FileNotFoundError | NotADirectoryError):
        check_folder(path)
        reason = "no files can be created there"  # as in /proc
    return SinkError(f"{path}: cannot write into the folder {folder} ({reason}): choose another")


@contextmanager
def _named(path: Path) -> Iterator[None]:
    """Name the file in what the system refuses, except a full disk, which has its own remedy."""
    try:
        yield
    except OSError as error:
        if error.errno in NO_SPACE:
            raise
        raise SinkError(
            f"{path}: cannot be written ({reason_of(error)}): choose another folder"
        ) from error


def _hand_on(old: os.stat_result, file: Path) -> None:
    """Give a file the owner, group and permissions of the one that it replaces."""
    mode = stat.S_IMODE(old.st_mode) & 0o777
    if hasattr(os, "chown"):
        with suppress(PermissionError):  # only root gives files away
            os.chown(file, old.st_uid, -1)
        try:
            os.chown(file, -1, old.st_gid)
        except PermissionError:  # what the old group might do is no business of the new one
            mode = mode & ~0o070 | (mode & 0o007) << 3
    file.chmod(mode)


def _sync(file: Path) -> None:
    with file.open("r+b") as opened:
        os.fsync(opened.fileno())


def _sync_folder(folder: Path) -> None:
    """Put a file's new name on the disk, where the system allows it; the file itself is there."""
    with suppress(OSError):  # folders cannot be opened on Windows, nor where they are unreadable
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
