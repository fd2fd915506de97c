"""The folder in which the pieces of a video wait for all to be done: the whole state of a run.

It lies next to the output, hidden, and only its owner may read it. It holds a manifest, which says
which input, settings and program the pieces belong to, and the pieces, under names made of these.
So a run that was killed continues where it stopped. One of another program, or with other settings,
begins again.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import stat
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tracker_blur.cluster.program import PROGRAM
from tracker_blur.errors import SinkError, reason_of
from tracker_blur.files.identity import sha256
from tracker_blur.files.locking import FileLock

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from tracker_blur.cluster.parameters import ClusterParameters
    from tracker_blur.settings import Settings

_PREFIX = ".trackblur-pieces-"
_PRIVATE_MODE = 0o700
_MANIFEST, _LOCK = "manifest.json", "lock"


@dataclass(frozen=True, slots=True)
class Store:
    """Where the pieces of a video are; workers get it, too.

    Attributes:
        folder: Their folder.
        key: Stands for input, settings and program.
    """

    folder: Path
    key: str

    def seen(self, span: int, piece: int) -> Path:
        """Return the file with what an observer that began with a span has seen in a piece."""
        return self._path(f"seen/{span}/{piece}", ".seen")

    def rendered(self, piece: int) -> Path:
        """Return the file of a rendered piece."""
        return self._path(f"rendered/{piece}", ".piece")

    def _path(self, name: str, suffix: str) -> Path:
        digest = hashlib.sha256(f"{self.key}/{name}".encode()).hexdigest()
        return self.folder / f"{digest[:32]}{suffix}"


def store_key(
    input_sha256: str,
    settings: Settings,
    weight_files: Sequence[str],
    suffix: str,
    parameters: ClusterParameters,
) -> str:
    """Return what stands for everything that the pieces depend on.

    Args:
        input_sha256: Hash of the input.
        settings: Those of the run.
        weight_files: Names of the detectors' weight files.
        suffix: That of the output.
        parameters: How the video is cut.
    """
    own = [Path(settings.detector.partition(":")[0]), settings.image]
    parts = (
        input_sha256,
        repr(replace(settings, overwrite=False)),
        [sha256(path) for path in own if path is not None and path.is_file()],
        sorted(weight_files),
        suffix.lower(),
        repr(parameters),
        PROGRAM,
    )
    return hashlib.sha256(repr(parts).encode()).hexdigest()


@contextmanager
def opened_store(target: Path, key: str, details: dict[str, Any]) -> Iterator[Store]:
    """Open the folder of an output's pieces; another run has to wait until this one is over.

    Pieces of another input, other settings or another program are deleted.

    Args:
        target: The output.
        key: From `store_key`.
        details: For people who read the manifest.

    Raises:
        SinkError: The folder cannot be used, or another run uses it.
    """
    name = hashlib.sha256(target.name.encode()).hexdigest()[:16]
    folder = Path(os.path.realpath(target.parent)) / f"{_PREFIX}{name}"
    try:
        with suppress(FileExistsError):
            folder.mkdir(mode=_PRIVATE_MODE)
        _check_private(folder)
        with _locked(folder / _LOCK, target):
            _clear_others(folder, key)
            content = json.dumps({"key": key, **details}, indent=2).encode()
            if not (folder / _MANIFEST).exists():
                (folder / _MANIFEST).write_bytes(content)
            yield Store(folder, key)
    except OSError as error:
        if isinstance(error, SinkError):
            raise
        raise SinkError(
            f"{target}: its pieces cannot be kept in {folder} ({reason_of(error)}): choose another "
            "folder for the output"
        ) from error


def _check_private(folder: Path) -> None:
    """Check that no one else could have put anything into a folder."""
    state = folder.lstat()
    is_own = not hasattr(os, "geteuid") or state.st_uid == os.geteuid()
    is_private = os.name != "posix" or not stat.S_IMODE(state.st_mode) & 0o077
    if not (stat.S_ISDIR(state.st_mode) and is_own and is_private):
        raise SinkError(f"{folder}: is not a folder that only you can use: delete it")


@contextmanager
def _locked(path: Path, target: Path) -> Iterator[None]:
    lock = FileLock(path)
    is_ours = True
    with suppress(OSError):  # this file system has no locks
        is_ours = lock.acquire()
    if not is_ours:
        raise SinkError(f"{target}: another run is writing it: wait until it ends")
    try:
        yield
    finally:
        lock.release()


def _clear_others(folder: Path, key: str) -> None:
    """Delete the pieces of another input, other settings or another program."""
    manifest = folder / _MANIFEST
    try:
        known = json.loads(manifest.read_text(encoding="utf-8")).get("key")
    except FileNotFoundError:
        known = None
    except (ValueError, AttributeError):  # written in part
        known = None
    if known != key:
        for path in folder.iterdir():
            if path.name != _LOCK:
                path.unlink()


def remove_store(store: Store) -> None:
    """Delete the folder of pieces: they are all in the output, or there will be none."""
    with suppress(OSError):
        shutil.rmtree(store.folder)
