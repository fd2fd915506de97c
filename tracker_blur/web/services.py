"""What the routes of the page share."""

from __future__ import annotations

from contextlib import ExitStack
from typing import TYPE_CHECKING

from tracker_blur.web.events import EventHub
from tracker_blur.web.folder import Folder
from tracker_blur.web.reviews import Reviews

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tracker_blur.web.state import State


class Services:
    """The parts of the page behind its routes.

    Args:
        root: The folder that the page shows.
        state: What it keeps on disk.

    Attributes:
        folder: The folder that the page shows.
        events: What all open pages get to know.
        reviews: Which videos are reviewed.
    """

    def __init__(self, root: Path, state: State) -> None:
        self.folder = Folder(root)
        self.events = EventHub()
        self.reviews = Reviews(state, self.folder)
        self._at_end = ExitStack()
        self.close_with(self.events.close)

    def close_with(self, callback: Callable[[], object]) -> None:
        """Call this when the server stops; what was added last comes first."""
        self._at_end.callback(callback)

    def close(self) -> None:
        """Stop everything."""
        self._at_end.close()
