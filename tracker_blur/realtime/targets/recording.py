"""A file that is written as it goes and can be played after a crash: mp4, mov, mkv, webm."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path

from tracker_blur.errors import SettingsError
from tracker_blur.realtime.delivery import SOUND_RATE, Delivery, Format, Sound
from tracker_blur.realtime.targets import Context
from tracker_blur.realtime.targets._encoding import Form, LiveWriter, check, explained, prove
from tracker_blur.realtime.targets._parts import Parts, WholeFile
from tracker_blur.video.containers import container_format

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

    def play(self, sound: Sound) -> None:
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


def _until(sound: Sound, end: float | None) -> Sound | None:
    """Return what lies before the end, or None."""
    if end is None:
        return sound
    count = round((end - sound.seconds) * SOUND_RATE)
    return Sound(sound.samples[:, :count], sound.seconds) if count > 0 else None
