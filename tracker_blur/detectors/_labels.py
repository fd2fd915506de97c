"""Names of the classes of networks that Ultralytics exported."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

_FACE = "face"
_LARGEST_NAME = 100
_SYNONYMS = {
    **dict.fromkeys(("face", "faces", "human face"), _FACE),
    **dict.fromkeys(("plate", "license plate", "licence plate", "number plate"), "plate"),
}


def class_names(metadata: Mapping[str, str], count: int) -> tuple[str, ...]:
    """Return the names in the metadata, or, without any, "face" for one class and numbers for more.

    Args:
        metadata: Of the file; "names" is a Python dictionary from class numbers to names.
        count: How many classes there are if it names none.
    """
    named = _named(metadata)
    if named is not None:
        return named
    return (_FACE,) if count == 1 else tuple(f"class{number}" for number in range(count))


def has_class_names(metadata: Mapping[str, str]) -> bool:
    """Return whether the metadata says what the classes are; otherwise they are made up."""
    return _named(metadata) is not None


def _named(metadata: Mapping[str, str]) -> tuple[str, ...] | None:
    try:
        names = ast.literal_eval(metadata.get("names", ""))
    except (ValueError, SyntaxError, MemoryError, RecursionError):
        names = None
    if isinstance(names, (list, tuple)):
        names = dict(enumerate(names))
    if isinstance(names, dict) and names and set(names) == set(range(len(names))):
        shown = (_printable(str(names[number])) for number in range(len(names)))
        return tuple(
            _SYNONYMS.get(name.casefold().replace("_", " "), name) or f"class{number}"
            for number, name in enumerate(shown)
        )
    return None


def _printable(name: str) -> str:
    # Commas separate classes on the command line.
    kept = "".join(each if each.isprintable() and each != "," else " " for each in name)
    return " ".join(kept.split())[:_LARGEST_NAME]
