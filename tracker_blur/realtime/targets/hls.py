"""A folder or a playlist's name, .m3u8: the latest segments, for a web server to hand out (HLS)."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import replace
from pathlib import Path

from tracker_blur.errors import SinkError
from tracker_blur.media.containers import ContainerFormat
from tracker_blur.realtime.delivery import Delivery, Format, Sound
from tracker_blur.realtime.targets import Context
from tracker_blur.realtime.targets._encoding import Form, LiveWriter, check, explained, prove

SUFFIX = ".m3u8"
_FORM = Form(
    ContainerFormat(
        "hls",
        frozenset({"h264", "hevc"}),
        ("h264",),
        options={
            "hls_time": "2",  # seconds, as between key frames
            "hls_list_size": "6",
            "hls_flags": "delete_segments+temp_file+independent_segments+program_date_time",
        },
    )
)


def make(text: str, context: Context) -> Playlist:
    """Return the playlist that a folder or a file's name means."""
    check(_FORM, context.settings)
    path = Path(text)
    return Playlist(
        text, path if path.suffix.lower() == SUFFIX else path / f"live{SUFFIX}", context
    )


class Playlist:
    """A playlist of the last 12 seconds, and their segments beside it; older ones are removed.

    Raises SinkError on opening, when there is a playlist already or no folder; on showing, when it
    cannot be written. After a failure the playlist goes on with what follows.
    """

    is_reached = True

    def __init__(self, name: str, path: Path, context: Context) -> None:
        self.name = name
        self._path = path
        self._settings = context.settings
        self._is_ours = context.settings.overwrite
        self._writer: LiveWriter | None = None

    def open(self, format: Format) -> None:
        """Check the place."""
        if self._path.exists() and not self._is_ours:
            raise SinkError(f"{self._path}: exists already: choose another name, or --overwrite")
        if not self._path.parent.is_dir():
            raise SinkError(f"{self.name}: there is no folder {self._path.parent}: make it")
        prove(_FORM, format, self._settings)
        container = _FORM.container
        flags = container.options["hls_flags"] + ("+append_list" if self._is_ours else "")
        segments = self._path.with_name(f"{self._path.stem}-%06d.ts")
        options = {**container.options, "hls_flags": flags, "hls_segment_filename": str(segments)}
        self._writer = LiveWriter(
            f"file:{self._path}",
            Form(replace(container, options=options)),
            format,
            self._settings,
        )
        self._is_ours = True

    def show(self, delivery: Delivery) -> None:
        """Write a picture; raises SinkError when that fails."""
        assert self._writer is not None
        with explained(self.name):
            self._writer.show(delivery)

    def play(self, sound: Sound) -> None:
        """Write a stretch of sound; raises SinkError when that fails."""
        assert self._writer is not None
        with explained(self.name):
            self._writer.play(sound)

    def close(self) -> None:
        """Finish the playlist."""
        writer, self._writer = self._writer, None
        if writer is not None:
            with suppress(Exception):
                writer.finish()
