"""What jobs have written into the folder of the page, by hash: nothing else is sent as a result.

A file that somebody puts under the name of an output, before a job's run or after it, may show
everyone.
"""

from __future__ import annotations

import json
import os
from contextlib import suppress
from typing import TYPE_CHECKING

from tracker_blur.errors import SourceError
from tracker_blur.files.atomic import replacing
from tracker_blur.files.identity import FileIdentity
from tracker_blur.files.paths import real_path

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path
    from typing import BinaryIO

    from tracker_blur.web.state import State

_FILE = "outputs.jsonl"
_PRIVATE_MODE = 0o600


class WrittenOutputs:
    """The hash of each output, kept on disk. It outlives the record of the job.

    Args:
        state: Where it is kept.
        root: The folder of the page. Other outputs are those of uploads, in folders of their own.

    Attributes:
        is_new: Nothing was kept before. Earlier versions sent whatever had the name of an output.

    Raises:
        SinkError: It cannot be kept.
    """

    def __init__(self, state: State, root: Path) -> None:
        self._path = state.folder / _FILE
        self.is_new = not self._path.exists()
        self._root = _start(root)
        self._hashed: dict[str, FileIdentity] = {}  # what was hashed here: it takes a second a GB
        lines = self._lines()
        self._hashes = {name: digest for name, digest in lines if os.path.lexists(name)}
        if len(self._hashes) < len(lines):
            with replacing(self._path, overwrite=True, is_private=True) as temporary:
                temporary.write_text(_text(self._hashes.items()), encoding="ascii")

    def add(self, written: Mapping[Path, str]) -> None:
        """Keep what runs have just written.

        Args:
            written: The hash of each output.

        Raises:
            OSError: It cannot be kept for the next server.
        """
        named = {str(real_path(path)): digest for path, digest in written.items()}
        new = {name: digest for name, digest in named.items() if name.startswith(self._root)}
        if not new:
            return
        self._hashes.update(new)
        flags = os.O_APPEND | os.O_CREAT | os.O_WRONLY
        with os.fdopen(os.open(self._path, flags, _PRIVATE_MODE), "ab") as file:
            file.write(f"\n{_text(new.items())}".encode())  # the line before may not be whole

    def below(self, folder: Path) -> list[Path]:
        """Return the outputs in a folder and below it, in order; some may be gone or changed."""
        start = _start(real_path(folder))
        return [
            folder / name[len(start) :] for name in sorted(self._hashes) if name.startswith(start)
        ]

    def any_below(self, folder: Path) -> bool:
        """Return whether there are any; some may be gone or changed."""
        start = _start(real_path(folder))
        return any(name.startswith(start) for name in self._hashes)

    def has(self, path: Path) -> bool:
        """Return whether a job has written a file of this name; it may be another one by now."""
        return str(real_path(path)) in self._hashes

    def open(self, path: Path) -> BinaryIO | None:
        """Open a file for reading; None if it is not the one that a job wrote under this name.

        What is opened is what was checked, whatever gets the name a moment later.
        """
        real = real_path(path)
        identity = self._unchanged(real)
        if identity is None:
            return None
        try:
            number = os.open(real, os.O_RDONLY | os.O_NONBLOCK)  # it may have become a pipe
        except OSError:
            return None
        if not identity.is_of(os.fstat(number)):
            os.close(number)
            return None
        return os.fdopen(number, "rb")  # closed by the caller

    def _unchanged(self, real: Path) -> FileIdentity | None:
        """Return the identity of a file, if it is the one that a job wrote under this name."""
        name = str(real)
        digest = self._hashes.get(name)
        if digest is None:
            return None
        identity = self._hashed.get(name)
        try:
            if identity is not None:
                identity.check()
        except SourceError:
            identity = None
        try:
            identity = identity or FileIdentity.of(real, hashed=True)
        except SourceError:
            return None
        self._hashed[name] = identity
        return identity if identity.sha256 == digest else None

    def _lines(self) -> list[tuple[str, str]]:
        """Return what is kept, the oldest first, but for lines that are damaged."""
        try:
            content = self._path.read_text(encoding="ascii", errors="replace")
        except FileNotFoundError:
            return []
        lines = []
        for line in content.splitlines():
            with suppress(ValueError, TypeError, KeyError, RecursionError):
                value = json.loads(line)
                lines.append((str(value["output"]), str(value["sha256"])))
        return lines


def _start(folder: Path) -> str:
    """Return how the names of all files in a folder begin; that of "/" ends in a slash already."""
    return os.path.join(folder, "")  # noqa: PTH118  # paths have no slash at their end


def _text(written: Iterable[tuple[str, str]]) -> str:
    """Return the lines about outputs, in ASCII: names may hold bytes that are no text."""
    return "".join(
        f"{json.dumps({'output': name, 'sha256': digest})}\n" for name, digest in written
    )
