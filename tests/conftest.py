"""Fixtures that every test may use."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

ROOT = Path(__file__).resolve().parents[1]

# A busy machine is no failure, and every run has one outcome. To search further than that:
# `pytest --hypothesis-profile=default`.
settings.register_profile(
    "steady",
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture],
)
settings.load_profile("steady")

# What tests talk to is on this machine; a proxy that the environment names is not asked.
os.environ["no_proxy"] = os.environ["NO_PROXY"] = "127.0.0.1,localhost"


@pytest.fixture(scope="session")
def shared() -> Path:
    """Return the folder with annotated clips and model files; skip where it is missing."""
    folder = ROOT.parent / "shared"
    if not (folder / "videos").is_dir():
        if "TRACKBLUR_REQUIRE_SHARED" in os.environ:
            pytest.fail("TRACKBLUR_REQUIRE_SHARED is set, and ../shared is missing")
        pytest.skip("the folder ../shared with annotated clips and model files is missing")
    return folder
