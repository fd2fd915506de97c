"""Sinks: one file an output; each takes redacted frames one after the other."""

from __future__ import annotations

from types import TracebackType
from typing import Protocol

from tracker_blur.core.frame import RedactedFrame


class FrameWriter(Protocol):
    """Something that takes redacted frames, used with `with`.

    Left without an error, the output is complete and in its place; left with one, nothing of it
    remains.

    warnings   what a user should know of the output
    """

    warnings: tuple[str, ...]

    def write(self, redacted: RedactedFrame) -> None:
        """Write one frame; raises SinkError when that fails."""
        ...

    def __enter__(self) -> FrameWriter: ...

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None: ...
