"""LiveSettings: what a live session needs beyond Settings, checked once."""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from tracker_blur.errors import SettingsError

Transport = Literal["tcp", "udp"]


@dataclass(frozen=True, slots=True, kw_only=True)
class LiveSettings:
    """How frames come, when all is hidden, and where they go; immutable.

    Raises SettingsError (a ValueError) at construction when a value makes no sense.

    Source
        size              (width, height) in pixels of the pictures; None: as the source's
        rate              frames a second; None: the source's
        transport         by which RTSP carries pictures
        timeout_seconds   a source that gives nothing for so long is connected anew
        raw_format        of frames on standard input: "WIDTHxHEIGHT:PIXEL_FORMAT", at `rate`;
                          None: they are encoded, as a file is
    Safety
        watchdog_seconds  all is hidden when the last look at the picture is older; at least the
                          time of three frames
        cover             a picture to show while all is hidden; None: a coarse mosaic
        hide_all          start with all hidden, and no sound
    Targets
        segment_minutes   begin another file after so long; None: never
        listen            "HOST:PORT" of the page; only the loopback address goes without a token
        token             what a page must be asked with; None: made up where one is needed
        stills_folder     where pictures that were asked for are saved
    """

    size: tuple[int, int] | None = None
    rate: float | None = None
    transport: Transport = "tcp"
    timeout_seconds: float = 5.0
    raw_format: str | None = None
    watchdog_seconds: float = 1.0
    cover: Path | None = None
    hide_all: bool = False
    segment_minutes: float | None = None
    listen: str = "127.0.0.1:8642"
    token: str | None = None
    stills_folder: Path = Path()

    def __post_init__(self) -> None:
        if self.size is not None and not all(
            isinstance(side, int) and 16 <= side <= 8192 for side in self.size
        ):
            raise SettingsError(f"`size` is {self.size}: give whole numbers from 16 to 8192")
        self._check("rate", 1.0, 240.0)
        self._check("timeout_seconds", 0.1, 3600.0)
        self._check("watchdog_seconds", 0.1, 60.0)
        self._check("segment_minutes", 0.01, 24 * 60.0)
        if self.token == "":
            raise SettingsError("`token` is empty: give one that cannot be guessed, or none")
        if self.transport not in ("tcp", "udp"):
            raise SettingsError(f"`transport` is '{self.transport}': choose tcp or udp")
        if self.raw_format is not None and self.rate is None:
            raise SettingsError("`raw_format` needs `rate`: raw frames do not tell their own")
        if not self.stills_folder.is_dir():
            raise SettingsError(
                f"`stills_folder` is {self.stills_folder}: there is no such folder: make it"
            )

    def _check(self, name: str, low: float, high: float) -> None:
        value = getattr(self, name)
        if value is not None and not (math.isfinite(value) and low <= value <= high):
            raise SettingsError(f"`{name}` is {value:g}: give a number from {low:g} to {high:g}")
