"""`trackblur tracks`: lists the tracks of a track file, changes them, takes them elsewhere."""

from __future__ import annotations

import argparse
import functools
import os
import re
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TypeAlias

import numpy as np

from tracker_blur import exports, timecodes
from tracker_blur.boxes import Box
from tracker_blur.commands.console import Console, guarded, say
from tracker_blur.errors import SettingsError, SinkError
from tracker_blur.files.suffixes import is_media
from tracker_blur.track_files import changes as track_changes
from tracker_blur.track_files import edits as track_edits
from tracker_blur.track_files import file as track_file
from tracker_blur.track_files.checked import RefusedError, printable
from tracker_blur.track_files.collector import LARGEST_ID, method_name
from tracker_blur.tracks import Origin, Tracks

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
_EPILOG = """\
IDS     track numbers as 3,7, or 'all'
WHEN    a time since the first frame as 12.5s or 1:02:03.4, meaning the frame on the screen then,
        or a frame's number as 375, counted from 0
WHILE   WHEN..WHEN, both included
BOX     left,top,right,bottom in pixels

Changes are made in the order of their options, and FILE is rewritten once all of them worked.
Plain text tools do as well: the lines of the file are described in docs/track-file.md.
Then hide faces by it: trackblur render IN FILE OUT
"""


def run_tracks(words: Sequence[str]) -> int:
    """Run the sub-command with these arguments; return the exit code."""
    options = _parser().parse_args(words)
    return guarded(Console(quiet=False), lambda: _run(options))


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="trackblur tracks",
        usage="%(prog)s FILE [changes] [-o NEW] [--import FORMAT PATH] [--export FORMAT PATH]",
        description="List the tracks of a track file (from 'trackblur track'), or change which "
        "faces are hidden, when and how.",
        epilog=_EPILOG,
        formatter_class=lambda prog: argparse.RawDescriptionHelpFormatter(
            prog, max_help_position=28
        ),
        allow_abbrev=False,
    )
    parser.add_argument("file", type=Path, metavar="FILE", help="a track file")
    _add_hiding(parser.add_argument_group("which faces are hidden"))
    _add_boxes(parser.add_argument_group("boxes"))
    files = parser.add_argument_group("files")
    formats = ", ".join(exports.names())
    files.add_argument(
        "-o", "--output", type=Path, metavar="NEW", help="write a new file and leave FILE as it is"
    )
    files.add_argument(
        "--overwrite", action="store_true", help="replace NEW and exports that exist"
    )
    files.add_argument(
        "--import",
        dest="imported",
        nargs=2,
        metavar=("FORMAT", "PATH"),
        help=f"first put the tracks of PATH, {formats}, in the place of FILE's",
    )
    files.add_argument(
        "--export",
        dest="exported",
        action="append",
        nargs=2,
        default=[],
        metavar=("FORMAT", "PATH"),
        help=f"write the tracks, after the changes, as {formats}",
    )
    return parser


def _add_hiding(group: argparse._ArgumentGroup) -> None:
    _edit(group, "--hide", _parse_hide, "IDS", "hide these faces")
    _edit(
        group,
        "--keep",
        _parse_hide,
        "IDS",
        "the same as --hide: keep these hidden. It uncovers nothing; what you may look for instead "
        "is --show or --only",
    )
    _edit(group, "--show", _parse_show, "IDS", "leave these faces visible")
    _edit(group, "--only", _parse_only, "IDS", "hide these faces, leave all others visible")
    _edit(
        group,
        "--method",
        _parse_method,
        "IDS=METHOD",
        "hide these by another method; 'default' for the settings'",
    )
    _edit(group, "--drop", _parse_drop, "IDS", "remove tracks: their faces become visible")


def _add_boxes(group: argparse._ArgumentGroup) -> None:
    _edit(group, "--drop-before", _parse_drop_before, "IDS@WHEN", "remove boxes before a frame")
    _edit(group, "--drop-after", _parse_drop_after, "IDS@WHEN", "remove boxes after a frame")
    _edit(group, "--drop-in", _parse_drop_in, "IDS@WHILE", "remove boxes in a range of frames")
    _edit(group, "--move", _parse_move, "IDS[@WHILE]=DX,DY", "move boxes right and down, in pixels")
    _edit(
        group,
        "--pad",
        _parse_pad,
        "IDS[@WHILE]=RATIO",
        "grow boxes on each side by a share of their size, such as 0.2",
    )
    _edit(group, "--merge", _parse_merge, "IDS", "make one track of several, by the first's number")
    _edit(
        group,
        "--draw",
        _parse_draw,
        "ID@WHEN=BOX..WHEN=BOX",
        "add boxes to a track, or to a new one, moving evenly from each WHEN to the next",
    )


def _edit(
    group: argparse._ArgumentGroup, flag: str, parse: Callable[[str], Edit], form: str, text: str
) -> None:
    group.add_argument(
        flag,
        dest="edits",
        action="append",
        default=[],
        type=functools.partial(_parsed, parse, form),
        metavar=form,
        help=text,
    )


def _parsed(parse: Callable[[str], Edit], form: str, text: str) -> Edit:
    try:
        return parse(text)
    except ValueError as error:
        detail = f": {error}" if isinstance(error, RefusedError) else ""
        example = _EXAMPLED.sub(lambda part: _EXAMPLES[part[0]], form)
        raise argparse.ArgumentTypeError(
            f"'{text}': give {form}, such as {example}{detail}"
        ) from error


def _run(options: argparse.Namespace) -> None:
    content = track_file.read(options.file)
    _check_targets(options)
    tracks = content.tracks
    if options.imported:
        name, path = options.imported
        tracks = exports.load(name).read(Path(path), tracks)
    for edit in options.edits:
        tracks = edit(tracks)
    for name, path in options.exported:
        exports.load(name).write(tracks, Path(path), options.overwrite)
        say(f"{path}: {_summary(tracks)}")
    target = options.output or options.file
    if options.output or options.edits or options.imported:
        overwrite = options.overwrite or not options.output
        track_file.write(target, replace(content, tracks=tracks), overwrite)
        changes = track_changes.between(content.tracks, tracks)
        before = "" if changes.are_none else f"; before: {_counts(content.tracks)}"
        say(f"{target}: {_summary(tracks)}{before}; {changes}")
    elif not options.exported:
        _list(content.source_name, tracks)


def _check_targets(options: argparse.Namespace) -> None:
    """Refuse to replace what is not of the kind that is written; before anything is."""
    if options.output:
        is_itself = options.output.exists() and options.output.samefile(options.file)
        track_file.check_place(options.output, options.overwrite or is_itself)
    for _, word in options.exported:
        path = Path(word)
        if options.output and _real(path) == _real(options.output):
            raise SettingsError(f"{path}: is named by -o, too: choose another name for the export")
        if path.exists() and (is_media(path) or track_file.is_one(path)):
            kind = "a video or a picture" if is_media(path) else "a track file"
            raise SinkError(
                f"{path}: exists and is {kind}, so no export replaces it: choose another name"
            )


def _real(path: Path) -> str:
    return os.path.realpath(path)


def _list(source_name: str, tracks: Tracks) -> None:
    width, height = tracks.size
    length = timecodes.time_code(tracks, tracks.frame_count - 1) if tracks.frame_count else "0"
    frames = "1 frame" if tracks.frame_count == 1 else f"{tracks.frame_count} frames"
    say(f"{printable(source_name)}: {width}x{height}, {frames} to {length}")
    say("track  label     hidden  method     first frame     last frame    frames  detected")
    for track in tracks.tracks:
        first, last = (timecodes.time_code(tracks, frame) for frame in (track.first, track.last))
        detected = np.count_nonzero(track.has(Origin.DETECTED))
        say(
            f"{track.track_id:5}  {track.label:8}  {'yes' if track.hide else 'NO':6}  "
            f"{track.method or '-':9}  {first:>12}   {last:>12}  {len(track):8}  {detected:8}"
        )
    say(_summary(tracks))


def _summary(tracks: Tracks) -> str:
    text = _counts(tracks)
    hides = any(track.hide for track in tracks.tracks)
    return text if hides else f"{text}: nothing will be hidden"


def _counts(tracks: Tracks) -> str:
    visible = [str(track.track_id) for track in tracks.tracks if not track.hide]
    count = len(tracks.tracks)
    text = f"{count} track{'' if count == 1 else 's'}"
    if not count:
        return text
    return f"{text}, left visible: {', '.join(visible)}" if visible else f"{text}, all hidden"


def _parse_hide(text: str) -> Edit:
    ids = _ids(text)
    return lambda tracks: track_edits.set_hidden(tracks, ids(tracks), True)


def _parse_show(text: str) -> Edit:
    ids = _ids(text)
    return lambda tracks: track_edits.set_hidden(tracks, ids(tracks), False)


def _parse_only(text: str) -> Edit:
    ids = _ids(text)
    return lambda tracks: track_edits.hide_only(tracks, ids(tracks))


def _parse_drop(text: str) -> Edit:
    ids = _ids(text)
    return lambda tracks: track_edits.drop(tracks, ids(tracks))


def _parse_merge(text: str) -> Edit:
    ids = _ids(text)
    return lambda tracks: track_edits.merge(tracks, ids(tracks))


def _parse_method(text: str) -> Edit:
    who, name = _halves(text, "=")
    ids, method = _ids(who), None if name == "default" else method_name(name)
    return lambda tracks: track_edits.set_method(tracks, ids(tracks), method)


def _parse_drop_before(text: str) -> Edit:
    who, when = _halves(text, "@")
    ids = _ids(who)

    def edit(tracks: Tracks) -> Tracks:
        frames = range(timecodes.frame_at(tracks, when))
        return track_edits.drop_frames(tracks, ids(tracks), frames)

    return edit


def _parse_drop_after(text: str) -> Edit:
    who, when = _halves(text, "@")
    ids = _ids(who)

    def edit(tracks: Tracks) -> Tracks:
        frames = range(timecodes.frame_at(tracks, when) + 1, tracks.frame_count)
        return track_edits.drop_frames(tracks, ids(tracks), frames)

    return edit


def _parse_drop_in(text: str) -> Edit:
    ids, frames = _ids_and_while(text, needs_while=True)
    return lambda tracks: track_edits.drop_frames(tracks, ids(tracks), frames(tracks))


def _parse_move(text: str) -> Edit:
    who, by = _halves(text, "=")
    ids, frames = _ids_and_while(who)
    dx, dy = (_number(part) for part in _halves(by, ","))
    return lambda tracks: track_edits.move(tracks, ids(tracks), frames(tracks), dx, dy)


def _parse_pad(text: str) -> Edit:
    who, by = _halves(text, "=")
    ids, frames = _ids_and_while(who)
    ratio = _number(by)
    return lambda tracks: track_edits.pad(tracks, ids(tracks), frames(tracks), ratio)


def _parse_draw(text: str) -> Edit:
    who, keys = _halves(text, "@")
    track_id = _id(who)
    boxes = []
    for key in keys.split(".."):
        when, box = _halves(key, "=")
        left, top, right, bottom = (_number(part) for part in box.split(","))
        boxes.append((when, Box(left, top, right, bottom)))

    def edit(tracks: Tracks) -> Tracks:
        by_frame = {timecodes.frame_at(tracks, when): box for when, box in boxes}
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
        first, last = (timecodes.frame_at(tracks, when) for when in (start, end))
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
