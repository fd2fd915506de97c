"""Remembers what teachers said about pictures: asking them again would take minutes."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from tracker_blur.atomic import replacing
from tracker_blur.boxes import Box
from tracker_blur.datasets import Annotated
from tracker_blur.errors import SettingsError


def remembered(
    pictures: Sequence[Annotated],
    file: Path,
    teachers: str,
    ask: Callable[[Annotated], Annotated],
) -> tuple[Annotated, ...]:
    """Return the pictures as the teachers label them; asks only for what the file does not hold.

    teachers   their names: what others said is forgotten

    Raises SettingsError for a file that is none of ours, SinkError when it cannot be written, and
    what `ask` raises.
    """
    known = _read(file, teachers)
    taught = []
    for picture in pictures:
        name = picture.path.as_posix()
        if name not in known:
            answer = ask(picture)
            known[name] = {
                "things": [(label, box.as_tuple()) for label, box in answer.things],
                "ignored": [box.as_tuple() for box in answer.ignored],
            }
        row = known[name]
        things = tuple((label, Box(*sides)) for label, sides in row["things"])
        ignored = tuple(Box(*sides) for sides in row["ignored"])
        taught.append(replace(picture, things=things, ignored=ignored))
    with replacing(file, overwrite=True) as partial:
        partial.write_text(json.dumps({"teachers": teachers, "pictures": known}), encoding="utf-8")
    return tuple(taught)


def _read(file: Path, teachers: str) -> dict[str, dict[str, list[Any]]]:
    if not file.is_file():
        return {}
    try:
        content = json.loads(file.read_text(encoding="utf-8"))
        known: dict[str, dict[str, list[Any]]] = content["pictures"]
        return known if content["teachers"] == teachers else {}
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise SettingsError(f"{file}: damaged: delete it, the teachers are asked again") from error
