"""Parses the lines of a track file; `docs/track-file.md` describes them."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, replace
from fractions import Fraction
from operator import itemgetter
from typing import TYPE_CHECKING, Any, get_args

import numpy as np
import numpy.typing as npt

from tracker_blur.annotations.candidate_lines import KEYS as CANDIDATE_KEYS
from tracker_blur.annotations.candidate_lines import MAX_CANDIDATES, candidate_of
from tracker_blur.annotations.rows import (
    LARGEST_ID,
    InvalidValueError,
    TrackCollector,
    invalid,
    items,
    name_text,
    number,
    shown,
    whole_number,
)
from tracker_blur.core.audio_spans import MAX_AUDIO_SPANS, AudioEffect, AudioSpan
from tracker_blur.core.rules import Rules, Size
from tracker_blur.core.times import seconds_of
from tracker_blur.core.tracks import Tracks
from tracker_blur.core.zones import MAX_ZONES, Zone, ZoneRule
from tracker_blur.errors import SettingsError
from tracker_blur.settings import FACE

if TYPE_CHECKING:
    from collections.abc import Collection

    from tracker_blur.annotations.box_lines import BoxRows
    from tracker_blur.core.candidates import Candidate

FORMAT = "trackblur-tracks"
VERSION = 2
END_LINE = '{"end":true}'

_MAX_FRAMES = 20_000_000  # a week at 30 a second; each takes 16 bytes while the file is read
_MAX_VERSION = 10**8
_MAX_SIDE_PX = 2**20
_MAX_TIME = 2**62
_MAX_PADDING_RATIO = 100.0  # a face and a hundred of its sizes around it
_HEADER_KEYS = {
    "format", "version", "trackblur", "source", "size", "time_base", "frames", "cuts", "detector",
    "models", "settings",
}  # fmt: skip
_LIMIT_KEYS = {"min_size", "max_size", "from", "to"}
_LINE_KEYS = (
    "'format' (the header), 'pts' (times), 'label' (a track), 'box', 'zone', 'sound', 'limits', "
    "'candidate' or 'end'"
)


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


class TrackFileParser:
    """Parses a track file line by line: the header first, then the others in any order.

    Only the line that ends a file may come before the header, because `sort` puts it there. An
    invalid line raises InvalidValueError.
    """

    def __init__(self) -> None:
        self._header: Header | None = None
        self._collector = TrackCollector(0)
        self._times: list[tuple[int, npt.NDArray[np.int64]]] = []
        self._timed_frames = 0
        self._has_end = False
        self._zones: dict[int, Zone] = {}
        self._sounds: dict[int, AudioSpan] = {}
        self._limits: dict[str, Any] | None = None
        self._candidates: dict[int, Candidate] = {}

    def feed(self, text: str) -> None:
        """Parse a line; empty lines are skipped."""
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
                line.get("label", FACE),
            )
        elif "zone" in line:
            self._feed_zone(line)
        elif "sound" in line:
            self._feed_sound(line)
        elif "limits" in line:
            self._feed_limits(line)
        elif "candidate" in line:
            self._feed_candidate(line, self._header.frames)
        elif "format" in line:
            raise InvalidValueError("is a second header: remove one of them")
        else:
            raise InvalidValueError(f"is not a line of a track file: it needs {_LINE_KEYS}")

    def feed_boxes(self, rows: BoxRows) -> bool:
        """Add many boxes as `TrackCollector.add_rows` does; before the header, none makes sense."""
        return self._collector.add_rows(rows)

    def finish(self) -> tuple[Header, Tracks]:
        """Return the header and the tracks, after the last line."""
        header = self._header
        if header is None:
            raise InvalidValueError("is empty: make a track file with 'trackblur track'")
        if not self._has_end:
            raise InvalidValueError(
                f"is truncated: the line {END_LINE} is missing, and faces may be missing, too: "
                "copy the file again, or add that line if it was shortened on purpose"
            )
        times = self._all_times(header.frames)
        tracks = self._collector.tracks()
        return header, Tracks(
            header.size,
            header.time_base,
            times,
            header.cuts,
            tracks,
            rules=self._rules(header),
            candidates=tuple(one for _, one in sorted(self._candidates.items(), key=itemgetter(0))),
        )

    def _feed_candidate(self, line: dict[str, Any], frames: int) -> None:
        _check_keys(line, CANDIDATE_KEYS)
        if len(self._candidates) == MAX_CANDIDATES:
            raise InvalidValueError(f"there are more than {MAX_CANDIDATES} candidates: remove some")
        count, candidate = candidate_of(line, frames)
        if count in self._candidates:
            raise InvalidValueError(f"candidate {count} is given twice: remove one of them")
        self._candidates[count] = candidate

    def _feed_zone(self, line: dict[str, Any]) -> None:
        _check_keys(line, {"zone", "rule", "where"})
        number = whole_number(line["zone"], "zone", 1, LARGEST_ID)
        if number in self._zones:
            raise InvalidValueError(f"zone {number} is given twice: remove one of them")
        if line["rule"] not in get_args(ZoneRule):
            raise invalid("rule", line["rule"], " or ".join(get_args(ZoneRule)))
        if not isinstance(line["where"], str):
            raise invalid("where", line["where"], "a text such as '10,20,200,80'")
        if len(self._zones) == MAX_ZONES:
            raise InvalidValueError(f"there are more than {MAX_ZONES} zones: remove some")
        try:
            self._zones[number] = Zone.parse(line["rule"], line["where"])
        except ValueError as error:
            raise InvalidValueError(f"zone {number} {error}") from error

    def _feed_sound(self, line: dict[str, Any]) -> None:
        _check_keys(line, {"sound", "effect", "where"})
        number = whole_number(line["sound"], "sound", 1, LARGEST_ID)
        if number in self._sounds:
            raise InvalidValueError(f"sound {number} is given twice: remove one of them")
        if line["effect"] not in get_args(AudioEffect):
            raise invalid("effect", line["effect"], " or ".join(get_args(AudioEffect)))
        if not isinstance(line["where"], str):
            raise invalid("where", line["where"], "a text such as '10s..15s'")
        if len(self._sounds) == MAX_AUDIO_SPANS:
            raise InvalidValueError(f"there are more than {MAX_AUDIO_SPANS} sounds: remove some")
        try:
            self._sounds[number] = AudioSpan.parse(line["effect"], line["where"])
        except ValueError as error:
            raise InvalidValueError(f"sound {number} {error}") from error

    def _feed_limits(self, line: dict[str, Any]) -> None:
        _check_keys(line, {"limits"})
        if self._limits is not None:
            raise InvalidValueError("is a second line of limits: remove one of them")
        if not isinstance(line["limits"], dict):
            raise invalid("limits", line["limits"], "an object in braces")
        _check_keys(line["limits"], (), _LIMIT_KEYS)
        self._limits = line["limits"]
        self._checked_limits()

    def _checked_limits(self) -> Rules:
        """Return the limits as rules without zones."""
        try:
            return Rules(
                min_size=self._size("min_size"),
                max_size=self._size("max_size"),
                start=self._time("from"),
                end=self._time("to"),
            )
        except SettingsError as error:
            raise InvalidValueError(str(error)) from error

    def _size(self, key: str) -> Size | None:
        value = (self._limits or {}).get(key)
        try:
            return None if value is None else Size.parse(value)
        except ValueError as error:
            raise InvalidValueError(f"{key} {error}") from error

    def _time(self, key: str) -> Fraction | None:
        value = (self._limits or {}).get(key)
        seconds = seconds_of(value) if isinstance(value, str) else None
        if value is not None and seconds is None:
            raise invalid(key, value, "a time such as '12.5s' or '1:02:03.4'")
        return seconds

    def _rules(self, header: Header) -> Rules:
        zones = tuple(zone for _, zone in sorted(self._zones.items(), key=itemgetter(0)))
        for zone_number, zone in self._zones.items():
            if not zone.meets(header.size):
                raise InvalidValueError(
                    f"zone {zone_number} lies outside of the frame, which has "
                    f"{header.size[0]}x{header.size[1]} pixels: give a place in it"
                )
        audio = tuple(span for _, span in sorted(self._sounds.items(), key=itemgetter(0)))
        return replace(self._checked_limits(), zones=zones, audio=audio)

    def _feed_end(self, line: dict[str, Any]) -> None:
        _check_keys(line, {"end"})
        if line["end"] is not True:
            raise invalid("end", line["end"], "true")
        self._has_end = True

    def _feed_box(self, line: dict[str, Any]) -> None:
        _check_keys(line, {"track", "frame", "box"}, {"score", "origin"})
        box = items(line["box"], "box", 4, "[left, top, right, bottom]")
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
        start = whole_number(line["pts"], "pts", -_MAX_TIME, _MAX_TIME)
        remaining, end = frames - first - 1, start
        pairs = []
        for pair in items(line["steps"], "steps", expected="[[step, count], ...]"):
            step, count = items(pair, "an item of steps", 2, "[step, count]")
            step = whole_number(step, "a step", 1, _MAX_TIME)
            count = whole_number(count, "the count of a step", 1, remaining)
            remaining, end = remaining - count, end + step * count
            pairs.append((step, count))
        whole_number(end, "the last time", -_MAX_TIME, _MAX_TIME)
        steps = np.array([start, *(step for step, _ in pairs)], np.int64)
        times = np.repeat(steps, [1, *(count for _, count in pairs)])
        np.cumsum(times, out=times)
        self._timed_frames += len(times)
        if self._timed_frames > frames:
            raise InvalidValueError(
                "repeats the times of frames that another line gives: remove one of them"
            )
        self._times.append((first, times))

    def _all_times(self, frames: int) -> npt.NDArray[np.int64]:
        expected = 0
        self._times.sort(key=lambda part: part[0])
        for first, part in self._times:
            if first != expected:
                raise InvalidValueError(
                    f"the times of frame {min(first, expected)} are missing or repeated: write the "
                    "file again with 'trackblur track'"
                )
            expected += len(part)
        if expected != frames:
            raise InvalidValueError(
                f"the times of frame {expected} are missing: write the file again with "
                "'trackblur track'"
            )
        parts = [part for _, part in self._times]
        times = parts[0] if len(parts) == 1 else np.concatenate([*parts, np.empty(0, np.int64)])
        is_late = times[1:] <= times[:-1]
        if is_late.any():
            frame = int(np.argmax(is_late)) + 1
            raise InvalidValueError(f"the time of frame {frame} is not after the one before it")
        return times


def _object(text: str) -> dict[str, Any]:
    try:
        line = _DECODER.decode(text)
    except InvalidValueError:
        raise
    except (ValueError, RecursionError) as error:
        raise InvalidValueError(
            f"is not valid JSON ({str(error).partition(':')[0].lower()}): give one object in "
            "braces on each line"
        ) from error
    if not isinstance(line, dict):
        raise InvalidValueError(f"is {shown(line)}: give one object in braces on each line")
    return line


def _reject_duplicates(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    line = dict(pairs)
    if len(line) != len(pairs):
        raise InvalidValueError("has a key twice: remove one of them")
    return line


def _reject_constant(name: str) -> float:
    raise InvalidValueError(
        f"holds {name}, which is not a number: give a number, or remove the line"
    )


_DECODER = json.JSONDecoder(object_pairs_hook=_reject_duplicates, parse_constant=_reject_constant)


def _check_keys(
    line: dict[str, Any], needed: Collection[str], allowed: Collection[str] = ()
) -> None:
    for key in needed:
        if key not in line:
            raise InvalidValueError(f"{key} is missing")
    for key in line:
        if key not in needed and key not in allowed:
            known = ", ".join(sorted({*needed, *allowed}))
            raise InvalidValueError(f"{shown(key)} is unknown here: give {known}")


def _header(line: dict[str, Any]) -> Header:
    if line.get("format") != FORMAT:
        raise InvalidValueError(
            "is not the header of a track file: make a track file with 'trackblur track'"
        )
    version = whole_number(line.get("version"), "version", 1, _MAX_VERSION)
    if version > VERSION:
        raise InvalidValueError(
            f"has version {version}, but this trackblur reads version {VERSION}: update trackblur"
        )
    _check_keys(line, _HEADER_KEYS)
    source = line["source"]
    if not isinstance(source, dict):
        raise invalid("source", source, "name, sha256 and bytes")
    _check_keys(source, {"name", "sha256", "bytes"})
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
        source_bytes=whole_number(source["bytes"], "bytes", 0, _MAX_TIME),
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
