"""A setting that changes nothing is told by its name, one that does is not."""

from __future__ import annotations

from typing import Any

import pytest

from tracker_blur.cli.idle import idle
from tracker_blur.settings import Settings


@pytest.mark.parametrize(
    ("settings", "where"),
    [
        ({"factor": 2.0}, "the method gaussian"),
        ({"blocks": 7, "method": "fog"}, "the method pixelated"),
        ({"color": "#ffffff"}, "the method solid or image"),
        ({"hold_seconds": 2.0}, "one pass"),
        ({"margin_seconds": 1.0, "one_pass": True}, "two passes, and one where frames wait"),
    ],
)
def test_what_another_method_or_way_would_need_is_idle(
    settings: dict[str, Any], where: str
) -> None:
    (name,) = settings.keys() - {"method", "one_pass"}
    (line,) = idle(Settings(**settings), {"video"})
    assert line == f"`{name}` changes nothing here: it is for {where}"


@pytest.mark.parametrize(
    "settings",
    [
        {},
        {"factor": 2.0, "method": "simple"},
        {"blocks": 7},
        {"color": "#ffffff", "method": "solid"},
        {"hold_seconds": 2.0, "one_pass": True, "delay_seconds": 0.5},
        {"margin_seconds": 1.0},
        {"margin_seconds": 1.0, "one_pass": True, "delay_seconds": 0.5},
        {"codec": "vp9", "quality": 30.0, "preset": "4"},
    ],
)
def test_what_matters_is_not_idle(settings: dict[str, Any]) -> None:
    assert not list(idle(Settings(**settings), {"video", "picture"}))


def test_what_encoders_take_is_idle_where_only_pictures_are_written() -> None:
    settings = Settings(codec="h264", encoder="libx264", quality=20, preset="fast")
    lines = list(idle(settings, {"picture"}))
    assert [line.split("`")[1] for line in lines] == ["codec", "encoder", "quality", "preset"]
