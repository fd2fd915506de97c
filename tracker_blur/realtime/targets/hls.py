"""HLS: a folder or a playlist (.m3u8) with the latest segments, for a web server to hand out."""

from __future__ import annotations

import glob
import os
import re
import tempfile
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from tracker_blur.errors import SettingsError, SinkError
from tracker_blur.files.paths import exists, is_folder
from tracker_blur.realtime.targets._encoding import (
    LiveContainer,
    LiveWriter,
    as_sink_errors,
    check_encoder,
    try_encoder,
)
from tracker_blur.video.containers import ContainerFormat

if TYPE_CHECKING:
    from tracker_blur.realtime.delivery import AudioChunk, Delivery, Format
    from tracker_blur.realtime.targets import TargetContext

SUFFIX = ".m3u8"
_PATTERN = re.compile(r"%(\d*d|v)", re.IGNORECASE)
"""What FFmpeg replaces by a number in the names of segments, also of folders; there is no escape.
"""

_CONTAINER = LiveContainer(
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


def make(text: str, context: TargetContext) -> HlsTarget:
    """Return the target for a folder or a playlist; raises SettingsError for an unusable name."""
    path = playlist_path(text)
    if _PATTERN.search(path.name):
        raise SettingsError(
            f"{text}: FFmpeg reads {path.name} as a pattern of numbers: choose another name"
        )
    check_encoder(_CONTAINER, context.settings)
    return HlsTarget(text, path, context)


def playlist_path(text: str) -> Path:
    """Return the playlist in the folder that a text names, or the playlist that it names itself."""
    path = Path(text)
    names_folder = is_folder(path) or text.endswith(("/", os.sep))
    return path / f"live{SUFFIX}" if names_folder else path


class HlsTarget:
    """Writes a playlist of the last 12 seconds next to its segments; older segments are deleted.

    `open` raises SinkError if the playlist already exists or the folder is missing, and `show` if
    the playlist cannot be written. After a failure the same playlist continues. With `overwrite`,
    an existing playlist is deleted at the first frame, and no segment in it is taken over.
    """

    is_reached = True

    def __init__(self, name: str, path: Path, context: TargetContext) -> None:
        self.name = name
        self._path = path
        self._settings = context.settings
        self._has_begun = False  # the existing playlist is ours
        self._writer: LiveWriter | None = None
        self._link: tempfile.TemporaryDirectory[str] | None = None

    def open(self, format: Format) -> None:
        """Check the folder, and that no other playlist is there."""
        if not (self._has_begun or self._settings.overwrite):
            self._refuse_existing()
        if not is_folder(self._path.parent):
            raise SinkError(
                f"{self.name}: the folder {self._path.parent} does not exist: create it"
            )
        try_encoder(_CONTAINER, format, self._settings)
        hls = _CONTAINER.format
        flags = hls.options["hls_flags"] + ("+append_list" if self._has_begun else "")
        path = self._plain_folder() / self._path.name
        segments = path.with_name(f"{path.stem}-%06d.ts")
        options = {**hls.options, "hls_flags": flags, "hls_segment_filename": str(segments)}
        container = replace(_CONTAINER, format=replace(hls, options=options))
        self._writer = LiveWriter(f"file:{path}", container, format, self._settings)

    def show(self, delivery: Delivery) -> None:
        """Write a frame; raises SinkError if that fails."""
        assert self._writer is not None
        with as_sink_errors(self.name):
            if not self._has_begun:
                self._path.unlink(missing_ok=True)
                self._has_begun = True
            self._writer.show(delivery)

    def play(self, audio: AudioChunk) -> None:
        """Write a chunk of audio; raises SinkError if that fails."""
        assert self._writer is not None
        with as_sink_errors(self.name):
            self._writer.play(audio)

    def close(self) -> None:
        """Finish the playlist."""
        writer, self._writer = self._writer, None
        if writer is not None:
            with suppress(Exception):
                writer.finish()
        if self._link is not None:
            self._link.cleanup()
            self._link = None

    def _plain_folder(self) -> Path:
        """Return the folder, absolute: a relative name with a colon would be read as an address.

        A folder whose name would be read as a pattern is reached through a link.
        """
        folder = self._path.parent.absolute()
        if not _PATTERN.search(str(folder)):
            return folder
        self._link = tempfile.TemporaryDirectory(prefix="trackblur-")
        link = Path(self._link.name, "folder")
        link.symlink_to(folder, target_is_directory=True)
        return link

    def _refuse_existing(self) -> None:
        segments = self._path.parent.glob(f"{glob.escape(self._path.stem)}-*.ts")
        for path in (self._path, *segments):
            if exists(path):
                raise SinkError(
                    f"{path}: already exists: choose another name or use", remedy="overwrite"
                )
