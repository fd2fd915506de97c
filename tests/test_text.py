"""Texts that a terminal can show."""

from __future__ import annotations

import pytest

from tracker_blur.text import escaped


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
