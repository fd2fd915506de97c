"""Checks the fields of an edit, which come from a browser or from a journal."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tracker_blur.annotations.rows import FARTHEST_PX, LARGEST_ID
from tracker_blur.annotations.values import (
    InvalidValueError,
    items,
    name_text,
    number,
    whole_number,
)
from tracker_blur.core.box import Box
from tracker_blur.core.tracks import Origin
from tracker_blur.errors import SettingsError

if TYPE_CHECKING:
    from collections.abc import Callable, Collection
    from typing import TypeVar

    T = TypeVar("T")

_LATEST_FRAME = 20_000_000
_MOST_ITEMS = 100_000
_ORIGINS = {origin.value: origin for origin in Origin}


class Fields:
    """The fields of one edit; each method raises SettingsError for what makes no sense.

    Args:
        edit: the edit.
        known: the fields that it may have, besides `op`.
    """

    def __init__(self, edit: dict[str, Any], known: Collection[str]) -> None:
        self._edit = edit
        for key in edit:
            if key != "op" and key not in known:
                expected = ", ".join(sorted(known)) or "nothing else"
                raise SettingsError(f"{str(key)[:40]!r} is unknown here: give {expected}")

    def __contains__(self, name: str) -> bool:
        return name in self._edit

    def is_null(self, name: str) -> bool:
        """Return whether a field is missing or null."""
        return self._edit.get(name) is None

    def whole(self, name: str, low: int = 0, high: int = LARGEST_ID) -> int:
        """Return a whole number within bounds."""
        return self._checked(whole_number, name, low, high)

    def frame(self, name: str) -> int:
        """Return the number of a frame."""
        return self.whole(name, 0, _LATEST_FRAME)

    def number(self, name: str) -> float:
        """Return a number of pixels."""
        return self._checked(number, name, -FARTHEST_PX, FARTHEST_PX)

    def ids(self, name: str) -> list[int]:
        """Return numbers of tracks or people: one at least, each once."""
        ids = self.optional_ids(name)
        if not ids:
            raise SettingsError(f"{name} is empty: choose one at least")
        return ids

    def optional_ids(self, name: str) -> list[int]:
        """Return numbers of tracks or people, each once."""
        values = self._list(name)
        ids = [self._called(whole_number, value, name, 0, LARGEST_ID) for value in values]
        return list(dict.fromkeys(ids))

    def numbers(self, name: str) -> dict[int, int]:
        """Return numbers by numbers: {"3": 12}."""
        return {
            key: self._called(whole_number, value, name, 0, LARGEST_ID)
            for key, value in self._by_number(name).items()
        }

    def text(self, name: str) -> str:
        """Return a text of any length that the request may have."""
        value = self._value(name)
        if not isinstance(value, str):
            raise SettingsError(f"{name} is no text: give one")
        return value

    def short_text(self, name: str) -> str:
        """Return a short printable text."""
        return self._checked(name_text, name)

    def box(self, name: str) -> Box:
        """Return a box: [left, top, right, bottom]."""
        return self._box(self._value(name), name)

    def keyframes(self, name: str) -> dict[int, Box]:
        """Return boxes by frame: {"12": [left, top, right, bottom]}."""
        boxes = {key: self._box(box, name) for key, box in self._by_number(name).items()}
        if not boxes:
            raise SettingsError(f"{name} is empty: draw one box at least")
        return boxes

    def found(self, name: str) -> dict[int, tuple[Box, Origin]]:
        """Return boxes with their origins, by frame: [[frame, x1, y1, x2, y2, origin]]."""
        found = {}
        for row in self._list(name):
            values = self._called(items, row, name, 6, "[frame, x1, y1, x2, y2, origin]")
            frame = self._called(whole_number, values[0], name, 0, _LATEST_FRAME)
            if not isinstance(values[5], str) or values[5] not in _ORIGINS:
                raise SettingsError(f"{name} has an unknown origin: give one of a track file")
            found[frame] = self._box(values[1:5], name), _ORIGINS[values[5]]
        return found

    def _list(self, name: str) -> list[Any]:
        values = self._checked(items, name)
        if len(values) > _MOST_ITEMS:
            raise SettingsError(f"{name} has {len(values)} items: give {_MOST_ITEMS} at most")
        return values

    def _by_number(self, name: str) -> dict[int, Any]:
        value = self._value(name)
        if not isinstance(value, dict) or len(value) > _MOST_ITEMS:
            raise SettingsError(f"{name} is no object: give one, with numbers as keys")
        for key in value:
            if not (isinstance(key, str) and key.isascii() and key.isdigit() and len(key) < 11):
                raise SettingsError(f"{name} has the key {str(key)[:20]!r}: give a number")
        return {int(key): item for key, item in value.items()}

    def _value(self, name: str) -> Any:
        if name not in self._edit:
            raise SettingsError(f"{name} is missing")
        return self._edit[name]

    def _box(self, value: object, name: str) -> Box:
        edges = self._called(items, value, name, 4, "[left, top, right, bottom]")
        box = Box(*(self._called(number, edge, name, -FARTHEST_PX, FARTHEST_PX) for edge in edges))
        if box.is_empty:
            raise SettingsError(f"{name} has no area: give left < right, top < bottom")
        return box

    def _checked(self, check: Callable[..., T], name: str, *arguments: object) -> T:
        return self._called(check, self._value(name), name, *arguments)

    @staticmethod
    def _called(check: Callable[..., T], value: object, name: str, *arguments: object) -> T:
        try:
            return check(value, name, *arguments)
        except InvalidValueError as error:
            raise SettingsError(str(error)) from error
