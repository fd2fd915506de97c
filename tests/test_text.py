"""Texts that a terminal can show."""

from __future__ import annotations

import pytest

from tracker_blur.text import counted, escaped, listed


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("plain name.mp4", "plain name.mp4"),
        ("two  spaces", "two  spaces"),
        ("Fähre 渡し船 🎥 3.45\u202fPM.png", "Fähre 渡し船 🎥 3.45\u202fPM.png"),
        ("a\nb\tc\rd", r"a\nb\tc\rd"),
        ("\x1b[2J\x07", r"\x1b[2J\x07"),
        ("\x9b31m", r"\x9b31m"),
        ("gpj.\u202etxt", r"gpj.\u202etxt"),
        ("not \udcff Unicode", r"not \udcff Unicode"),
    ],
)
def test_what_a_terminal_would_obey_is_escaped(text: str, shown: str) -> None:
    assert escaped(text) == shown


@pytest.mark.parametrize(("number", "text"), [(0, "0 faces"), (1, "1 face"), (2, "2 faces")])
def test_nouns_agree_with_numbers(number: int, text: str) -> None:
    assert counted(number, "face") == text


def test_nouns_may_have_a_plural_of_their_own() -> None:
    assert [counted(number, "box", "boxes") for number in (1, 2)] == ["1 box", "2 boxes"]


def test_lists_end_with_a_conjunction() -> None:
    assert [listed("abc"[:count]) for count in (1, 2, 3)] == ["a", "a or b", "a, b or c"]
    assert listed(["x", "y"], "and") == "x and y"
