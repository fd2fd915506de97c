"""FileIdentity: notices that a file was replaced or rewritten between two readings.

A recorder, a download or a sync client may change an input while it is read. What was detected in
one file must never be applied to another.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from tracker_blur.errors import SourceError, reason_of
from tracker_blur.files.paths import check_is_file

if TYPE_CHECKING:
    import os
    from pathlib import Path


@dataclass(frozen=True, slots=True)
class FileIdentity:
    """Which file a path named, and in which state, when a run began.

    Attributes:
        path: The file.
        device: Of the file system it is on.
        inode: Its number there.
        size_bytes: Its size.
        modified_ns: When its content was last written.
        changed_ns: When anything of it was last changed. Programs can set `modified_ns` back, as
            sync clients do, but not this.
        sha256: Hash of its bytes, if it was requested.
    """

    path: Path
    device: int
    inode: int
    size_bytes: int
    modified_ns: int
    changed_ns: int
    sha256: str | None = field(default=None, compare=False)

    @classmethod
    def of(cls, path: Path, *, hashed: bool = False) -> FileIdentity:
        """Return the identity of the file that a path names now.

        Args:
            path: The file.
            hashed: Hash its bytes, too, for runs that write the hash or rely on one.

        Raises:
            SourceError: There is none, it is no file, it cannot be read, or it changes meanwhile.
        """
        check_is_file(path)
        try:
            identity = _identity(path, path.stat())
            if hashed:
                identity = replace(identity, sha256=sha256(path))
        except FileNotFoundError as error:
            raise SourceError(f"{path}: no such file: check the name") from error
        except IsADirectoryError as error:
            raise SourceError(f"{path}: is a folder: name a file in it") from error
        except PermissionError as error:
            problem = "reading is not permitted: change its permissions"
            raise SourceError(f"{path}: {problem}") from error
        except OSError as error:
            raise SourceError(
                f"{path}: cannot be read ({reason_of(error)}): check the file"
            ) from error
        identity.check()
        return identity

    def check(self) -> None:
        """Check that the path still names the same file, in the same state.

        Raises:
            SourceError: It does not.
        """
        try:
            is_same = self.is_of(self.path.stat())
        except OSError:
            is_same = False
        if not is_same:
            raise self._changed()

    def is_of(self, status: os.stat_result) -> bool:
        """Return whether a file, as `stat` or `fstat` describes it, is this one, unchanged."""
        return _identity(self.path, status) == self

    def check_end(self) -> None:
        """Check the same at the end of a run; the hash as well, if there is one.

        Raises:
            SourceError: The file is another one, or was changed.
        """
        self.check()
        if self.sha256 is not None:
            try:
                is_same = sha256(self.path) == self.sha256
            except OSError:
                is_same = False
            if not is_same:
                raise self._changed()
            self.check()

    def _changed(self) -> SourceError:
        return SourceError(
            f"{self.path}: was replaced or changed while it was being read: wait until it is "
            "complete, then run this again"
        )


def _identity(path: Path, status: os.stat_result) -> FileIdentity:
    return FileIdentity(
        path,
        status.st_dev,
        status.st_ino,
        status.st_size,
        status.st_mtime_ns,
        status.st_ctime_ns,
    )


def sha256(path: Path) -> str:
    """Return the hash of a file's bytes in hexadecimal; raises OSError."""
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while block := file.read(1 << 20):
            digest.update(block)
    return digest.hexdigest()
