"""How a queue runs jobs, and how many it takes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path


@dataclass(frozen=True, slots=True, kw_only=True)
class QueueSettings:
    """How a queue runs jobs, and how many it takes.

    Attributes:
        at_once: How many run at the same time.
        unfinished: How many may run and wait; None: any number.
        kept: How many there may be, with those that are over; None: any number.
        models_folder: A folder with weight files that jobs and reviews search first; None: none.
    """

    at_once: int = 1
    unfinished: int | None = None
    kept: int | None = None
    models_folder: Path | None = None
