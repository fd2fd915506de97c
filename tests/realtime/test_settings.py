"""Live settings that make no sense are refused."""

from __future__ import annotations

from typing import Any

import pytest

from tracker_blur.errors import SettingsError
from tracker_blur.realtime.settings import LiveSettings


@pytest.mark.parametrize(
    "wrong",
    [
        {"size": (1, 100)},
        {"rate": 0.0},
        {"rate": float("nan")},
        {"timeout_seconds": 0.0},
        {"watchdog_seconds": float("inf")},
        {"transport": "pigeon"},
        {"segment_minutes": -1.0},
        {"token": ""},
    ],
)
def test_live_settings_that_make_no_sense_are_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(SettingsError):
        LiveSettings(**wrong)
