"""Words for people: texts of any origin that a terminal can show, counts, lists, pages."""

from __future__ import annotations

import html
import unicodedata
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence


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


def html_page(title: str, style: str, content: Iterable[str]) -> str:
    """Return a page that loads nothing from elsewhere and runs no scripts.

    Args:
        title: Its title, as plain text.
        style: CSS.
        content: The lines of HTML between `<main>` and `</main>`.
    """
    return "\n".join(
        (
            "<!DOCTYPE html>",
            '<html lang="en">',
            "<head>",
            '<meta charset="utf-8">',
            '<meta name="viewport" content="width=device-width, initial-scale=1">',
            '<meta http-equiv="Content-Security-Policy" content="default-src \'none\'; '
            "img-src data:; style-src 'unsafe-inline'\">",
            '<meta name="robots" content="noindex">',
            f"<title>{html.escape(title)}</title>",
            f"<style>{style}</style>",
            "</head>",
            "<body>",
            "<main>",
            *content,
            "</main>",
            "</body>",
            "</html>",
            "",
        )
    )
