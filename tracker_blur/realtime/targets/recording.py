"""Names of a recording's files: one after the other, never one that exists.

A file that is written as it goes and can be played after a crash: mp4, mov, mkv, webm.
"""

from __future__ import annotations

import io
import os
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path

from tracker_blur.errors import SettingsError, SinkError, reason_of
from tracker_blur.realtime.delivery import SOUND_RATE, AudioChunk, Delivery, Format
from tracker_blur.realtime.targets import Context
from tracker_blur.realtime.targets._encoding import Form, LiveWriter, check, explained, prove
from tracker_blur.video.containers import container_format


class WholeFile(io.FileIO):
    """A file that has all it was given at once: a process that is killed loses nothing.

    When there is no space left, it ends where it was whole last, for players to read to the end.
    """

    _failure: OSError | None = None
    _whole = 0

    def write(self, data: bytes) -> int:  # type: ignore[override]  # bytes is all PyAV writes
        """Write all; raises OSError when there is no space for it, and ever after."""
        if self._failure is not None:
            raise self._failure
        rest = memoryview(data)
        try:
            while rest:
                rest = rest[super().write(rest) or 0 :]
        except OSError as error:
            self._failure = error
            raise
        return len(data)

    def mark_whole(self) -> None:
        """Take note that what was written until now can be read."""
        self._whole = self.tell()

    def close(self) -> None:
        """Close the file, without what was written in part."""
        if not self.closed and self._failure is not None:
            self.truncate(self._whole)
        super().close()


class Parts:
    """The files of one recording: NAME.mp4, or NAME-0001.mp4 and so on.

    is_numbered  whether the first has a number, too
    overwrite    replace files that exist
    """

    def __init__(self, path: Path, *, is_numbered: bool, overwrite: bool) -> None:
        self._path = path
        self._is_numbered = is_numbered
        self._overwrite = overwrite
        self._number = 0
        if is_numbered and not overwrite:
            self._number = _last_number(path)

    def replaces(self) -> bool:
        """Return whether the first file is to replace one, and may."""
        first = self._path.with_name(self._name_of(1))
        is_replaceable = os.access(first, os.W_OK) and first.is_file()
        return self._overwrite and self._number == 0 and is_replaceable

    def new(self) -> WholeFile:
        """Create the next file.

        A recording that is named by one name takes no other for its first file, where one exists.
        Raises SinkError when no file can be made.
        """
        is_first = self._number == 0
        while True:
            self._number += 1
            path = self._name()
            if _is_no_file(path):
                raise SinkError(f"{path}: is no file: choose another name")
            try:
                return WholeFile(path, "w" if self._overwrite else "x")
            except FileExistsError as error:
                if is_first and not self._is_numbered:
                    self._number = 0
                    raise SinkError(
                        f"{path}: exists already: choose another name, or --overwrite"
                    ) from error
            except OSError as error:
                self._number -= 1
                raise SinkError(
                    f"{path}: cannot be made ({reason_of(error)}): choose another place"
                ) from error

    def _name(self) -> Path:
        return self._path.with_name(self._name_of(self._number))

    def _name_of(self, number: int) -> str:
        if number == 1 and not self._is_numbered:
            return self._path.name
        return f"{self._path.stem}-{number:04}{self._path.suffix}"


def _is_no_file(path: Path) -> bool:
    """Return whether it is a pipe or the like, which would wait for its reader."""
    with suppress(OSError):  # making it will tell why
        return path.exists() and not path.is_file()
    return False


def _last_number(path: Path) -> int:
    numbers = [0]
    for other in path.parent.glob("*"):
        stem, _, number = other.stem.rpartition("-")
        if (stem, other.suffix) == (path.stem, path.suffix) and number.isdecimal():
            numbers.append(int(number))
    return max(numbers)


_FRAGMENTS = {
    "movflags": "+frag_keyframe+empty_moov+default_base_moof",
    "frag_duration": "1000000",  # microseconds
}
_CLUSTERS = {"cluster_time_limit": "1000", "default_mode": "passthrough"}  # milliseconds
_FORMS = {
    ".mp4": (_FRAGMENTS, "aac"),
    ".m4v": (_FRAGMENTS, "aac"),
    ".mov": (_FRAGMENTS, "aac"),
    ".mkv": (_CLUSTERS, "aac"),
    ".webm": (_CLUSTERS, "libopus"),
}
SUFFIXES = tuple(_FORMS)
_LATE_SECONDS = 1.0  # by which sound may follow the pictures of a part that is over


def make(text: str, context: Context) -> Recording:
    """Return the recording that a file's name means; raises SettingsError for unknown suffixes."""
    path = Path(text)
    if path.suffix.lower() not in _FORMS:
        known = ", ".join(_FORMS)
        raise SettingsError(f"{text}: recordings are written as {known}: choose one of these")
    return Recording(path, context)


@dataclass
class _Part:
    """A file under way, and when its sound ends, in seconds; None: not yet known."""

    file: WholeFile
    writer: LiveWriter
    end: float | None = None


class Recording:
    """A recording with sound in step, in one file or several; a failure begins another.

    Raises SinkError on opening, when its file cannot be made; on showing, when it cannot be
    written further. What was written until then stays.
    """

    is_reached = True

    def __init__(self, path: Path, context: Context) -> None:
        self.name = str(path)
        self._settings = context.settings
        minutes = context.live.segment_minutes
        self._seconds = None if minutes is None else minutes * 60
        container = container_format(path)
        options, sound = _FORMS[path.suffix.lower()]
        self._form = Form(replace(container, options=options), sound)
        check(self._form, context.settings)
        self._path = path
        self._names: Parts | None = None
        self._format: Format | None = None
        self._parts: list[_Part] = []  # the last one is shown to; one before awaits its sound

    def open(self, format: Format) -> None:
        """Create the file, unless it replaces one that can be written."""
        prove(self._form, format, self._settings)
        self._format = format
        if self._names is None:
            self._names = Parts(
                self._path,
                is_numbered=self._seconds is not None,
                overwrite=self._settings.overwrite,
            )
        # What is to be replaced stays until there is a picture: another target may yet fail.
        self._parts = [] if self._names.replaces() else [self._new_part(format)]

    def show(self, delivery: Delivery) -> None:
        """Write a picture; raises SinkError when that fails."""
        if not self._parts and self._format is not None:
            self._parts = [self._new_part(self._format)]
        self._divide(delivery.seconds)
        with explained(self.name):
            self._parts[-1].writer.show(delivery)
            self._parts[-1].file.mark_whole()
            first = self._parts[0]
            if first.end is not None and delivery.seconds > first.end + _LATE_SECONDS:
                self._finish(self._parts.pop(0))

    def play(self, sound: AudioChunk) -> None:
        """Write a stretch of sound, in two files if it must be; raises SinkError."""
        with explained(self.name):
            for part in self._parts:
                ours = _until(sound, part.end)
                if ours is not None:
                    part.writer.play(ours)
                    part.file.mark_whole()

    def close(self) -> None:
        """Finish the files; one without a picture is removed."""
        parts, self._parts = self._parts, []
        for part in parts:
            with suppress(Exception):
                self._finish(part)

    def _divide(self, seconds: float) -> None:
        """Begin another part, if the last has lasted long enough at this time."""
        last = self._parts[-1]
        if self._seconds is None or last.writer.start is None or self._format is None:
            return
        if seconds >= last.writer.start + self._seconds:
            self._parts.append(self._new_part(self._format))
            last.end = seconds

    def _new_part(self, format: Format) -> _Part:
        assert self._names is not None
        file = self._names.new()
        return _Part(file, LiveWriter(file, self._form, format, self._settings))

    def _finish(self, part: _Part) -> None:
        try:
            part.writer.finish()
        finally:
            part.file.close()
            if part.writer.start is None:
                Path(str(part.file.name)).unlink()


def _until(sound: AudioChunk, end: float | None) -> AudioChunk | None:
    """Return what lies before the end, or None."""
    if end is None:
        return sound
    count = round((end - sound.seconds) * SOUND_RATE)
    return AudioChunk(sound.samples[:, :count], sound.seconds) if count > 0 else None
