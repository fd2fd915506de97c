"""The tasks of workers and the events that they report: no pixels, and all can be pickled."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, TypeAlias

from tracker_blur.errors import SourceError
from tracker_blur.files.identity import FileIdentity

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from tracker_blur.cluster.manifest import Store
    from tracker_blur.cluster.pieces import Pieces
    from tracker_blur.core.report import Report
    from tracker_blur.core.tracks import Tracks
    from tracker_blur.files.jobs import Job


@dataclass(frozen=True, slots=True)
class Video:
    """A video in pieces.

    Attributes:
        source: The input.
        target: The output.
        size_bytes: Of the input.
        modified_ns: When it was last written.
        pieces: How it is cut.
        store: Where the pieces go.
        program: The `PROGRAM` that makes them.
    """

    source: Path
    target: Path
    size_bytes: int
    modified_ns: int
    pieces: Pieces
    store: Store
    program: str

    def identity(self) -> FileIdentity:
        """Return the identity of the input on this machine.

        Raises:
            SourceError: It cannot be read, or is no longer the one that was cut.
        """
        identity = FileIdentity.of(self.source)
        if (identity.size_bytes, identity.modified_ns) != (self.size_bytes, self.modified_ns):
            raise SourceError(
                f"{self.source}: was replaced or changed while it was being read: wait until it is "
                "complete, then run this again"
            )
        return identity


@dataclass(frozen=True, slots=True)
class TrackTask:
    """Track from the beginning of a span, until one that begins with a later span sees the same.

    Attributes:
        video: The video.
        span: The piece with which the span begins.
    """

    video: Video
    span: int

    @property
    def name(self) -> str:
        """What it is, for messages."""
        return f"tracking from piece {self.span + 1} on"


@dataclass(frozen=True, slots=True)
class RenderTask:
    """Redact and encode a piece.

    Attributes:
        video: The video.
        piece: Its number, from 0.
        tracks: What is hidden in its frames.
        turned: Of tracks that began earlier, whether their areas are turned.
    """

    video: Video
    piece: int
    tracks: Tracks = field(compare=False, repr=False)
    turned: Mapping[int, bool | None] = field(compare=False, repr=False)

    @property
    def name(self) -> str:
        """What it is, for messages."""
        return f"rendering piece {self.piece + 1}"


@dataclass(frozen=True, slots=True)
class WholeTask:
    """Redact a file at once.

    Attributes:
        job: What is read and written.
    """

    job: Job

    @property
    def name(self) -> str:
        """What it is, for messages."""
        return "redacting it"


Task: TypeAlias = TrackTask | RenderTask | WholeTask


@dataclass(frozen=True, slots=True)
class Tracked:
    """What was seen in a piece, or the first of its frames, is on the disk.

    Attributes:
        piece: The piece.
        is_over: Whether the task ends with it.
    """

    piece: int
    is_over: bool


@dataclass(frozen=True, slots=True)
class Advanced:
    """How many frames of the task are done; for a file that is redacted at once, in both passes."""

    frames: int
    first_pass_frames: int = 0


@dataclass(frozen=True, slots=True)
class Done:
    """The task is done; what it made is on the disk.

    Attributes:
        report: That of a file that was redacted at once.
    """

    report: Report | None = None


@dataclass(frozen=True, slots=True)
class Failed:
    """The task failed.

    Attributes:
        reason: Why, for people.
        is_lost: Whether the worker has ended, and not only the task.
    """

    reason: str
    is_lost: bool = False


Event: TypeAlias = Tracked | Advanced | Done | Failed
Reporter: TypeAlias = "Callable[[Event], None]"
"""Called by a task meanwhile; what it raises ends the task."""
