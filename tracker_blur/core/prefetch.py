"""Runs a stage of the pipeline ahead of its consumer, in its own thread."""

from __future__ import annotations

import queue
import threading
from typing import TYPE_CHECKING, Generic, TypeVar

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

T = TypeVar("T")


class Prefetcher(Generic[T]):
    """Iterates over `items` in a background thread, at most `depth` items ahead.

    An exception in the thread is raised in the consumer, after the items before it. `close`, or
    leaving the `with` block, closes `items` if it is a generator, and returns when the thread has
    ended.
    """

    def __init__(self, items: Iterable[T], depth: int, name: str) -> None:
        self._items = items
        self._queue: queue.Queue[tuple[T | None, BaseException | None]] = queue.Queue(depth)
        self._closing = threading.Event()
        self._ended = False
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)

    def __enter__(self) -> Prefetcher[T]:
        try:
            self._thread.start()
        except BaseException:  # interrupted while it starts: `with` would not end it
            self.close()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def __iter__(self) -> Iterator[T]:
        while not self._ended:
            item, error = self._queue.get()
            self._ended = error is not None
            if isinstance(error, StopIteration):
                return
            if error is not None:
                raise error
            yield item  # type: ignore[misc]  # an item without an error is a T

    def close(self) -> None:
        """End the thread and drop the queued items."""
        self._closing.set()
        while self._thread.is_alive():
            try:
                self._queue.get(timeout=0.01)
            except queue.Empty:
                continue

    def _run(self) -> None:
        iterator = iter(self._items)
        try:
            while not self._closing.is_set():
                self._queue.put((next(iterator), None))
        except BaseException as error:  # noqa: BLE001  # including StopIteration: the consumer gets them all
            self._queue.put((None, error))
        finally:
            close = getattr(iterator, "close", None)
            if close is not None:
                close()
