"""LazyDetectors: detectors that are loaded when they are first used."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import overload

from tracker_blur.detectors import Detector


class LazyDetectors(Sequence[Detector]):
    """A list of detectors, each of which is loaded when it is first taken out.

    Args:
        loaders: Load them; each is called once at most.
    """

    def __init__(self, loaders: Sequence[Callable[[], Detector]]) -> None:
        self._loaders = loaders
        self._loaded: dict[int, Detector] = {}

    def __len__(self) -> int:
        return len(self._loaders)

    @overload
    def __getitem__(self, index: int) -> Detector: ...
    @overload
    def __getitem__(self, index: slice) -> list[Detector]: ...
    def __getitem__(self, index: int | slice) -> Detector | list[Detector]:
        """Return a detector; raises ModelError when it cannot be loaded."""
        if isinstance(index, slice):
            return [self[number] for number in range(*index.indices(len(self)))]
        number = range(len(self))[index]
        if number not in self._loaded:
            self._loaded[number] = self._loaders[number]()
        return self._loaded[number]
