"""Words for people: texts of any origin that a terminal can show, counts, lists."""

from __future__ import annotations

import unicodedata
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence


def escaped(text: str) -> str:
    r"""Return a text on one line, with what a terminal would obey or cannot show as escapes.

    Control characters, line breaks, marks that change the direction of text, and bytes that are no
    Unicode are written as in Python: `\n`, `\x1b`, `\u202e`.
    """
    return "".join(
        letter
        if letter.isprintable() or unicodedata.category(letter) == "Zs"
        else letter.encode("unicode_escape").decode("ascii")
        for letter in text
    )


def counted(number: int, noun: str, plural: str = "") -> str:
    """Return "1 face", "2 faces"."""
    return f"{number} {noun if number == 1 else plural or f'{noun}s'}"


def listed(words: Sequence[str], conjunction: str = "or") -> str:
    """Return "one", "one or two", "one, two or three"."""
    return f" {conjunction} ".join(filter(None, (", ".join(words[:-1]), words[-1])))
