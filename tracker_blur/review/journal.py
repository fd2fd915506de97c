"""The journal of a review: who decided what, when and why, one JSON object a line.

It is next to the track file, only grows, and is the only place where edits are kept. Each line
holds the hash of the line before; the first one that of the track file, so that a journal is never
applied to other tracks. Each line is on the disk before the edit counts. A line that a crash left
unfinished is cut off. Several processes may write at once: each holds a lock while it reads what
the others wrote and adds its own line.
"""

from __future__ import annotations

import hashlib
import json
import os
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, BinaryIO

from tracker_blur.errors import SinkError, TrackFileError, reason_of
from tracker_blur.files.companions import beside_tracks
from tracker_blur.files.locking import locked

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

_PRIVATE_MODE = 0o600
_SUFFIX = ".journal.jsonl"
_KEYS = {"n", "at", "who", "edit", "why", "previous"}


def journal_path(track_file: Path) -> Path:
    """Return where the journal of a track file is: IN.journal.jsonl next to IN.tracks.jsonl."""
    return beside_tracks(track_file, _SUFFIX)


@dataclass(frozen=True, slots=True)
class Line:
    """One line of the journal.

    Attributes:
        number: from 1.
        at: when, as ISO 8601 in UTC.
        who: who decided it.
        edit: what was done; see `tracker_blur.review.operations`.
        why: the reason, if one was given.
        previous: SHA-256 of the line before, without its line break.
    """

    number: int
    at: str
    who: str
    edit: dict[str, Any]
    why: str | None
    previous: str

    @property
    def is_step(self) -> bool:
        """Whether it undoes or redoes another one."""
        return self.edit.get("op") in ("undo", "redo")

    def to_dict(self) -> dict[str, Any]:
        """Return the line as data for JSON."""
        return {
            "n": self.number,
            "at": self.at,
            "who": self.who,
            "edit": self.edit,
            "why": self.why,
            "previous": self.previous,
        }

    def to_bytes(self) -> bytes:
        """Return the line as it is written, without its line break."""
        text = json.dumps(self.to_dict(), ensure_ascii=True, allow_nan=False)
        return text.encode("ascii")

    @classmethod
    def of(cls, content: bytes) -> Line:
        """Return what a line holds; raises ValueError."""
        line = json.loads(content)
        if not isinstance(line, dict) or line.keys() != _KEYS:
            raise ValueError(f"it needs {', '.join(sorted(_KEYS))}")
        texts = [
            line["at"],
            line["who"],
            line["previous"],
            "" if line["why"] is None else line["why"],
        ]
        if not all(isinstance(text, str) for text in texts):
            raise ValueError("at, who, why and previous are texts")
        if not isinstance(line["edit"], dict) or type(line["n"]) is not int:
            raise ValueError("edit is an object, n a whole number")
        return cls(line["n"], line["at"], line["who"], line["edit"], line["why"], line["previous"])


class Journal:
    """The journal of one track file. One thread at a time may use it.

    Args:
        path: the file; it need not exist.
        track_file_sha256: hash of the track file's bytes.

    Attributes:
        lines: what was read and written so far.
        notes: what the user should know, such as that an unfinished line was cut off.
    """

    def __init__(self, path: Path, track_file_sha256: str) -> None:
        self.path = path
        self.lines: list[Line] = []
        self.notes: list[str] = []
        self._previous = track_file_sha256
        self._offset = 0
        self._file: BinaryIO | None = None

    @property
    def has_news(self) -> bool:
        """Whether another process seems to have written something."""
        try:
            return self.path.stat().st_size != self._offset
        except OSError:
            return False

    def news(self) -> list[Line]:
        """Return the lines that others have written since the last time; nothing is changed.

        Raises:
            TrackFileError: it cannot be read, or is not the journal of these tracks.
        """
        try:
            with self.path.open("rb", buffering=0) as file, locked(file):
                return self._catch_up(file)
        except FileNotFoundError:
            return []
        except OSError as error:
            raise TrackFileError(
                f"{self.path}: cannot be read ({reason_of(error)}): check its permissions"
            ) from error

    @contextmanager
    def held(self) -> Iterator[list[Line]]:
        """Hold the lock to add lines, and yield those that others have written meanwhile.

        A line that a crash left unfinished is cut off.

        Raises:
            SinkError: the file cannot be written to.
            TrackFileError: it is not the journal of these tracks.
        """
        with self._opened() as file, locked(file):
            self._file = file
            try:
                new = self._catch_up(file)
                self._mend_end(file)
                yield new
            finally:
                self._file = None

    def append(self, edit: dict[str, Any], who: str, why: str | None) -> Line:
        """Add a line, and return once it is on the disk; only while the lock is held.

        Raises:
            SinkError: it cannot be written; then nothing of it is left.
        """
        if self._file is None:
            raise RuntimeError("the journal is not held")
        at = datetime.now(UTC).isoformat(timespec="milliseconds")
        line = Line(len(self.lines) + 1, at, who, edit, why, self._previous)
        content = line.to_bytes()
        try:
            _write(self._file, content + b"\n")
        except OSError as error:
            self._file.truncate(self._offset)
            raise SinkError(
                f"{self.path}: the edit cannot be written ({reason_of(error)}): free some space, "
                "then repeat it"
            ) from error
        self._add(line, content)
        return line

    @contextmanager
    def _opened(self) -> Iterator[BinaryIO]:
        """Open the file, and create it for its owner alone."""
        try:
            descriptor = os.open(self.path, os.O_RDWR | os.O_CREAT, _PRIVATE_MODE)
            file = os.fdopen(descriptor, "r+b", buffering=0)
        except OSError as error:
            raise SinkError(
                f"{self.path}: cannot be written ({reason_of(error)}): edits are kept in this "
                "file, so make its folder writable"
            ) from error
        with file:
            yield file

    def _catch_up(self, file: BinaryIO) -> list[Line]:
        """Read the lines that are new; an unfinished one at the end is left alone."""
        if file.seek(0, os.SEEK_END) < self._offset:
            raise TrackFileError(
                f"{self.path}: was shortened while it was in use: restore it, then open the review "
                "again"
            )
        file.seek(self._offset)
        *texts, unfinished = file.read().split(b"\n")
        new = []
        for number, text in enumerate(texts, 1):
            try:
                line = Line.of(text)
            except (ValueError, RecursionError) as error:
                if number < len(texts) or unfinished:
                    raise self._invalid(str(error)) from error
                break
            self._check(line)
            self._add(line, text)
            new.append(line)
        return new

    def _mend_end(self, file: BinaryIO) -> None:
        """Cut off what a crash left unfinished behind the last line."""
        if file.seek(0, os.SEEK_END) == self._offset:
            return
        file.truncate(self._offset)
        os.fsync(file.fileno())
        self.notes.append(
            f"{self.path}: its last line was unfinished, as after a crash, and was cut off: the "
            "last edit may be missing"
        )

    def _check(self, line: Line) -> None:
        if line.previous == self._previous and line.number == len(self.lines) + 1:
            return
        if not self.lines:
            raise TrackFileError(
                f"{self.path}: is the journal of other tracks, or the track file was changed "
                "since: restore that track file, or move the journal away to begin again"
            )
        raise self._invalid("its hash of the line before is another")

    def _invalid(self, reason: str) -> TrackFileError:
        return TrackFileError(
            f"{self.path}: line {len(self.lines) + 1} was changed or damaged ({reason}): restore "
            "the journal, or move it away to begin again"
        )

    def _add(self, line: Line, content: bytes) -> None:
        self.lines.append(line)
        self._offset += len(content) + 1
        self._previous = hashlib.sha256(content).hexdigest()


def _write(file: BinaryIO, content: bytes) -> None:
    """Write all of this at the end of an unbuffered file, onto the disk; raises OSError."""
    file.seek(0, os.SEEK_END)
    while content:
        content = content[file.write(content) :]
    os.fsync(file.fileno())
