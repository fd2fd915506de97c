"""Clips for the tests; lets them import the benchmarks and makers of samples, no packages."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from tests.realtime.clips import swinging

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT / "samples"), str(ROOT / "benchmarks")]


@pytest.fixture
def clip(shared: Path) -> Path:
    """Return a short clip of two people."""
    return shared / "videos" / "two_heads.mp4"


@pytest.fixture(scope="module")
def long(shared: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a file in which that clip swings, for whoever waits for something to happen."""
    folder = tmp_path_factory.mktemp("long")
    return swinging(shared / "videos" / "two_heads.mp4", folder / "long.mp4")
