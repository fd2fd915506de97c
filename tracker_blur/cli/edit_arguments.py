"""Arguments that edit tracks: `3,7@1s..2s=10,-5` becomes a function from tracks to tracks.

```
IDS     track numbers such as 3,7, or 'all'
WHEN    a time or a frame number, see `tracker_blur.core.timecode`
WHILE   WHEN..WHEN, including both
BOX     left,top,right,bottom in pixels
```

Each `parse_` function raises ValueError for text of another form. The edit looks up its tracks and
frames when it is applied, and raises SettingsError where there are none.
"""

from __future__ import annotations

import argparse
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

from tracker_blur.annotations import edits, rule_edits
from tracker_blur.annotations.rows import LARGEST_ID
from tracker_blur.annotations.values import InvalidValueError, method_name
from tracker_blur.core import timecode, times
from tracker_blur.core.audio_spans import AudioEffect, AudioSpan
from tracker_blur.core.box import Box
from tracker_blur.core.rules import Size
from tracker_blur.core.tracks import Tracks
from tracker_blur.core.zones import Zone, ZoneRule
from tracker_blur.errors import SettingsError

if TYPE_CHECKING:
    from fractions import Fraction

Edit: TypeAlias = Callable[[Tracks], Tracks]

_EXAMPLES = {
    "..WHEN=BOX": "..14s=15,20,65,80",
    "IDS": "3,7",
    "ID": "3",
    "WHEN": "12.5s",
    "WHILE": "1s..2.5s",
    "METHOD": "solid",
    "DX,DY": "10,-5",
    "RATIO": "0.2",
    "BOX": "10,20,60,80",
    "ZONE": "5s..9s=10,20,60,80",
    "NUMBERS": "1,2",
    "SPAN": "10s..15s",
    "SIZE": "3%",
    "TIME": "12.5s",
    "[@WHILE]": "",
}
_EXAMPLED = re.compile("|".join(map(re.escape, _EXAMPLES)))


def parse(flag: str, form: str, text: str) -> Edit:
    """Return the edit of an option with this value.

    Args:
        flag: the option, a key of `PARSERS`.
        form: of its values, for the error.
        text: the value.

    Raises:
        argparse.ArgumentTypeError: the value has another form; the error has an example.
    """
    try:
        return PARSERS[flag](text)
    except ValueError as error:
        detail = f": {error}" if isinstance(error, InvalidValueError) else ""
        example = _EXAMPLED.sub(lambda part: _EXAMPLES[part[0]], form)
        raise argparse.ArgumentTypeError(
            f"'{text}': give {form}, such as {example}{detail}"
        ) from error


def parse_hide(text: str) -> Edit:
    """Parse IDS."""
    ids = _track_ids(text)
    return lambda tracks: edits.set_hidden(tracks, ids(tracks), True)


def parse_show(text: str) -> Edit:
    """Parse IDS."""
    ids = _track_ids(text)
    return lambda tracks: edits.set_hidden(tracks, ids(tracks), False)


def parse_only(text: str) -> Edit:
    """Parse IDS."""
    ids = _track_ids(text)
    return lambda tracks: edits.hide_only(tracks, ids(tracks))


def parse_drop(text: str) -> Edit:
    """Parse IDS."""
    ids = _track_ids(text)
    return lambda tracks: edits.drop(tracks, ids(tracks))


def parse_merge(text: str) -> Edit:
    """Parse IDS."""
    ids = _track_ids(text)
    return lambda tracks: edits.merge(tracks, ids(tracks))


def parse_method(text: str) -> Edit:
    """Parse IDS=METHOD."""
    who, name = _split(text, "=")
    ids, method = _track_ids(who), None if name == "default" else method_name(name, "default")
    return lambda tracks: edits.set_method(tracks, ids(tracks), method)


def parse_drop_before(text: str) -> Edit:
    """Parse IDS@WHEN."""
    who, when = _split(text, "@")
    ids = _track_ids(who)

    def edit(tracks: Tracks) -> Tracks:
        frames = range(timecode.frame_at(tracks, when))
        return edits.drop_frames(tracks, ids(tracks), frames)

    return edit


def parse_drop_after(text: str) -> Edit:
    """Parse IDS@WHEN."""
    who, when = _split(text, "@")
    ids = _track_ids(who)

    def edit(tracks: Tracks) -> Tracks:
        frames = range(timecode.frame_at(tracks, when) + 1, tracks.frame_count)
        return edits.drop_frames(tracks, ids(tracks), frames)

    return edit


def parse_drop_in(text: str) -> Edit:
    """Parse IDS@WHILE."""
    ids, frames = _ids_and_frames(text, needs_frames=True)
    return lambda tracks: edits.drop_frames(tracks, ids(tracks), frames(tracks))


def parse_move(text: str) -> Edit:
    """Parse IDS[@WHILE]=DX,DY."""
    who, by = _split(text, "=")
    ids, frames = _ids_and_frames(who)
    dx, dy = (_number(part) for part in _split(by, ","))
    return lambda tracks: edits.move(tracks, ids(tracks), frames(tracks), dx, dy)


def parse_pad(text: str) -> Edit:
    """Parse IDS[@WHILE]=RATIO."""
    who, by = _split(text, "=")
    ids, frames = _ids_and_frames(who)
    ratio = _number(by)
    return lambda tracks: edits.pad(tracks, ids(tracks), frames(tracks), ratio)


@dataclass(frozen=True, slots=True)
class Drawing:
    """Draws boxes into a track, as an edit.

    Attributes:
        text: the option's value, for errors.
        track_id: number of the track.
        boxes: each with its time or frame number.
    """

    text: str
    track_id: int
    boxes: tuple[tuple[str, Box], ...]

    def __call__(self, tracks: Tracks) -> Tracks:
        """Return the tracks with the boxes; raises SettingsError."""
        return edits.draw(tracks, self.track_id, self.keyframes(tracks))

    def keyframes(self, tracks: Tracks) -> dict[int, Box]:
        """Return the boxes by frame; raises SettingsError."""
        by_frame = {
            timecode.frame_at(tracks, when, may_be_later=False): box for when, box in self.boxes
        }
        if len(by_frame) < len(self.boxes):
            raise SettingsError(f"--draw {self.text} gives two boxes for one frame: leave out one")
        return by_frame


def parse_draw(text: str) -> Drawing:
    """Parse ID@WHEN=BOX..WHEN=BOX."""
    who, keys = _split(text, "@")
    track_id = _track_id(who)
    boxes = []
    for key in keys.split(".."):
        when, box = _split(key, "=")
        left, top, right, bottom = (_number(part) for part in box.split(","))
        boxes.append((when, Box(left, top, right, bottom)))
    return Drawing(text, track_id, tuple(boxes))


def parse_ignore_zone(text: str) -> Edit:
    """Parse ZONE."""
    zone = _zone("ignore", text)
    return lambda tracks: rule_edits.add_zone(tracks, zone)


def parse_hide_zone(text: str) -> Edit:
    """Parse ZONE."""
    zone = _zone("hide", text)
    return lambda tracks: rule_edits.add_zone(tracks, zone)


def parse_drop_zone(text: str) -> Edit:
    """Parse NUMBERS."""
    numbers = [_track_id(part) for part in text.split(",")]
    return lambda tracks: rule_edits.drop_zones(tracks, numbers)


def parse_mute(text: str) -> Edit:
    """Parse SPAN."""
    span = _audio_span("mute", text)
    return lambda tracks: rule_edits.add_sound(tracks, span)


def parse_bleep(text: str) -> Edit:
    """Parse SPAN."""
    span = _audio_span("bleep", text)
    return lambda tracks: rule_edits.add_sound(tracks, span)


def parse_drop_sound(text: str) -> Edit:
    """Parse NUMBERS."""
    numbers = [_track_id(part) for part in text.split(",")]
    return lambda tracks: rule_edits.drop_sounds(tracks, numbers)


def _audio_span(effect: AudioEffect, text: str) -> AudioSpan:
    try:
        return AudioSpan.parse(effect, text)
    except ValueError as error:
        raise InvalidValueError(str(error)) from error


def parse_min_size(text: str) -> Edit:
    """Parse SIZE."""
    size = _size(text)
    return lambda tracks: rule_edits.set_limits(tracks, min_size=size)


def parse_max_size(text: str) -> Edit:
    """Parse SIZE."""
    size = _size(text)
    return lambda tracks: rule_edits.set_limits(tracks, max_size=size)


def parse_from(text: str) -> Edit:
    """Parse TIME."""
    start = _time(text)
    return lambda tracks: rule_edits.set_limits(tracks, start=start)


def parse_to(text: str) -> Edit:
    """Parse TIME."""
    end = _time(text)
    return lambda tracks: rule_edits.set_limits(tracks, end=end)


def _zone(rule: ZoneRule, text: str) -> Zone:
    try:
        return Zone.parse(rule, text)
    except ValueError as error:
        raise InvalidValueError(str(error)) from error


def _size(text: str) -> Size | None:
    return None if text == "none" else Size.parse(text)


def _time(text: str) -> Fraction | None:
    if text == "none":
        return None
    seconds = times.seconds_of(text)
    if seconds is None:
        raise InvalidValueError(f"it {times.why_no_time(text)}")
    return seconds


def _track_ids(text: str) -> Callable[[Tracks], tuple[int, ...]]:
    if text == "all":
        return lambda tracks: tuple(track.track_id for track in tracks.tracks)
    ids = tuple(_track_id(part) for part in text.split(","))
    return lambda _: ids


def _ids_and_frames(
    text: str, needs_frames: bool = False
) -> tuple[Callable[[Tracks], tuple[int, ...]], Callable[[Tracks], range]]:
    if "@" not in text and not needs_frames:
        return _track_ids(text), lambda tracks: range(tracks.frame_count)
    who, span = _split(text, "@")
    start, end = _split(span, "..")

    def frames(tracks: Tracks) -> range:
        first, last = (timecode.frame_at(tracks, when) for when in (start, end))
        if last < first:
            raise SettingsError(f"{span} ends before it begins: swap the two")
        return range(first, last + 1)

    return _track_ids(who), frames


def _split(text: str, separator: str) -> tuple[str, str]:
    first, found, second = text.partition(separator)
    if not (first and found and second):
        raise ValueError
    return first, second


def _track_id(text: str) -> int:
    if not re.fullmatch("[0-9]{1,10}", text) or int(text) > LARGEST_ID:
        raise ValueError
    return int(text)


def _number(text: str) -> float:
    if not re.fullmatch(r"[+-]?[0-9]{1,6}(\.[0-9]{1,6})?", text):
        raise ValueError
    return float(text)


PARSERS: dict[str, Callable[[str], Edit]] = {
    "--hide": parse_hide,
    "--keep": parse_hide,
    "--show": parse_show,
    "--only": parse_only,
    "--method": parse_method,
    "--drop": parse_drop,
    "--drop-before": parse_drop_before,
    "--drop-after": parse_drop_after,
    "--drop-in": parse_drop_in,
    "--move": parse_move,
    "--pad": parse_pad,
    "--merge": parse_merge,
    "--draw": parse_draw,
    "--ignore-zone": parse_ignore_zone,
    "--hide-zone": parse_hide_zone,
    "--drop-zone": parse_drop_zone,
    "--mute": parse_mute,
    "--bleep": parse_bleep,
    "--drop-sound": parse_drop_sound,
    "--min-size": parse_min_size,
    "--max-size": parse_max_size,
    "--from": parse_from,
    "--to": parse_to,
}
"""Parses the value of each option that edits tracks."""
