"""The lines of a track file, read one by one; `docs/track-file.md` describes them."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Collection
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import numpy as np
import numpy.typing as npt

from tracker_blur.annotations.rows import (
    RefusedError,
    TrackCollector,
    name_text,
    shown,
    whole_number,
)
from tracker_blur.core.tracks import Tracks

FORMAT = "trackblur-tracks"
VERSION = 1
END_LINE = '{"end":true}'

_MOST_FRAMES = 10**8
_LARGEST_SIDE = 2**20
_LARGEST_TIME = 2**62
_HEADER_KEYS = {
    "format", "version", "trackblur", "source", "size", "time_base", "frames", "cuts", "detector",
    "models", "settings",
}  # fmt: skip
_KINDS = "'format' (the header), 'pts' (times), 'label' (a track), 'box' or 'end'"


@dataclass(frozen=True, slots=True)
class Header:
    """What the first line says; names as in the line."""

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


class LineReader:
    """Takes the lines of a track file, the header first, and the others in any order.

    The line that ends a file may come before the header, too: `sort` puts it there. What makes no
    sense is a RefusedError.
    """

    def __init__(self) -> None:
        self._header: Header | None = None
        self._collector = TrackCollector(0)
        self._times: list[tuple[int, npt.NDArray[np.int64]]] = []
        self._timed_frames = 0
        self._has_end = False

    def feed(self, text: str) -> None:
        """Take a line; an empty one is skipped."""
        if not text.strip():
            return
        line = _object(text)
        if "end" in line:
            self._feed_end(line)
        elif self._header is None:
            self._header = _header(line)
            self._collector = TrackCollector(self._header.frames)
        elif "pts" in line:
            self._feed_times(line, self._header.frames)
        elif "box" in line or "frame" in line:
            self._feed_box(line)
        elif "track" in line:
            _check_keys(line, {"track"}, {"hide", "method", "label"})
            self._collector.describe(
                line["track"],
                line.get("hide", True),
                line.get("method"),
                line.get("label", "face"),
            )
        elif "format" in line:
            raise RefusedError("is a second header: leave one of them")
        else:
            raise RefusedError(f"is no line of a track file: it needs {_KINDS}")

    def finish(self) -> tuple[Header, Tracks]:
        """Return what the lines said, after the last one."""
        header = self._header
        if header is None:
            raise RefusedError("is empty: make one with 'trackblur track'")
        if not self._has_end:
            raise RefusedError(
                f"is cut short, for the line {END_LINE} is missing, and faces may be, too: copy "
                "it again, or add that line if it was cut on purpose"
            )
        times = self._joined_times(header.frames)
        tracks = self._collector.tracks()
        return header, Tracks(header.size, header.time_base, times, header.cuts, tracks)

    def _feed_end(self, line: dict[str, Any]) -> None:
        _check_keys(line, {"end"})
        if line["end"] is not True:
            raise RefusedError(f"end is {shown(line['end'])}: give true")
        self._has_end = True

    def _feed_box(self, line: dict[str, Any]) -> None:
        _check_keys(line, {"track", "frame", "box"}, {"score", "origin"})
        box = line["box"]
        if not isinstance(box, list) or len(box) != 4:
            raise RefusedError(f"box is {shown(box)}: give [left, top, right, bottom]")
        self._collector.add(
            line["track"],
            line["frame"],
            box,
            line.get("score", 1.0),
            line.get("origin", "drawn"),
        )

    def _feed_times(self, line: dict[str, Any], frames: int) -> None:
        _check_keys(line, {"frame", "pts", "steps"})
        first = whole_number(line["frame"], "frame", 0, frames - 1)
        start = whole_number(line["pts"], "pts", -_LARGEST_TIME, _LARGEST_TIME)
        if not isinstance(line["steps"], list):
            raise RefusedError("steps is no list: give [[step, how many], ...]")
        room, reach = frames - first - 1, start
        pairs = []
        for pair in line["steps"]:
            if not isinstance(pair, list) or len(pair) != 2:
                raise RefusedError(f"steps holds {shown(pair)}: give [step, how many]")
            step = whole_number(pair[0], "a step", 1, _LARGEST_TIME)
            count = whole_number(pair[1], "how often a step comes", 1, room)
            room, reach = room - count, reach + step * count
            pairs.append((step, count))
        whole_number(reach, "the last time", -_LARGEST_TIME, _LARGEST_TIME)
        steps = np.array([start, *(step for step, _ in pairs)], np.int64)
        times = np.cumsum(np.repeat(steps, [1, *(count for _, count in pairs)]))
        self._timed_frames += len(times)
        if self._timed_frames > frames:
            raise RefusedError("gives the times of frames that another line gives, too: leave one")
        self._times.append((first, times))

    def _joined_times(self, frames: int) -> npt.NDArray[np.int64]:
        expected = 0
        self._times.sort(key=lambda part: part[0])
        for first, part in self._times:
            if first != expected:
                raise RefusedError(
                    f"the times of frame {min(first, expected)} are missing or doubled: write the "
                    "file anew with 'trackblur track'"
                )
            expected += len(part)
        if expected != frames:
            raise RefusedError(
                f"the times of frame {expected} are missing: write the file anew with "
                "'trackblur track'"
            )
        parts = [part for _, part in self._times]
        times = np.concatenate(parts) if parts else np.empty(0, np.int64)
        if np.any(np.diff(times) <= 0):
            frame = int(np.argmax(np.diff(times) <= 0)) + 1
            raise RefusedError(f"the time of frame {frame} is not after the one before it")
        return times


def _object(text: str) -> dict[str, Any]:
    try:
        line = _DECODER.decode(text)
    except RefusedError:
        raise
    except (ValueError, RecursionError) as error:
        raise RefusedError(
            f"is no JSON ({str(error).partition(':')[0].lower()}): each line must be one object "
            "in braces"
        ) from error
    if not isinstance(line, dict):
        raise RefusedError(f"is {shown(line)}: each line must be one object in braces")
    return line


def _no_doubles(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    line = dict(pairs)
    if len(line) != len(pairs):
        raise RefusedError("says a word twice: leave one of them")
    return line


def _no_constants(name: str) -> float:
    raise RefusedError(f"holds {name}, which is no number: give one, or leave the line out")


_DECODER = json.JSONDecoder(object_pairs_hook=_no_doubles, parse_constant=_no_constants)


def _check_keys(
    line: dict[str, Any], needed: Collection[str], allowed: Collection[str] = ()
) -> None:
    for key in needed:
        if key not in line:
            raise RefusedError(f"{key} is missing")
    for key in line:
        if key not in needed and key not in allowed:
            known = ", ".join(sorted({*needed, *allowed}))
            raise RefusedError(f"{shown(key)} is not known here: give {known}")


def _header(line: dict[str, Any]) -> Header:
    if line.get("format") != FORMAT:
        raise RefusedError("is not the header of a track file: make one with 'trackblur track'")
    version = whole_number(line.get("version"), "version", 1, _MOST_FRAMES)
    if version > VERSION:
        raise RefusedError(
            f"is of version {version}, and this trackblur knows {VERSION}: update trackblur"
        )
    _check_keys(line, _HEADER_KEYS)
    source = line["source"]
    if not isinstance(source, dict):
        raise RefusedError(f"source is {shown(source)}: give name, sha256 and bytes")
    _check_keys(source, {"name", "sha256", "bytes"})
    if not isinstance(source["name"], str):
        raise RefusedError(f"the source's name is {shown(source['name'])}: give a text")
    if not isinstance(source["sha256"], str) or not re.fullmatch("[0-9a-f]{64}", source["sha256"]):
        raise RefusedError(f"sha256 is {shown(source['sha256'])}: give 64 hexadecimal digits")
    frames = whole_number(line["frames"], "frames", 0, _MOST_FRAMES)
    width, height = _items(
        line["size"], "size", lambda side: whole_number(side, "a side", 1, _LARGEST_SIDE), 2
    )
    if not isinstance(line["settings"], dict):
        raise RefusedError(f"settings is {shown(line['settings'])}: give an object in braces")
    cuts = _items(line["cuts"], "cuts", lambda cut: whole_number(cut, "a cut", 1, frames - 1))
    return Header(
        source_name=source["name"],
        source_sha256=source["sha256"],
        source_bytes=whole_number(source["bytes"], "bytes", 0, _LARGEST_TIME),
        size=(width, height),
        time_base=_fraction(line["time_base"]),
        frames=frames,
        cuts=tuple(sorted(set(cuts))),
        detector=name_text(line["detector"], "detector"),
        models=tuple(_items(line["models"], "models", lambda name: name_text(name, "a model"))),
        settings=line["settings"],
    )


def _items(value: object, name: str, check: Callable[[object], Any], count: int = -1) -> list[Any]:
    if not isinstance(value, list) or count not in (-1, len(value)):
        raise RefusedError(f"{name} is {shown(value)}: give a list")
    return [check(item) for item in value]


def _fraction(value: object) -> Fraction:
    match = re.fullmatch("([1-9][0-9]{0,17})/([1-9][0-9]{0,17})", str(value))
    if match is None:
        raise RefusedError(f"time_base is {shown(value)}: give seconds such as '1/90000'")
    return Fraction(int(match[1]), int(match[2]))
