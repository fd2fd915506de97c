"""Sources: one file an input; each gives frames one after the other."""

from __future__ import annotations

from collections.abc import Iterator
from types import TracebackType
from typing import Protocol

from tracker_blur.core.frame import Frame, VideoInfo


class FrameReader(Protocol):
    """Something that gives frames, opened by its constructor and closed by `with`.

    Iterating raises SourceError when the input breaks off: what can be decoded is never silently
    taken for the whole.

    info      what is known before the first frame
    warnings  what a user should know, once it is known: why a partial input ended early
    """

    info: VideoInfo
    warnings: tuple[str, ...]

    def __iter__(self) -> Iterator[Frame]:
        """Give each frame once, in the order of presentation."""
        ...

    def __enter__(self) -> FrameReader: ...

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None: ...
