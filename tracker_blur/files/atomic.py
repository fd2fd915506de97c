"""Writes a file whole or not at all: under a temporary name beside it, renamed when complete.

The SHA-256 of a file.
"""

from __future__ import annotations

import errno
import hashlib
import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tracker_blur.errors import SinkError, TrackerBlurError, reason_of

NO_SPACE = {errno.ENOSPC, errno.EFBIG, getattr(errno, "EDQUOT", errno.ENOSPC)}


@contextmanager
def replacing(path: Path, overwrite: bool) -> Iterator[Path]:
    """Give a temporary, empty file to fill; it takes the place of `path` when the block succeeds.

    The temporary file lies in the same folder, hidden, with the same suffix. When the block
    raises anything at all, KeyboardInterrupt included, it is deleted and `path` is as it was.
    A symbolic link is written through, not replaced.

    Raises SinkError when `path` exists and `overwrite` is not set, when it is not a file, when
    its folder is missing or cannot be written to, and when the block fails for lack of space.
    """
    target = Path(os.path.realpath(path))
    _refuse_existing(path, target, overwrite)
    temporary = _create_beside(path, target)
    try:
        yield temporary
        _refuse_existing(path, target, overwrite)  # it may have appeared meanwhile
        temporary.replace(target)
    except TrackerBlurError:
        raise
    except OSError as error:
        if error.errno in NO_SPACE:
            raise SinkError(
                f"{path}: no space left to write it: free some, or choose another folder"
            ) from error
        raise
    finally:
        temporary.unlink(missing_ok=True)


def check_place(path: Path, overwrite: bool) -> None:
    """Find out whether a file can be written here later; leaves nothing.

    Raises SinkError as `replacing` does.
    """
    target = Path(os.path.realpath(path))
    _refuse_existing(path, target, overwrite)
    _create_beside(path, target).unlink()


def _refuse_existing(path: Path, target: Path, overwrite: bool) -> None:
    if not target.exists():
        return
    if not target.is_file():
        raise SinkError(f"{path}: is not a file: choose another name for the output")
    if not overwrite:
        raise SinkError(f"{path}: exists already: choose another name, or `overwrite` it")


def _create_beside(path: Path, target: Path) -> Path:
    # The name is independent of the target's, which may be as long as the file system allows.
    temporary = target.with_name(f".trackblur-{secrets.token_hex(6)}{target.suffix}")
    try:
        # Unlike the tempfile module's, the file gets the permissions of any new file here.
        os.close(os.open(temporary, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o666))
    except OSError as error:
        if isinstance(error, FileNotFoundError) and not target.parent.exists():
            raise SinkError(
                f"{path}: the folder {target.parent} does not exist: make it"
            ) from error
        if isinstance(error, FileNotFoundError):  # /proc says so of any new file
            reason = "no files can be made there"
        elif error.errno in NO_SPACE:
            reason = "no space left"
        else:
            reason = reason_of(error)
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
