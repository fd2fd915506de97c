"""Formats of annotation programs: one file each; a file's name is what `--export` takes.

A format's module holds `write` and `read` as in `Format`, and says in its docstring what it cannot
carry. To add a format, add a file; the contract tests in `tests/exports/test_contract.py` run over
all of them.

What a format cannot carry is read as what hides more: a face that it says nothing of is hidden, by
the settings' method; a box has the score 1 and the origin DRAWN. Edges are rounded outward to 0.01
pixels. Boxes beyond the picture are kept as they are.
"""

from __future__ import annotations

from pathlib import Path
from typing import Protocol, cast

from tracker_blur.core import plugins
from tracker_blur.core.tracks import Tracks


class Format(Protocol):
    """What the module of a format does."""

    def write(self, tracks: Tracks, path: Path, overwrite: bool) -> None:
        """Write the tracks, whole or not at all; raises SinkError."""
        ...

    def read(self, path: Path, like: Tracks) -> Tracks:
        """Return the tracks of a file about the video that `like` is of.

        Raises TrackFileError when the file makes no sense, or is about another video.
        """
        ...


def names() -> tuple[str, ...]:
    """Return the formats' names."""
    return plugins.names(__name__)


def load(name: str) -> Format:
    """Return a format; raises SettingsError when there is none of this name."""
    return cast(Format, plugins.load(__name__, name))
