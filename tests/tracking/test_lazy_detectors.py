"""Detectors that are loaded when they are first used."""

from __future__ import annotations

import pytest

from tests.tracking.fakes import BrightDetector
from tracker_blur.tracking.lazy_detectors import LazyDetectors


def test_each_is_loaded_once_and_only_when_it_is_used() -> None:
    loaded: list[str] = []

    def loader(name: str) -> BrightDetector:
        loaded.append(name)
        return BrightDetector()

    detectors = LazyDetectors([lambda: loader("own"), lambda: loader("other")])
    assert len(detectors) == 2
    assert loaded == []
    first = detectors[0]
    assert loaded == ["own"]
    assert detectors[0] is detectors[-2] is first
    assert detectors[0:2] == [first, detectors[1]]
    assert loaded == ["own", "other"]
    with pytest.raises(IndexError):
        detectors[2]
