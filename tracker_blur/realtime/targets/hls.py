"""A folder or a playlist's name, .m3u8: the latest segments, for a web server to hand out (HLS)."""

from __future__ import annotations

import glob
import os
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

from tracker_blur.errors import SinkError
from tracker_blur.files.paths import is_folder
from tracker_blur.realtime.delivery import AudioChunk, Delivery, Format
from tracker_blur.realtime.targets import Context
from tracker_blur.realtime.targets._encoding import Form, LiveWriter, check, explained, prove
from tracker_blur.video.containers import ContainerFormat

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
    return Playlist(text, playlist_path(text), context)


def playlist_path(text: str) -> Path:
    """Return the playlist in the folder that a word names, or the file that it names itself."""
    path = Path(text)
    is_meant = is_folder(path) or text.endswith(("/", os.sep))
    return path / f"live{SUFFIX}" if is_meant else path


class Playlist:
    """A playlist of the last 12 seconds, and their segments beside it; older ones are removed.

    Raises SinkError on opening, when there is a playlist already or no folder; on showing, when it
    cannot be written. After a failure the playlist goes on with what follows. One that was there
    before and may be replaced goes with the first picture, and nothing of it is taken over.
    """

    is_reached = True

    def __init__(self, name: str, path: Path, context: Context) -> None:
        self.name = name
        self._path = path
        self._settings = context.settings
        self._has_begun = False  # what is there is ours
        self._writer: LiveWriter | None = None

    def open(self, format: Format) -> None:
        """Check the place."""
        if not (self._has_begun or self._settings.overwrite):
            self._check_free()
        if not self._path.parent.is_dir():
            raise SinkError(f"{self.name}: there is no folder {self._path.parent}: make it")
        prove(_FORM, format, self._settings)
        container = _FORM.container
        flags = container.options["hls_flags"] + ("+append_list" if self._has_begun else "")
        segments = self._path.with_name(f"{self._path.stem}-%06d.ts")
        options = {**container.options, "hls_flags": flags, "hls_segment_filename": str(segments)}
        self._writer = LiveWriter(
            f"file:{self._path}",
            Form(replace(container, options=options)),
            format,
            self._settings,
        )

    def _check_free(self) -> None:
        """Raise SinkError when a playlist or a segment of its name is there."""
        segments = self._path.parent.glob(f"{glob.escape(self._path.stem)}-*.ts")
        for path in (self._path, *segments):
            if path.exists():
                raise SinkError(f"{path}: exists already: choose another name, or --overwrite")

    def show(self, delivery: Delivery) -> None:
        """Write a picture; raises SinkError when that fails."""
        assert self._writer is not None
        with explained(self.name):
            if not self._has_begun:
                self._path.unlink(missing_ok=True)
                self._has_begun = True
            self._writer.show(delivery)

    def play(self, sound: AudioChunk) -> None:
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
