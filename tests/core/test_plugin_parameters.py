"""Parameters that plug-ins declare: their checks and descriptions."""

from __future__ import annotations

from dataclasses import dataclass

import pytest

from tracker_blur.core.plugin_parameters import PluginParameters, number, whole_number
from tracker_blur.errors import SettingsError


@dataclass(frozen=True, slots=True, kw_only=True)
class Parameters(PluginParameters):
    step: float = number(1.1, 1.01, 3, "ratio of sizes")
    size: int = whole_number(20, 1, 100, "smallest face")
    iou: float | None = number(None, 0, 1, "largest overlap", otherwise="0.3 or 0.4")


def test_texts_become_numbers_of_the_declared_type() -> None:
    parameters = Parameters.read({"step": "2", "size": "24", "iou": "1e-1"})
    assert parameters == Parameters(step=2.0, size=24, iou=0.1)
    assert isinstance(parameters.step, float)


def test_without_values_the_defaults_hold() -> None:
    assert Parameters.read({}) == Parameters(step=1.1, size=20, iou=None)


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"step": "4"}, "step=4.0: give a number from 1.01 to 3"),
        ({"step": "nan"}, "step=nan: give a number from 1.01 to 3"),
        ({"step": "quick"}, "step=quick: give a number from 1.01 to 3"),
        ({"size": "24.0"}, "size=24.0: give a whole number from 1 to 100"),
        ({"size": "101"}, "size=101: give a whole number from 1 to 100"),
        ({"iou": "None"}, "iou=None: give a number from 0 to 1"),
        ({"stride": "2"}, "no parameter is called 'stride': choose one of step, size, iou"),
    ],
)
def test_errors_say_what_is_wrong_and_what_is_right(values: dict[str, str], message: str) -> None:
    with pytest.raises(SettingsError) as caught:
        Parameters.read(values)
    assert str(caught.value) == message


def test_values_are_checked_at_construction() -> None:
    with pytest.raises(SettingsError, match="size=True: give a whole number"):
        Parameters(size=True)
    with pytest.raises(SettingsError, match="size=None: give a whole number"):
        Parameters(size=None)  # type: ignore[arg-type]  # this is the point


def test_descriptions_name_range_and_default() -> None:
    assert Parameters.described() == [
        ("step", "ratio of sizes; a number from 1.01 to 3 (default: 1.1)"),
        ("size", "smallest face; a whole number from 1 to 100 (default: 20)"),
        ("iou", "largest overlap; a number from 0 to 1 (default: 0.3 or 0.4)"),
    ]
