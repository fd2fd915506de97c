"""LazyView: the view of a frame, made when something is first detected on it."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from tracker_blur.core.frame import Image
    from tracker_blur.tracking.scene_cuts import Change


class LazyView:
    """A frame as the first pass sees it: of most frames, only how they relate to the previous one.

    Args:
        change: How the frame relates to the previous one.
        make: Makes its view; called once at most.
    """

    def __init__(self, change: Change, make: Callable[[], Image]) -> None:
        self.change = change
        self._make = make

    @cached_property
    def image(self) -> Image:
        """The view."""
        return self._make()
