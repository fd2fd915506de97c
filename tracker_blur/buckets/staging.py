"""A private folder in which files from and for buckets lie while they are redacted.

Each file has a folder of its own there, which is locked while it is used, and deleted afterwards.
If a run is interrupted, what it continues with stays next to the output; the input is deleted, and
fetched again. What a killed run left is deleted by the next one.
"""

from __future__ import annotations

import hashlib
import os
import re
import shutil
import stat
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from tracker_blur.buckets.objects import check_free, check_unchanged, fetch, store
from tracker_blur.buckets.urls import is_bucket, key_path
from tracker_blur.errors import SinkError, reason_of
from tracker_blur.files.jobs import Job
from tracker_blur.files.locking import FileLock, locked
from tracker_blur.files.paths import check_is_written_as_video, exists, media_kind
from tracker_blur.text import escaped

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

_ROOT = ".trackblur-staging"
_JOB_NAME = re.compile("[0-9a-f]{32}")
_PRIVATE_MODE = 0o700
_LOCK, _INPUT, _OUTPUT = "lock", "in", "out"
_UNUSUAL = frozenset('<>:"|?*\\') | {chr(code) for code in range(32)}


@dataclass(frozen=True, slots=True)
class StagedJob(Job):
    """A file whose input or output, or both, are in a bucket.

    `source` and `target` are files of this machine: what is in a bucket lies in a folder of the
    job's own while it is redacted.

    Attributes:
        input_name: The input, an address or a path.
        output_name: The output.
        input_bytes: Size of the input.
        folder: The job's own folder.
    """

    input_name: str
    output_name: str
    input_bytes: int
    folder: Path

    @classmethod
    def between(cls, source: str, target: str, input_bytes: int, root: Path) -> StagedJob:
        """Return the job of an input and an output.

        Args:
            source: The input, an address or a path.
            target: The output.
            input_bytes: Size of the input.
            root: The folder in which the job gets its own.

        Raises:
            SettingsError: What the source is cannot be written with the target's suffix.
        """
        names = Path(_file_name(source)), Path(_file_name(target))
        kind = media_kind(*names)
        if kind == "video":
            check_is_written_as_video(names[1])
        folder = root / hashlib.sha256(f"{source}\n{target}".encode()).hexdigest()[:32]
        return cls(
            folder / _INPUT / names[0] if is_bucket(source) else Path(source),
            folder / _OUTPUT / names[1] if is_bucket(target) else Path(target),
            kind,
            source,
            target,
            input_bytes,
            folder,
        )

    @property
    def source_name(self) -> str:
        """What the user calls the input."""
        return self.input_name

    @property
    def shown_names(self) -> dict[str, str]:
        """What the user calls files that have other names while they are redacted."""
        pairs = (self.source, self.input_name), (self.target, self.output_name)
        written = ((text, name) for path, name in pairs for text in (str(path), escaped(str(path))))
        return {text: name for text, name in written if text != name}

    @property
    def size_bytes(self) -> int:
        """Size of the input."""
        return self.input_bytes

    @contextmanager
    def at_hand(self, *, overwrite: bool) -> Iterator[Callable[[], None]]:
        """Fetch the input; the yielded function stores the output. See `Job.at_hand`.

        Raises:
            SourceError: The input cannot be read, or is another one than at the beginning.
            SinkError: The output exists or cannot be written, there is too little space, or another
                run writes the same.
        """
        with self._own_folder():
            self._check_free(overwrite=overwrite)
            fetched = None
            if is_bucket(self.input_name):
                self._check_space()
                fetched = fetch(self.input_name, self.source)

            def deliver() -> None:
                if fetched is not None:
                    check_unchanged(fetched)
                if is_bucket(self.output_name):
                    store(self.target, self.output_name, overwrite=overwrite)

            yield deliver

    @contextmanager
    def _own_folder(self) -> Iterator[None]:
        lock = FileLock(self.folder / _LOCK)
        try:
            with _alone(self.folder.parent):
                for name in (_INPUT, _OUTPUT):
                    (self.folder / name).mkdir(_PRIVATE_MODE, parents=True, exist_ok=True)
                is_ours = _acquired(lock, otherwise=True)
        except OSError as error:
            raise _unusable(self.folder, error) from error
        if not is_ours:
            raise SinkError(f"{self.output_name}: another run is writing it: wait until it ends")
        is_interrupted = False
        try:
            yield
        except KeyboardInterrupt:
            is_interrupted = True
            raise
        finally:
            with suppress(OSError), _alone(self.folder.parent):
                _clear(self.folder, keeps_pieces=is_interrupted)
            lock.release()

    def _check_free(self, *, overwrite: bool) -> None:
        """Check, before anything is fetched, that no output exists that may not be replaced."""
        if is_bucket(self.output_name):
            check_free(self.output_name, overwrite=overwrite)
        elif not overwrite and exists(self.target):
            raise SinkError(
                f"{self.target}: already exists: choose another name or use", remedy="overwrite"
            )

    def _check_space(self) -> None:
        root = self.folder.parent
        free = shutil.disk_usage(root).free
        if free < self.input_bytes:
            raise SinkError(
                f"{self.input_name}: has {self.input_bytes / 1e6:.0f} MB, and {root} has "
                f"{free / 1e6:.0f} MB left: free some space, or choose another folder with",
                remedy="staging",
            )


def opened_staging(parent: Path) -> Path:
    """Return the folder within another one for the folders of jobs, without leftovers.

    Raises:
        SinkError: It cannot be made, or others can use it.
    """
    root = parent / _ROOT
    try:
        root.mkdir(_PRIVATE_MODE, parents=True, exist_ok=True)
        state = root.lstat()
        is_own = not hasattr(os, "geteuid") or state.st_uid == os.geteuid()
        is_private = os.name != "posix" or not stat.S_IMODE(state.st_mode) & 0o077
        if not (stat.S_ISDIR(state.st_mode) and is_own and is_private):
            raise SinkError(f"{root}: is not a folder that only you can use: delete it")
        with _alone(root):
            for folder in filter(_is_of_a_job, root.iterdir()):
                lock = FileLock(folder / _LOCK)
                if _acquired(lock, otherwise=False):
                    _clear(folder, keeps_pieces=True)
                    lock.release()
    except OSError as error:
        if isinstance(error, SinkError):
            raise
        raise _unusable(root, error) from error
    return root


def _is_of_a_job(folder: Path) -> bool:
    return _JOB_NAME.fullmatch(folder.name) is not None and folder.is_dir()


def _unusable(folder: Path, error: OSError) -> SinkError:
    return SinkError(
        f"{folder}: cannot be used for what is fetched ({reason_of(error)}): choose another folder "
        "with",
        remedy="staging",
    )


def _clear(folder: Path, *, keeps_pieces: bool) -> None:
    """Delete a job's folder, except for what an interrupted run continues with; raises OSError."""
    output = folder / _OUTPUT
    if keeps_pieces and output.is_dir() and any(path.is_dir() for path in output.iterdir()):
        shutil.rmtree(folder / _INPUT, ignore_errors=True)
    else:
        shutil.rmtree(folder)


def _acquired(lock: FileLock, *, otherwise: bool) -> bool:
    """Return whether this process has a lock now, or what else where there are no locks."""
    try:
        return lock.acquire()
    except OSError:
        return otherwise


@contextmanager
def _alone(root: Path) -> Iterator[None]:
    """Keep other runs from making or deleting folders of jobs meanwhile; raises OSError."""
    with (root / _LOCK).open("ab") as file, ExitStack() as stack:
        with suppress(OSError):  # this file system has no locks
            stack.enter_context(locked(file))
        yield


def _file_name(name: str) -> str:
    """Return the file name of an address or a path, as every file system takes it."""
    base = key_path(name).name if is_bucket(name) else Path(name).name
    usual = "".join("_" if character in _UNUSUAL else character for character in base)
    stem, suffix = usual[: -len(Path(usual).suffix) or None], Path(usual).suffix
    return f"{stem[:100]}{suffix[:20]}"
