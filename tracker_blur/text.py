"""Texts of any origin, such as names of files, in a form that a terminal can show."""

from __future__ import annotations

import unicodedata


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
