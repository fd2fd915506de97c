"""Frames as they come."""

from __future__ import annotations

from fractions import Fraction
from typing import TYPE_CHECKING, Any

import pytest

from tracker_blur import Settings
from tracker_blur.core.frame import VideoInfo
from tracker_blur.errors import SettingsError
from tracker_blur.pipeline import FrameEngine

if TYPE_CHECKING:
    from pathlib import Path


@pytest.mark.parametrize("name", ["keep_people", "hide_people"])
def test_frames_that_come_one_by_one_have_no_chosen_people(name: str, tmp_path: Path) -> None:
    given: dict[str, Any] = {name: tmp_path}
    info = VideoInfo((64, 64), Fraction(1), Fraction(25), None)
    with pytest.raises(SettingsError, match="redact a file") as caught:
        FrameEngine(Settings(**given)).single_pass(info)
    assert caught.value.setting == name
