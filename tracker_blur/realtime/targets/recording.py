"""A recording (mp4, mov, mkv, webm), written progressively: it plays even after a crash."""

from __future__ import annotations

import io
import os
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from tracker_blur.errors import SettingsError, SinkError, reason_of
from tracker_blur.realtime.delivery import AUDIO_RATE, AudioChunk, Delivery, Format
from tracker_blur.realtime.targets._encoding import (
    LiveContainer,
    LiveWriter,
    as_sink_errors,
    check_encoder,
    try_encoder,
)
from tracker_blur.video.containers import container_format

if TYPE_CHECKING:
    from tracker_blur.realtime.targets import TargetContext

_FRAGMENTED = {
    "movflags": "+frag_keyframe+empty_moov+default_base_moof",
    "frag_duration": "1000000",  # microseconds
}
_CLUSTERED = {"cluster_time_limit": "1000", "default_mode": "passthrough"}  # milliseconds
_FORMATS = {  # muxer options and audio codec
    ".mp4": (_FRAGMENTED, "aac"),
    ".m4v": (_FRAGMENTED, "aac"),
    ".mov": (_FRAGMENTED, "aac"),
    ".mkv": (_CLUSTERED, "aac"),
    ".webm": (_CLUSTERED, "libopus"),
}


def make(text: str, context: TargetContext) -> RecordingTarget:
    """Return the target for a file name; raises SettingsError for an unsupported suffix."""
    path = Path(text)
    if path.suffix.lower() not in _FORMATS:
        known = ", ".join(_FORMATS)
        raise SettingsError(f"{text}: recordings are written as {known}: choose one of these")
    return RecordingTarget(path, context)


class RecordingTarget:
    """Records video and audio in sync, in one file or several; after a failure in another file.

    `open` raises SinkError if its file cannot be created, and `show` if it cannot be written any
    more. What was written until then stays.
    """

    is_reached = True

    def __init__(self, path: Path, context: TargetContext) -> None:
        self.name = str(path)
        self._settings = context.settings
        minutes = context.live.segment_minutes
        self._segment_seconds = None if minutes is None else minutes * 60
        self._late_audio_seconds = context.live.timing.late_audio_seconds
        options, audio_codec = _FORMATS[path.suffix.lower()]
        self._container = LiveContainer(
            replace(container_format(path), options=options), audio_codec
        )
        check_encoder(self._container, context.settings)
        self._path = path
        self._files: SegmentFiles | None = None
        self._format: Format | None = None
        # Frames go to the last segment; the previous one may still wait for late audio.
        self._segments: list[_Segment] = []

    def open(self, format: Format) -> None:
        """Create the file, unless it replaces an existing one that can be written."""
        try_encoder(self._container, format, self._settings)
        self._format = format
        if self._files is None:
            self._files = SegmentFiles(
                self._path,
                is_numbered=self._segment_seconds is not None,
                overwrite=self._settings.overwrite,
            )
        # A file to be replaced stays until the first frame: another target may fail to open.
        self._segments = [] if self._files.will_replace() else [self._new_segment(format)]

    def show(self, delivery: Delivery) -> None:
        """Write a frame; raises SinkError if that fails."""
        if not self._segments and self._format is not None:
            self._segments = [self._new_segment(self._format)]
        self._split(delivery.seconds)
        with as_sink_errors(self.name):
            self._segments[-1].writer.show(delivery)
            self._segments[-1].file.mark_complete()
            first = self._segments[0]
            if first.end is not None and delivery.seconds > first.end + self._late_audio_seconds:
                self._finish(self._segments.pop(0))

    def play(self, audio: AudioChunk) -> None:
        """Write a chunk of audio, to two segments if it spans both; raises SinkError."""
        with as_sink_errors(self.name):
            for segment in self._segments:
                part = _before(segment.end, audio)
                if part is not None:
                    segment.writer.play(part)
                    segment.file.mark_complete()

    def close(self) -> None:
        """Finish the files; a file without a frame is deleted."""
        segments, self._segments = self._segments, []
        for segment in segments:
            with suppress(Exception):
                self._finish(segment)

    def _split(self, seconds: float) -> None:
        """Start a new segment if the last one is long enough at this time."""
        last = self._segments[-1]
        if self._segment_seconds is None or last.writer.start is None or self._format is None:
            return
        if seconds >= last.writer.start + self._segment_seconds:
            self._segments.append(self._new_segment(self._format))
            last.end = seconds

    def _new_segment(self, format: Format) -> _Segment:
        assert self._files is not None
        file = self._files.create_next()
        return _Segment(file, LiveWriter(file, self._container, format, self._settings))

    def _finish(self, segment: _Segment) -> None:
        try:
            segment.writer.finish()
        finally:
            segment.file.close()
            if segment.writer.start is None:
                Path(str(segment.file.name)).unlink()


@dataclass
class _Segment:
    """A file being written, and when its audio ends, in seconds; None: not known yet."""

    file: UnbufferedFile
    writer: LiveWriter
    end: float | None = None


def _before(end: float | None, audio: AudioChunk) -> AudioChunk | None:
    """Return the part of a chunk that lies before the end, or None."""
    if end is None:
        return audio
    count = round((end - audio.seconds) * AUDIO_RATE)
    return AudioChunk(audio.samples[:, :count], audio.seconds) if count > 0 else None


class SegmentFiles:
    """Creates the files of one recording: NAME.mp4, or NAME-0001.mp4 and so on.

    Args:
        path: As the user named the recording.
        is_numbered: Whether the first file has a number, too.
        overwrite: Replace existing files; otherwise none is ever touched.
    """

    def __init__(self, path: Path, *, is_numbered: bool, overwrite: bool) -> None:
        self._path = path
        self._is_numbered = is_numbered
        self._overwrite = overwrite
        self._number = 0
        if is_numbered and not overwrite:
            self._number = _last_number(path)

    def will_replace(self) -> bool:
        """Return whether the first file is going to replace an existing one that is writable."""
        first = self._path_of(1)
        is_replaceable = os.access(first, os.W_OK) and first.is_file()
        return self._overwrite and self._number == 0 and is_replaceable

    def create_next(self) -> UnbufferedFile:
        """Create the next file.

        If the file that the user named exists, the first file takes no other name.

        Raises:
            SinkError: The file cannot be created.
        """
        is_first = self._number == 0
        while True:
            self._number += 1
            path = self._path_of(self._number)
            if _is_special_file(path):
                raise SinkError(f"{path}: is not a regular file: choose another name")
            try:
                return UnbufferedFile(path, "w" if self._overwrite else "x")
            except FileExistsError as error:
                if is_first and not self._is_numbered:
                    self._number = 0
                    raise SinkError(
                        f"{path}: already exists: choose another name or use", remedy="overwrite"
                    ) from error
            except FileNotFoundError as error:
                self._number -= 1
                raise SinkError(
                    f"{path}: the folder {path.parent} does not exist: create it"
                ) from error
            except OSError as error:
                self._number -= 1
                raise SinkError(
                    f"{path}: cannot be created ({reason_of(error)}): choose another folder"
                ) from error

    def _path_of(self, number: int) -> Path:
        if number == 1 and not self._is_numbered:
            return self._path
        return self._path.with_name(f"{self._path.stem}-{number:04}{self._path.suffix}")


def _is_special_file(path: Path) -> bool:
    """Return whether this is a pipe or a device; opening a pipe would wait for its reader."""
    with suppress(OSError):  # creating the file will report it
        return path.exists() and not path.is_file()
    return False


def _last_number(path: Path) -> int:
    numbers = [0]
    for other in path.parent.glob("*"):
        stem, _, number = other.stem.rpartition("-")
        if (stem, other.suffix) == (path.stem, path.suffix) and number.isdecimal():
            numbers.append(int(number))
    return max(numbers)


class UnbufferedFile(io.FileIO):
    """A file that passes all data on at once, so that a killed process loses nothing.

    When there is no space left, it is cut back to where it was last complete, so that players can
    read it to the end.
    """

    _failure: OSError | None = None
    _complete_bytes = 0

    def write(self, data: bytes) -> int:  # type: ignore[override]  # PyAV writes only bytes
        """Write all data; once that has failed, every further call raises the same OSError."""
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

    def mark_complete(self) -> None:
        """Remember that everything written so far can be played."""
        self._complete_bytes = self.tell()

    def close(self) -> None:
        """Close the file; after a failure, cut off what is incomplete."""
        if not self.closed and self._failure is not None:
            self.truncate(self._complete_bytes)
        super().close()
