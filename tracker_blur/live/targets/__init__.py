"""Targets: one file a kind; each takes redacted frames as they come.

A target is called by one thread, its own, and may be slow: it is always shown the newest frame.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from tracker_blur.live.controls import Controls
from tracker_blur.live.delivery import Delivery, Format, Sound
from tracker_blur.live.live_settings import LiveSettings
from tracker_blur.live.status import Status
from tracker_blur.settings import Settings


@dataclass(frozen=True, slots=True)
class Context:
    """What targets may need.

    settings  how files are written, among other things
    live      further options
    controls  what keys and buttons act on
    status    returns how the session fares, from any thread, at once
    """

    settings: Settings
    live: LiveSettings
    controls: Controls
    status: Callable[[], Status]


class Target(Protocol):
    """Something that shows, keeps or sends what is redacted.

    name  as the user wrote it
    """

    name: str

    def open(self, format: Format) -> None:
        """Get ready; raises SinkError when that fails. Called again after a failure."""
        ...

    def show(self, delivery: Delivery) -> None:
        """Take the next picture; raises SinkError when the target has failed."""
        ...

    def play(self, sound: Sound) -> None:
        """Take the next stretch of sound, which targets without sound leave alone.

        Raises SinkError when the target has failed.
        """
        ...

    def close(self) -> None:
        """Finish files and let go of all, also after a failure; never raises, may come twice."""
        ...


def open_target(text: str, context: Context) -> Target:
    """Return the target that a word such as "window" or "out.mkv" means; it is opened later.

    Raises SettingsError for a word that means none, MissingPackageError.
    """
    raise NotImplementedError(text)
