"""The first line of a track file: whose tracks they are, and how they were made."""

from __future__ import annotations

import re
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

from tracker_blur.annotations.values import (
    InvalidValueError,
    check_keys,
    invalid,
    items,
    name_text,
    number,
    whole_number,
)

FORMAT = "trackblur-tracks"
VERSION = 2

_MAX_FRAMES = 20_000_000  # a week at 30 a second; each takes 16 bytes while the file is read
_MAX_VERSION = 10**8
_MAX_SIDE_PX = 2**20
_MAX_SOURCE_BYTES = 2**62
_MAX_PADDING_RATIO = 100.0  # a face and a hundred of its sizes around it
_HEADER_KEYS = {
    "format", "version", "trackblur", "source", "size", "time_base", "frames", "cuts", "detector",
    "models", "settings",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Header:
    """The first line; names are those of its keys."""

    source_name: str
    source_sha256: str
    source_bytes: int
    size: tuple[int, int]
    time_base: Fraction
    frames: int
    cuts: tuple[int, ...]
    detector: str
    models: tuple[str, ...]
    settings: dict[str, Any]


def header_of(line: dict[str, Any]) -> Header:
    """Return what the first line says; raises InvalidValueError."""
    if line.get("format") != FORMAT:
        raise InvalidValueError(
            "is not the header of a track file: make a track file with 'trackblur track'"
        )
    version = whole_number(line.get("version"), "version", 1, _MAX_VERSION)
    if version > VERSION:
        raise InvalidValueError(
            f"has version {version}, but this trackblur reads version {VERSION}: update trackblur"
        )
    check_keys(line, _HEADER_KEYS)
    source = line["source"]
    if not isinstance(source, dict):
        raise invalid("source", source, "name, sha256 and bytes")
    check_keys(source, {"name", "sha256", "bytes"})
    if not isinstance(source["name"], str):
        raise invalid("the source's name", source["name"], "a text")
    if not isinstance(source["sha256"], str) or not re.fullmatch("[0-9a-f]{64}", source["sha256"]):
        raise invalid("sha256", source["sha256"], "64 hexadecimal digits")
    frames = whole_number(line["frames"], "frames", 0, _MAX_FRAMES)
    width, height = (
        whole_number(side, "a side", 1, _MAX_SIDE_PX) for side in items(line["size"], "size", 2)
    )
    _check_settings(line["settings"])
    cuts = (whole_number(cut, "a cut", 1, frames - 1) for cut in items(line["cuts"], "cuts"))
    return Header(
        source_name=source["name"],
        source_sha256=source["sha256"],
        source_bytes=whole_number(source["bytes"], "bytes", 0, _MAX_SOURCE_BYTES),
        size=(width, height),
        time_base=_fraction(line["time_base"]),
        frames=frames,
        cuts=tuple(sorted(set(cuts))),
        detector=name_text(line["detector"], "detector"),
        models=tuple(name_text(name, "a model") for name in items(line["models"], "models")),
        settings=line["settings"],
    )


def _check_settings(settings: object) -> None:
    """Check those settings that are used again; the others are for people to read."""
    if not isinstance(settings, dict):
        raise invalid("settings", settings, "an object in braces")
    hide = settings.get("hide", [])
    if not isinstance(hide, list) or not all(isinstance(name, str) for name in hide):
        raise invalid("hide", hide, 'a list of classes, such as ["faces"]')
    if "padding_ratio" in settings:
        number(settings["padding_ratio"], "padding_ratio", 0.0, _MAX_PADDING_RATIO)


def _fraction(value: object) -> Fraction:
    match = re.fullmatch("([1-9][0-9]{0,17})/([1-9][0-9]{0,17})", str(value))
    if match is None:
        raise invalid("time_base", value, "seconds such as '1/90000'")
    return Fraction(int(match[1]), int(match[2]))
