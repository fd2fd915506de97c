"""Formats of annotation programs, one file each; the file's name is what `--export` takes.

To add a format, add a file with the functions `write` and `read` of `Format`. The first line of its
docstring describes it in `--help`; the rest says what it cannot carry. Run
`pytest tests/annotations/formats`: the contract tests find the new file by themselves.

Where a format carries no value, reading it hides more rather than less: a track is hidden, by the
settings' method; a box has the score 1 and the origin DRAWN. Edges are rounded outward to 0.01
pixels. Boxes beyond the frame are kept.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol, cast

from tracker_blur.core import plugins

if TYPE_CHECKING:
    from pathlib import Path

    from tracker_blur.core.tracks import Tracks


class Format(Protocol):
    """The functions of a format's module."""

    def write(self, tracks: Tracks, path: Path, overwrite: bool) -> None:
        """Write the tracks atomically; raises SinkError."""
        ...

    def read(self, path: Path, like: Tracks) -> Tracks:
        """Return the tracks of a file.

        Args:
            path: the file.
            like: tracks of the video that the file is about.

        Raises:
            TrackFileError: The file is invalid, or about another video.
        """
        ...


def names() -> tuple[str, ...]:
    """Return the names of all formats."""
    return plugins.names(__name__)


def load(name: str) -> Format:
    """Return a format; raises SettingsError if none has this name."""
    return cast("Format", plugins.load(__name__, name))
