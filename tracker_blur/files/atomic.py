"""Atomic writing: a file appears complete under its name, or not at all. And SHA-256 of files."""

from __future__ import annotations

import errno
import hashlib
import os
import secrets
import stat
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from tracker_blur.errors import SinkError, TrackerBlurError, reason_of

if TYPE_CHECKING:
    from collections.abc import Iterator

NO_SPACE = {errno.ENOSPC, errno.EFBIG, getattr(errno, "EDQUOT", errno.ENOSPC)}
"""The numbers of the errors that more free space would prevent."""

_MISSING = {errno.ENOENT, errno.ENOTDIR, errno.ELOOP}


@contextmanager
def replacing(path: Path, overwrite: bool) -> Iterator[Path]:
    """Yield a temporary, empty file to fill; it replaces `path` when the block succeeds.

    The temporary file lies in the same folder, hidden, with the same suffix. When the block raises
    anything at all, KeyboardInterrupt included, it is deleted and `path` is as it was. A symbolic
    link is written through, not replaced.

    Args:
        path: the file to write.
        overwrite: replace an existing file.

    Raises:
        SinkError: `path` exists and may not be replaced, or is not a file; its folder is missing
            or cannot be written to; its name is too long; or the disk is full.
    """
    target = Path(os.path.realpath(path))
    _refuse_existing(path, target, overwrite)
    temporary = _create_temporary(path, target)
    try:
        yield temporary
        _refuse_existing(path, target, overwrite)  # it may have appeared meanwhile
        temporary.replace(target)
    except TrackerBlurError:
        raise
    except OSError as error:
        if error.errno in NO_SPACE:
            raise SinkError(
                f"{path}: cannot be written ({reason_of(error)}): free some space or choose "
                "another folder"
            ) from error
        raise
    finally:
        temporary.unlink(missing_ok=True)


def check_place(path: Path, overwrite: bool) -> None:
    """Check that a file can be written here later; leaves nothing.

    Raises:
        SinkError: as `replacing` does.
    """
    target = Path(os.path.realpath(path))
    _refuse_existing(path, target, overwrite)
    _create_temporary(path, target).unlink()


def _refuse_existing(path: Path, target: Path, overwrite: bool) -> None:
    try:
        mode = target.stat().st_mode
    except OSError as error:
        if error.errno in _MISSING:
            return
        raise SinkError(
            f"{path}: cannot be written ({reason_of(error)}): choose another name"
        ) from error
    if not stat.S_ISREG(mode):
        raise SinkError(f"{path}: is not a file: choose another name for the output")
    if not overwrite:
        raise SinkError(f"{path}: already exists: choose another name or use", remedy="overwrite")


def _create_temporary(path: Path, target: Path) -> Path:
    # The name is independent of the target's, which may be as long as the file system allows.
    temporary = target.with_name(f".trackblur-{secrets.token_hex(6)}{target.suffix}")
    try:
        # Files of the tempfile module get fewer permissions than other new files.
        os.close(os.open(temporary, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o666))
    except OSError as error:
        reason = reason_of(error)
        if isinstance(error, FileNotFoundError):
            if not target.parent.exists():
                raise SinkError(
                    f"{path}: the folder {target.parent} does not exist: create it"
                ) from error
            reason = "no files can be created there"  # as in /proc
        raise SinkError(
            f"{path}: cannot write into the folder {target.parent} ({reason}): choose another"
        ) from error
    return temporary


def sha256(path: Path) -> str:
    """Return the hash of a file's bytes in hexadecimal; raises OSError."""
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while block := file.read(1 << 20):
            digest.update(block)
    return digest.hexdigest()
