"""Live settings that make no sense are refused."""

from __future__ import annotations

from dataclasses import fields, replace
from typing import Any

import pytest

from tracker_blur.errors import SettingsError
from tracker_blur.realtime.settings import LiveSettings, LiveTiming


@pytest.mark.parametrize(
    "wrong",
    [
        {"size": (1, 100)},
        {"rate": 0.0},
        {"rate": float("nan")},
        {"timeout_seconds": 0.0},
        {"watchdog_seconds": float("inf")},
        {"transport": "pigeon"},
        {"transport": ["tcp"]},
        {"rate": "30"},
        {"rate": True},
        {"timeout_seconds": None},
        {"watchdog_seconds": "1"},
        {"segment_minutes": (1,)},
        {"token": 3},
        {"segment_minutes": -1.0},
        {"token": ""},
        {"token": "1234567"},
        {"token": "\udcff"},  # of a command line that is no UTF-8
        {"timing": None},
    ],
)
def test_live_settings_that_make_no_sense_are_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(SettingsError, match=f"`{next(iter(wrong))}` "):
        LiveSettings(**wrong)


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"watchdog_periods": float("inf")}, "give a number"),
        ({"watchdog_periods": 101}, "from 0 to 100"),
        ({"hanging_watchdogs": 0.5}, "of at least 1"),
        ({"poll_seconds": -0.1}, "of at least 0"),
        ({"view_shares": ()}, "give a tuple of one number or more"),
        ({"view_shares": (1.0, 0.0)}, "from 0.1 to 1"),
        ({"view_shares": 1.0}, "give a tuple"),
        ({"load_smoothing_share": 1.5}, "from 0 to 1"),
        ({"view_change_frames": 1.5}, "give a whole number"),
        ({"default_rate": 29.97}, "give a whole number or a fraction"),
    ],
)
def test_a_timing_that_makes_no_sense_is_refused(wrong: dict[str, Any], message: str) -> None:
    with pytest.raises(SettingsError, match=f"`timing` has {next(iter(wrong))}=.*{message}"):
        LiveTiming(**wrong)


def test_every_value_of_the_timing_has_a_unit() -> None:
    values: dict[str, Any] = {field.name: -1 for field in fields(LiveTiming)}
    for name, value in values.items():
        with pytest.raises(SettingsError, match=f"has {name}=-1"):
            replace(LiveTiming(), **{name: value})
