"""A file to which a run appends what happens, as JSON lines, for programs that watch it.

    {"event": "begin", "at": 1765432100.0, "process": 4711}
    {"event": "progress", "at": 1765432100.1, "done": 120, "total": 600, "passes": 2}
    {"event": "written", "at": 1765432100.2, "output": "/out.mp4", "sha256": "9f86d0..."}
    {"event": "warning", "at": 1765432100.2, "text": "in.mp4: ..."}
    {"event": "error", "at": 1765432100.3, "text": "in.mp4: ..."}
    {"event": "end", "at": 1765432100.4, "code": 1}

`at` is in seconds since 1970. Each frame counts once in each pass; `total` is null where the number
of frames is unknown. Files are said to be written with `--json` only, which hashes them. A run that
was killed has no end.
"""

from __future__ import annotations

import json
import os
import time
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from tracker_blur.buckets.urls import is_bucket
from tracker_blur.errors import SinkError, reason_of
from tracker_blur.files.paths import is_stream

if TYPE_CHECKING:
    from pathlib import Path

_INTERVAL_SECONDS = 0.3
_PRIVATE_MODE = 0o600
_BEGINNING = b'{"event"'


class ProgressFile:
    """Appends events to a file that only its owner may read.

    Args:
        path: The file; it is made where it is missing.

    Raises:
        SinkError: It cannot be written, or is another file, which must not be spoiled.
    """

    def __init__(self, path: Path) -> None:
        if is_stream(str(path)):
            raise SinkError(f"{path}: is not a file: name one")
        try:
            if not _may_be_appended_to(path):
                raise SinkError(f"{path}: exists and is no progress file: choose another file")
            flags = os.O_APPEND | os.O_CREAT | os.O_WRONLY
            self._descriptor = os.open(path, flags, _PRIVATE_MODE)
        except SinkError:
            raise
        except OSError as error:
            raise SinkError(
                f"{path}: cannot be written ({reason_of(error)}): choose another file"
            ) from error
        self._next = 0.0
        self._append("begin", process=os.getpid())

    def advance(self, done: float, total: float | None, passes: int = 1) -> None:
        """Append how far the run is, unless that was just done."""
        now = time.monotonic()
        if now >= self._next:
            self._next = now + _INTERVAL_SECONDS
            self._append("progress", done=done, total=total, passes=passes)

    def wrote(self, output: str, sha256: str) -> None:
        """Append what was written: an absolute path or an address, and the hash of its bytes."""
        name = output if is_bucket(output) else os.path.abspath(output)  # noqa: PTH100  # `..` stays with Path.absolute
        self._append("written", output=name, sha256=sha256)

    def warn(self, text: str) -> None:
        """Append a warning."""
        self._append("warning", text=text)

    def fail(self, text: str) -> None:
        """Append what failed."""
        self._append("error", text=text)

    def end(self, code: int) -> None:
        """Append the exit code."""
        self._append("end", code=code)

    def _append(self, event: str, **fields: Any) -> None:
        line = json.dumps({"event": event, "at": round(time.time(), 3), **fields})
        with suppress(OSError):  # as for all messages: a full disk costs nothing else
            os.write(self._descriptor, f"{line}\n".encode())


def _may_be_appended_to(path: Path) -> bool:
    """Return whether a file is empty, missing, a stream or one of an earlier run."""
    if not path.is_file():
        return True
    with path.open("rb") as file:
        return file.read(len(_BEGINNING)) in (b"", _BEGINNING)
