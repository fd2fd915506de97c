"""Fixtures that every test may use."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

from tests.clips import swinging

ROOT = Path(__file__).resolve().parents[1]
# Tests import the benchmarks and the makers of samples, which are no packages.
sys.path[:0] = [str(ROOT / "samples"), str(ROOT / "benchmarks")]

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


@pytest.fixture
def clip(shared: Path) -> Path:
    """Return a short clip of two people."""
    return shared / "videos" / "two_heads.mp4"


@pytest.fixture(scope="module")
def long(shared: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a file in which that clip swings, for tests that wait for something to happen."""
    folder = tmp_path_factory.mktemp("long")
    return swinging(shared / "videos" / "two_heads.mp4", folder / "long.mp4")
