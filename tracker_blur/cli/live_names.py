"""Checks that the source and the targets of `trackblur live` are different places."""

from __future__ import annotations

import re
from contextlib import suppress
from itertools import permutations
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias
from urllib.parse import urlsplit

from tracker_blur.errors import SettingsError
from tracker_blur.files.paths import is_same_file, real_path
from tracker_blur.realtime.addresses import address_name
from tracker_blur.realtime.targets.hls import SUFFIX, playlist_path

if TYPE_CHECKING:
    from collections.abc import Sequence

_STANDARD_STREAM = "-"
_SEGMENT_SUFFIX = ".ts"

_Place: TypeAlias = "str | Path"


def check_names(source: str, targets: Sequence[str], *, overwrite: bool) -> None:
    """Check that no target may overwrite another target or the source.

    Args:
        source: as named on the command line.
        targets: as named on the command line.
        overwrite: whether the numbered files of a recording may replace others.

    Raises:
        SettingsError: two of them are the same place, or may become the same.
    """
    names: dict[_Place, str] = {}
    for name in targets:
        place = _place(name)
        shown = address_name(name)
        if place in names:
            raise SettingsError(f"{shown}: is named twice by --to: name each target once")
        names[place] = name
        if name != _STANDARD_STREAM and (
            place == _place(source) or is_same_file(Path(name), Path(source))
        ):
            raise SettingsError(f"{shown}: is the source: choose another name")
        if isinstance(place, Path) and _has_part(place, Path(source), overwrite=overwrite):
            raise SettingsError(f"{shown}: would write a part over the source: choose another name")
    files = [(place, name) for place, name in names.items() if isinstance(place, Path)]
    for (whole, name), (part, other) in permutations(files, 2):
        if _has_part(whole, part, overwrite=overwrite):
            raise SettingsError(f"{other}: is the name of a part of {name}: choose another name")


def _place(name: str) -> _Place:
    """Return the same value for all names of a place."""
    if "://" in name:
        with suppress(ValueError):
            url = urlsplit(name)
            return f"{url.scheme.lower()}://{url.hostname}:{url.port}{url.path}"
    if name == _STANDARD_STREAM or "://" in name:
        return name
    return real_path(playlist_path(name))


def _has_part(target: Path, other: Path, *, overwrite: bool) -> bool:
    """Return whether a numbered file of the target would overwrite another file."""
    suffix = _SEGMENT_SUFFIX if target.suffix == SUFFIX else target.suffix
    part = real_path(other)
    return (
        (overwrite or target.suffix == SUFFIX)
        and (part.parent, part.suffix) == (target.parent, suffix)
        and re.fullmatch(rf"{re.escape(target.stem)}-\d+", part.stem) is not None
    )
