"""Fixtures that every test may use."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from hypothesis import settings

ROOT = Path(__file__).resolve().parents[1]

settings.register_profile("untimed", deadline=None)  # a busy machine is no failure
settings.load_profile("untimed")


@pytest.fixture(scope="session")
def shared() -> Path:
    """Return the folder with annotated clips and model files; skip where it is missing."""
    folder = ROOT.parent / "shared"
    if not (folder / "videos").is_dir():
        if "TRACKBLUR_REQUIRE_SHARED" in os.environ:
            pytest.fail("TRACKBLUR_REQUIRE_SHARED is set, and ../shared is missing")
        pytest.skip("the folder ../shared with annotated clips and model files is missing")
    return folder
