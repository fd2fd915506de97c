"""Values of options that make no sense are told what is wanted."""

from __future__ import annotations

from argparse import ArgumentTypeError
from collections.abc import Callable
from typing import Any

import pytest

from tracker_blur.commands.values import every, names, number, numbers, positive, whole_number


@pytest.mark.parametrize(
    ("read", "text", "value"),
    [
        (whole_number, "-3", -3),
        (positive, "1", 1),
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
