"""The words of an edit: `3,7@1s..2s=10,-5` becomes a function from tracks to tracks.

IDS     track numbers as 3,7, or 'all'
WHEN    a time or a frame's number, see `timecodes`
WHILE   WHEN..WHEN, both included
BOX     left,top,right,bottom in pixels

What the words name, tracks and frames, is looked up when the edit is made. The functions raise
ValueError for words of another form.
"""

from __future__ import annotations

import argparse
import re
from collections.abc import Callable
from typing import TypeAlias

from tracker_blur.annotations import edits as track_edits
from tracker_blur.annotations.rows import LARGEST_ID, RefusedError, method_name
from tracker_blur.core import timecode
from tracker_blur.core.box import Box
from tracker_blur.core.tracks import Tracks
from tracker_blur.errors import SettingsError

Edit: TypeAlias = Callable[[Tracks], Tracks]

_EXAMPLES = {
    "IDS": "3,7",
    "ID": "3",
    "WHEN": "12.5s",
    "WHILE": "1s..2.5s",
    "METHOD": "solid",
    "DX,DY": "10,-5",
    "RATIO": "0.2",
    "BOX": "10,20,60,80",
    "[@WHILE]": "",
}
_EXAMPLED = re.compile("|".join(map(re.escape, _EXAMPLES)))


def edit_type(parse: Callable[[str], Edit], form: str) -> Callable[[str], Edit]:
    """Return a type for `argparse` whose errors show the form, with an example."""

    def parsed(text: str) -> Edit:
        try:
            return parse(text)
        except ValueError as error:
            detail = f": {error}" if isinstance(error, RefusedError) else ""
            example = _EXAMPLED.sub(lambda part: _EXAMPLES[part[0]], form)
            raise argparse.ArgumentTypeError(
                f"'{text}': give {form}, such as {example}{detail}"
            ) from error

    return parsed


def parse_hide(text: str) -> Edit:
    """Read IDS."""
    ids = _ids(text)
    return lambda tracks: track_edits.set_hidden(tracks, ids(tracks), True)


def parse_show(text: str) -> Edit:
    """Read IDS."""
    ids = _ids(text)
    return lambda tracks: track_edits.set_hidden(tracks, ids(tracks), False)


def parse_only(text: str) -> Edit:
    """Read IDS."""
    ids = _ids(text)
    return lambda tracks: track_edits.hide_only(tracks, ids(tracks))


def parse_drop(text: str) -> Edit:
    """Read IDS."""
    ids = _ids(text)
    return lambda tracks: track_edits.drop(tracks, ids(tracks))


def parse_merge(text: str) -> Edit:
    """Read IDS."""
    ids = _ids(text)
    return lambda tracks: track_edits.merge(tracks, ids(tracks))


def parse_method(text: str) -> Edit:
    """Read IDS=METHOD."""
    who, name = _halves(text, "=")
    ids, method = _ids(who), None if name == "default" else method_name(name)
    return lambda tracks: track_edits.set_method(tracks, ids(tracks), method)


def parse_drop_before(text: str) -> Edit:
    """Read IDS@WHEN."""
    who, when = _halves(text, "@")
    ids = _ids(who)

    def edit(tracks: Tracks) -> Tracks:
        frames = range(timecode.frame_at(tracks, when))
        return track_edits.drop_frames(tracks, ids(tracks), frames)

    return edit


def parse_drop_after(text: str) -> Edit:
    """Read IDS@WHEN."""
    who, when = _halves(text, "@")
    ids = _ids(who)

    def edit(tracks: Tracks) -> Tracks:
        frames = range(timecode.frame_at(tracks, when) + 1, tracks.frame_count)
        return track_edits.drop_frames(tracks, ids(tracks), frames)

    return edit


def parse_drop_in(text: str) -> Edit:
    """Read IDS@WHILE."""
    ids, frames = _ids_and_while(text, needs_while=True)
    return lambda tracks: track_edits.drop_frames(tracks, ids(tracks), frames(tracks))


def parse_move(text: str) -> Edit:
    """Read IDS[@WHILE]=DX,DY."""
    who, by = _halves(text, "=")
    ids, frames = _ids_and_while(who)
    dx, dy = (_number(part) for part in _halves(by, ","))
    return lambda tracks: track_edits.move(tracks, ids(tracks), frames(tracks), dx, dy)


def parse_pad(text: str) -> Edit:
    """Read IDS[@WHILE]=RATIO."""
    who, by = _halves(text, "=")
    ids, frames = _ids_and_while(who)
    ratio = _number(by)
    return lambda tracks: track_edits.pad(tracks, ids(tracks), frames(tracks), ratio)


def parse_draw(text: str) -> Edit:
    """Read ID@WHEN=BOX..WHEN=BOX."""
    who, keys = _halves(text, "@")
    track_id = _id(who)
    boxes = []
    for key in keys.split(".."):
        when, box = _halves(key, "=")
        left, top, right, bottom = (_number(part) for part in box.split(","))
        boxes.append((when, Box(left, top, right, bottom)))

    def edit(tracks: Tracks) -> Tracks:
        by_frame = {timecode.frame_at(tracks, when): box for when, box in boxes}
        if len(by_frame) < len(boxes):
            raise SettingsError(f"--draw {text} gives two boxes for one frame: leave one of them")
        return track_edits.draw(tracks, track_id, by_frame)

    return edit


def _ids(text: str) -> Callable[[Tracks], tuple[int, ...]]:
    if text == "all":
        return lambda tracks: tuple(track.track_id for track in tracks.tracks)
    ids = tuple(_id(part) for part in text.split(","))
    return lambda tracks: ids


def _ids_and_while(
    text: str, needs_while: bool = False
) -> tuple[Callable[[Tracks], tuple[int, ...]], Callable[[Tracks], range]]:
    if "@" not in text and not needs_while:
        return _ids(text), lambda tracks: range(tracks.frame_count)
    who, span = _halves(text, "@")
    start, end = _halves(span, "..")

    def frames(tracks: Tracks) -> range:
        first, last = (timecode.frame_at(tracks, when) for when in (start, end))
        if last < first:
            raise SettingsError(f"{span} ends before it begins")
        return range(first, last + 1)

    return _ids(who), frames


def _halves(text: str, separator: str) -> tuple[str, str]:
    first, found, second = text.partition(separator)
    if not (first and found and second):
        raise ValueError
    return first, second


def _id(text: str) -> int:
    if not re.fullmatch("[0-9]{1,10}", text) or int(text) > LARGEST_ID:
        raise ValueError
    return int(text)


def _number(text: str) -> float:
    if not re.fullmatch(r"[+-]?[0-9]{1,6}(\.[0-9]{1,6})?", text):
        raise ValueError
    return float(text)
