"""A pool of loaded detectors, and the queue of requests that wait for one.

A detector serves one thread at a time, so there are as many of a kind as threads that use it at
once. What is not used is kept for the next request, the most recent ones only.
"""

from __future__ import annotations

import asyncio
import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeVar

from starlette.requests import ClientDisconnect

from tracker_blur.core import plugins
from tracker_blur.core.detector_choice import AUTO, DetectorChoice
from tracker_blur.errors import SettingsError
from tracker_blur.pipeline import FrameEngine
from tracker_blur.service.problems import unavailable
from tracker_blur.settings import Settings
from tracker_blur.web.detector_bounds import check_values

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from tracker_blur.service.settings import ServiceSettings

T = TypeVar("T")

_BUSY = "too many requests wait already: try again later"
_STOPPING = "the service stops: ask another one, or try again later"


@dataclass(frozen=True, slots=True)
class Choice:
    """What a request wants detected, and by what.

    Attributes:
        detector: As in `Settings.detector`; None: that of the service.
        classes: As in `Settings.hide`.
    """

    detector: str | None = None
    classes: tuple[str, ...] = ()


class DetectorPool:
    """Runs work with detectors in threads of its own; used from one event loop.

    Args:
        settings: Of the service.
    """

    def __init__(self, settings: ServiceSettings) -> None:
        self._settings = settings
        self._limits = settings.limits
        self._slots = asyncio.Semaphore(self._limits.at_once)
        self._threads = ThreadPoolExecutor(self._limits.at_once, "trackblur detector")
        self._idle: list[tuple[Choice, FrameEngine]] = []  # the most recently used last
        self._lock = threading.Lock()  # for them
        self._is_closed = False
        self.waiting = 0
        self.running = 0

    @property
    def loaded(self) -> int:
        """How many detectors are loaded."""
        return len(self._idle) + self.running

    @property
    def is_closed(self) -> bool:
        """Whether it takes no more work."""
        return self._is_closed

    def warm_up(self) -> None:
        """Load the service's own detector, before there are requests.

        Raises:
            TrackerBlurError: It cannot be loaded.
        """
        choice = Choice()
        self._idle.append((choice, self._load(choice)))

    def check_room(self) -> None:
        """Raise Problem where a request would not even get into the queue."""
        if self._is_closed:
            raise unavailable(_STOPPING, 10)
        if self._slots.locked() and self.waiting >= self._limits.queue:
            raise unavailable(_BUSY)

    async def run(
        self,
        choice: Choice,
        work: Callable[[FrameEngine], T],
        is_gone: Callable[[], Awaitable[bool]],
    ) -> T:
        """Return what `work` returns for a detector, once it is its turn.

        Args:
            choice: The detector.
            work: Called in another thread.
            is_gone: Returns whether no one waits for the result any more; asked at the turn.

        Raises:
            Problem: The queue is full, it took too long, or the service stops.
            SettingsError: There is no such detector, or it has no such classes.
            ModelError: It cannot be loaded.
        """
        self.check_room()
        choice = self._checked(choice)
        await self._enter()
        self.running += 1
        try:
            if await is_gone():
                raise ClientDisconnect
            loop = asyncio.get_running_loop()
            return await loop.run_in_executor(self._threads, self._work, choice, work)
        finally:
            self.running -= 1
            self._slots.release()

    def close(self) -> None:
        """Take no more work; what runs or waits is completed."""
        self._is_closed = True

    def end(self) -> None:
        """Let go of the threads, once no request is left."""
        self._threads.shutdown(wait=False, cancel_futures=True)

    async def _enter(self) -> None:
        self.waiting += 1
        try:
            async with asyncio.timeout(self._limits.queue_seconds):
                await self._slots.acquire()
        except TimeoutError:
            raise unavailable(_BUSY) from None
        finally:
            self.waiting -= 1

    def _checked(self, choice: Choice) -> Choice:
        """Return a choice, always the same for the service's own detector.

        Raises:
            SettingsError: Requests may not name this detector, which is a file, or there is none;
                or its parameters make it slow.
        """
        if choice.detector in (None, self._settings.detector):
            return Choice(None, choice.classes)
        if (named := DetectorChoice.of(choice.detector)).is_file:
            known = ", ".join(sorted((AUTO, *plugins.names("tracker_blur.detectors"))))
            raise SettingsError(f"names a file: choose one of {known}", setting="detector")
        named.check()
        check_values(named)
        return choice

    def _work(self, choice: Choice, work: Callable[[FrameEngine], T]) -> T:
        engine = self._take(choice)
        try:
            return work(engine)
        finally:
            with self._lock:
                self._idle.append((choice, engine))
                del self._idle[: -self._limits.detectors]

    def _take(self, choice: Choice) -> FrameEngine:
        with self._lock:
            for place in reversed(range(len(self._idle))):
                if self._idle[place][0] == choice:
                    return self._idle.pop(place)[1]
        return self._load(choice)

    def _load(self, choice: Choice) -> FrameEngine:
        settings = Settings(
            detector=choice.detector or self._settings.detector,
            hide=choice.classes,
            models_folder=self._settings.models_folder,
        )
        engine = FrameEngine(settings)
        _ = engine.bundle  # is loaded now
        return engine
