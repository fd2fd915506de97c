"""Parses the lines of a track file; `docs/track-file.md` describes them."""

from __future__ import annotations

import json
from operator import itemgetter
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from tracker_blur.annotations.candidate_lines import KEYS as CANDIDATE_KEYS
from tracker_blur.annotations.candidate_lines import MAX_CANDIDATES, candidate_of
from tracker_blur.annotations.rows import TrackCollector
from tracker_blur.annotations.rule_lines import RuleCollector
from tracker_blur.annotations.track_file_header import Header, header_of
from tracker_blur.annotations.values import (
    InvalidValueError,
    check_keys,
    invalid,
    items,
    shown,
    whole_number,
)
from tracker_blur.core.tracks import Tracks
from tracker_blur.settings import FACE

if TYPE_CHECKING:
    from tracker_blur.annotations.box_lines import BoxRows
    from tracker_blur.core.candidates import Candidate

END_LINE = '{"end":true}'

_MAX_TIME = 2**62
_LINE_KEYS = (
    "'format' (the header), 'pts' (times), 'label' (a track), 'box', 'zone', 'sound', 'limits', "
    "'candidate' or 'end'"
)


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
        self._rules = RuleCollector()
        self._candidates: dict[int, Candidate] = {}

    def feed(self, text: str) -> None:
        """Parse a line; empty lines are skipped."""
        if not text.strip():
            return
        line = _object(text)
        if "end" in line:
            self._feed_end(line)
        elif self._header is None:
            self._header = header_of(line)
            self._collector = TrackCollector(self._header.frames)
        elif "pts" in line:
            self._feed_times(line, self._header.frames)
        elif "box" in line or "frame" in line:
            self._feed_box(line)
        elif "track" in line:
            check_keys(line, {"track"}, {"hide", "method", "label"})
            self._collector.describe(
                line["track"],
                line.get("hide", True),
                line.get("method"),
                line.get("label", FACE),
            )
        elif "zone" in line:
            self._rules.add_zone(line)
        elif "sound" in line:
            self._rules.add_sound(line)
        elif "limits" in line:
            self._rules.set_limits(line)
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
            rules=self._rules.rules(header.size),
            candidates=tuple(one for _, one in sorted(self._candidates.items(), key=itemgetter(0))),
        )

    def _feed_candidate(self, line: dict[str, Any], frames: int) -> None:
        check_keys(line, CANDIDATE_KEYS)
        if len(self._candidates) == MAX_CANDIDATES:
            raise InvalidValueError(f"there are more than {MAX_CANDIDATES} candidates: remove some")
        count, candidate = candidate_of(line, frames)
        if count in self._candidates:
            raise InvalidValueError(f"candidate {count} is given twice: remove one of them")
        self._candidates[count] = candidate

    def _feed_end(self, line: dict[str, Any]) -> None:
        check_keys(line, {"end"})
        if line["end"] is not True:
            raise invalid("end", line["end"], "true")
        self._has_end = True

    def _feed_box(self, line: dict[str, Any]) -> None:
        check_keys(line, {"track", "frame", "box"}, {"score", "origin"})
        box = items(line["box"], "box", 4, "[left, top, right, bottom]")
        self._collector.add(
            line["track"],
            line["frame"],
            box,
            line.get("score", 1.0),
            line.get("origin", "drawn"),
        )

    def _feed_times(self, line: dict[str, Any], frames: int) -> None:
        check_keys(line, {"frame", "pts", "steps"})
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
