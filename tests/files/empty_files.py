"""Empty files, for tests of names alone."""

from __future__ import annotations

from pathlib import Path


def touch(*names: str) -> None:
    """Create empty files, and the folders that they need."""
    for name in names:
        Path(name).parent.mkdir(parents=True, exist_ok=True)
        Path(name).touch()
