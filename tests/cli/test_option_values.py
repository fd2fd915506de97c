"""Types of option values: what they read, and what they ask for instead."""

from __future__ import annotations

from argparse import ArgumentTypeError
from typing import TYPE_CHECKING, Any

import pytest

from tracker_blur.cli.option_values import (
    names,
    number,
    number_between,
    numbers,
    whole_number,
    whole_number_from,
    whole_number_or_auto,
)

if TYPE_CHECKING:
    from collections.abc import Callable


@pytest.mark.parametrize(
    ("read", "text", "value"),
    [
        (whole_number, "-3", -3),
        (whole_number_from(0), "0", 0),
        (whole_number_from(1), "1", 1),
        (number_between(0.2, 4), "0.2", 0.2),
        (number_between(0.2, 4), "4", 4.0),
        (number, "1e-3", 0.001),
        (numbers, "1,2.5", (1.0, 2.5)),
        (names, "faces, plates", ("faces", "plates")),
        (whole_number_or_auto, "auto", "auto"),
        (whole_number_or_auto, "5", 5),
    ],
)
def test_a_value_is_read(read: Callable[[str], Any], text: str, value: Any) -> None:
    assert read(text) == value


@pytest.mark.parametrize(
    ("read", "text", "message"),
    [
        (whole_number, "abc", "'abc': give a whole number"),
        (whole_number, "1.5", "'1.5': give a whole number"),
        (whole_number_from(0), "-1", "'-1': give a whole number from 0"),
        (whole_number_from(0), "a", "'a': give a whole number from 0"),
        (number_between(0.2, 4), "0.1", "'0.1': give a number from 0.2 to 4"),
        (number_between(0.2, 4), "5", "'5': give a number from 0.2 to 4"),
        (number_between(0.2, 4), "nan", "'nan': give a number from 0.2 to 4"),
        (number_between(0.2, 4), "much", "'much': give a number"),
        (whole_number_from(1), "0", "'0': give a whole number from 1"),
        (whole_number_from(1), "", "'': give a whole number from 1"),
        (number, "much", "'much': give a number"),
        (numbers, "1,,2", "'1,,2': give numbers separated by commas"),
        (whole_number_or_auto, "often", "'often': give a whole number, or 'auto'"),
    ],
)
def test_another_value_is_refused_with_what_to_give(
    read: Callable[[str], Any], text: str, message: str
) -> None:
    with pytest.raises(ArgumentTypeError) as refused:
        read(text)
    assert str(refused.value) == message
