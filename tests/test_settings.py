"""Settings: a value of any wrong type or range is a SettingsError that names the setting."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tracker_blur.errors import SettingsError
from tracker_blur.settings import Settings

WRONG: list[tuple[str, Any]] = [
    *(("detector", value) for value in (3, None, "none", ["yunet"])),
    *(("models_folder", value) for value in (3, b"models", ["models"])),
    *(("confidence", value) for value in ("0.5", 1.5, float("nan"), True)),
    *(("detect_every_frames", value) for value in (0, 2.0, "2", None)),
    *(("view_px", value) for value in (3, "640", True)),
    *(("tracker", value) for value in (None, 3, ["csrt"])),
    *(("one_pass", value) for value in (1, "yes", None)),
    *(("delay_seconds", value) for value in ("1", -1, None)),
    *(("margin_seconds", value) for value in ("1", -1, None)),
    *(("hold_seconds", value) for value in ("1", -1, None)),
    *(("hide", value) for value in ("faces", ["faces"], (3,), ("",), None)),
    *(("ignore_zones", value) for value in ("1,2,3,4", (3,), ("1,2,3",), None)),
    *(("hide_zones", value) for value in (["1,2,3,4"], ("9s..5s=1,2,3,4",))),
    *(("min_size", value) for value in (0, "3px", True, "0%")),
    *(("max_size", value) for value in (-1, float("nan"), [3])),
    *(("from_seconds", value) for value in ("5s", -1, True)),
    *(("to_seconds", value) for value in ("5s", -1, float("nan"))),
    *(("keep_people", value) for value in (3, b"photos", ["photos"])),
    *(("hide_people", value) for value in (3, b"photos", ["photos"])),
    *(("method", value) for value in (3, None, ["solid"], "hidden")),
    *(("tone", value) for value in (3, None, ["scene"], "blue")),
    *(("accept_cosmetic", value) for value in (1, "yes", None)),
    *(("factor", value) for value in ("3", 0, None)),
    *(("blocks", value) for value in ("3", 0, 3.0, None)),
    *(("image", value) for value in (3, b"logo.png", ["logo.png"])),
    *(("color", value) for value in (3, None, (0, 0, 0))),
    *(("shape", value) for value in (3, None, ["ellipse"])),
    *(("padding_ratio", value) for value in ("0.3", -0.1, None)),
    *(("feather_ratio", value) for value in ("0.3", -0.1, None)),
    *(("codec", value) for value in (3, ["h264"], "x264")),
    *(("encoder", value) for value in (3, ["libx264"])),
    *(("quality", value) for value in ("high", float("inf"), True)),
    *(("preset", value) for value in (3, ["fast"])),
    *(("metadata", value) for value in (None, True, "maybe")),
    *(("partial", value) for value in (1, "yes", None)),
    *(("overwrite", value) for value in (1, "yes", None)),
    ("tracking", None),
]


@pytest.mark.parametrize(("name", "value"), WRONG)
def test_a_wrong_value_is_a_settings_error_that_names_the_setting(name: str, value: Any) -> None:
    with pytest.raises(SettingsError) as caught:
        Settings(**{name: value})
    assert caught.value.setting == name
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("name", ["models_folder", "image", "keep_people", "hide_people"])
def test_paths_may_be_text(name: str) -> None:
    given: dict[str, Any] = {name: "a/b"}
    assert getattr(Settings(**given), name) == Path("a/b")


def test_who_stays_visible_and_who_is_hidden_are_not_chosen_at_once() -> None:
    with pytest.raises(SettingsError, match="leave out `hide_people`") as caught:
        Settings(keep_people=Path("a"), hide_people=Path("b"))
    assert caught.value.setting == "keep_people"


@pytest.mark.parametrize("name", ["keep_people", "hide_people"])
def test_chosen_people_need_all_of_a_face(name: str) -> None:
    given: dict[str, Any] = {name: Path("a")}
    assert Settings(**given).chooses_people
    with pytest.raises(SettingsError, match="leave out `one_pass`") as caught:
        Settings(**given, one_pass=True)
    assert caught.value.setting == name
    assert not Settings().chooses_people
