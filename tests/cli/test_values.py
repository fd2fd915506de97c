"""Values of options that make no sense are told what is wanted."""

from __future__ import annotations

from argparse import ArgumentTypeError
from collections.abc import Callable
from typing import Any

import pytest

from tracker_blur.cli.values import (
    between,
    every,
    from_zero,
    names,
    number,
    numbers,
    positive,
    whole_number,
)


@pytest.mark.parametrize(
    ("read", "text", "value"),
    [
        (whole_number, "-3", -3),
        (from_zero, "0", 0),
        (positive, "1", 1),
        (between(0.2, 4), "0.2", 0.2),
        (between(0.2, 4), "4", 4.0),
        (number, "1e-3", 0.001),
        (numbers, "1,2.5", (1.0, 2.5)),
        (names, "faces,,plates", ("faces", "plates")),
        (names, "", ()),
        (every, "auto", "auto"),
        (every, "5", 5),
    ],
)
def test_what_makes_sense_is_read(read: Callable[[str], Any], text: str, value: Any) -> None:
    assert read(text) == value


@pytest.mark.parametrize(
    ("read", "text", "wanted"),
    [
        (whole_number, "abc", "'abc': give a whole number"),
        (whole_number, "1.5", "'1.5': give a whole number"),
        (from_zero, "-1", "'-1': give a whole number from 0"),
        (from_zero, "a", "'a': give a whole number from 0"),
        (between(0.2, 4), "0.1", "'0.1': give a number from 0.2 to 4"),
        (between(0.2, 4), "5", "'5': give a number from 0.2 to 4"),
        (between(0.2, 4), "nan", "'nan': give a number from 0.2 to 4"),
        (between(0.2, 4), "much", "'much': give a number"),
        (positive, "0", "'0': give a whole number from 1"),
        (positive, "", "'': give a whole number from 1"),
        (number, "much", "'much': give a number"),
        (numbers, "1,,2", "'1,,2': give numbers joined by commas"),
        (every, "often", "'often': give a whole number, or 'auto'"),
    ],
)
def test_what_makes_none_is_told(read: Callable[[str], Any], text: str, wanted: str) -> None:
    with pytest.raises(ArgumentTypeError) as refused:
        read(text)
    assert str(refused.value) == wanted
