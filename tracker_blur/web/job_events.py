"""Reads what a job's process appends to its progress file."""

from __future__ import annotations

import json
import math
from collections import deque
from contextlib import suppress
from pathlib import Path
from typing import Any

_WINDOW_SECONDS = 10.0
"""The speed is that of the last seconds: detecting and writing take turns."""

_LEAST_SECONDS = 0.5
MOST_WARNINGS = 100
_DAMAGED = ValueError, TypeError, KeyError, OverflowError, RecursionError


class JobEvents:
    """What a process has reported so far.

    Args:
        path: Its progress file; it may be missing.

    Attributes:
        process: The process's number.
        code: The exit code, once it has ended by itself.
        error: The last error.
        warnings: The first that it has warned of, each once and in order.
        warning_count: Of how many it has warned. Of more than are kept, repeated ones count again.
        written: The hash of each file that it has written.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._offset = 0
        self._done = 0.0
        self._total: float | None = None
        self._passes = 1
        self._recent: deque[tuple[float, float]] = deque()
        self.process: int | None = None
        self.code: int | None = None
        self.error: str | None = None
        self.warnings: list[str] = []
        self.warning_count = 0
        self.written: dict[Path, str] = {}

    def read(self) -> bool:
        """Read what is new; return whether anything is."""
        try:
            with self._path.open("rb") as file:
                file.seek(self._offset)
                data = file.read()
        except FileNotFoundError:
            return False
        lines = data[: data.rfind(b"\n") + 1]  # the last line may not be whole yet
        self._offset += len(lines)
        for line in lines.splitlines():
            with suppress(*_DAMAGED):  # as a full disk or a power failure leaves one
                self._take(json.loads(line))
        return bool(lines)

    def progress(self) -> dict[str, float | None]:
        """Return the share that is done, frames per second and the seconds that are left."""
        share = None if not self._total else round(min(1.0, self._done / self._total), 4)
        speed = self._speed()
        left = None
        if speed and self._total:
            left = round(max(0.0, self._total - self._done) / speed, 1)
        return {
            "progress": 1.0 if self.code == 0 else share,
            "frames_per_second": None if speed is None else round(speed / self._passes, 2),
            "seconds_left": left,
        }

    def _speed(self) -> float | None:
        """Return how much is done in a second; None if that is unknown, or nothing."""
        if not self._recent or self.code is not None:
            return None
        (first_at, first), (last_at, last) = self._recent[0], self._recent[-1]
        seconds = last_at - first_at
        return (last - first) / seconds if seconds > _LEAST_SECONDS and last > first else None

    def _take(self, event: dict[str, Any]) -> None:
        kind = event["event"]
        if kind == "progress":
            at, done, passes = _number(event["at"]), _number(event["done"]), int(event["passes"])
            self._total = None if event["total"] is None else _number(event["total"])
            self._done, self._passes = done, max(1, passes)
            self._recent.append((at, self._done))
            while at - self._recent[0][0] > _WINDOW_SECONDS:
                self._recent.popleft()
        elif kind == "warning":
            self._warn(str(event["text"]))
        elif kind == "written":
            self.written[Path(str(event["output"]))] = str(event["sha256"])
        elif kind == "error":
            self.error = str(event["text"])
        elif kind == "end":
            self.code = int(event["code"])
        elif kind == "begin":
            self.process = int(event["process"])

    def _warn(self, text: str) -> None:
        if text not in self.warnings:
            self.warning_count += 1
            if len(self.warnings) < MOST_WARNINGS:
                self.warnings.append(text)


def _number(value: object) -> float:
    """Return a finite number; raises ValueError or TypeError."""
    if not isinstance(value, int | float) or not math.isfinite(value):
        raise ValueError(value)
    return float(value)
