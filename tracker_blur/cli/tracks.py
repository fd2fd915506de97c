"""`trackblur tracks`: lists the tracks of a track file, edits, imports and exports them."""

from __future__ import annotations

import argparse
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tracker_blur.annotations import formats
from tracker_blur.cli.console import EXIT_DONE, Console
from tracker_blur.cli.parser import Parser, formatter
from tracker_blur.cli.standard_output import print_line
from tracker_blur.cli.tracks_options import add_options
from tracker_blur.errors import SettingsError, SinkError, SourceError, TrackFileError
from tracker_blur.files.paths import exists, is_image, is_media, is_same_file, size_bytes
from tracker_blur.text import counted

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from tracker_blur.annotations.track_file import TrackFile
    from tracker_blur.cli.edit_arguments import Edit
    from tracker_blur.core.rules import Rules
    from tracker_blur.core.tracks import Tracks
    from tracker_blur.files.identity import FileIdentity

_EPILOG = """\
IDS     track numbers such as 3,7, or 'all'
WHEN    a time since the first frame, such as 12.5s or 1:02:03.4, meaning the
        frame on the screen at that time; or a frame number such as 375, from 0
WHILE   WHEN..WHEN, including both
BOX     left,top,right,bottom in pixels
ZONE    BOX, or corners x,y,x,y,x,y of a polygon, in pixels or percent (10%,20%,
        50%,40%), for all of the video; TIME..TIME=BOX for some of it (..9s= until
        then, 5s..= from then on); TIME=BOX..TIME=BOX if it moves
TIME    seconds such as 12.5s, or 1:02:03.4; 'none' takes a limit away
SPAN    TIME..TIME; ..TIME until then, TIME.. from then on
SIZE    of a face's longer side: pixels, or % of the frame's shorter side; or 'none'

Edits are applied in the order given. FILE is rewritten only if all succeed.
It is a text file that other tools can edit as well; docs/track-file.md
describes its format.
Then hide the faces: trackblur render IN FILE OUT
"""


def add_parser(commands: Any) -> Parser:
    """Add this command's parser to the `argparse` sub-parsers and return it."""
    parser: Parser = commands.add_parser(
        "tracks",
        usage="%(prog)s FILE [edits] [-o NEW] [--import FORMAT PATH]\n"
        "                        [--export FORMAT PATH]",
        help="list and edit the tracks of a track file",
        description="List the tracks of a track file (from 'trackblur track'), or choose which\n"
        "faces are hidden, when and how.",
        epilog=_EPILOG,
        formatter_class=formatter(argparse.RawDescriptionHelpFormatter),
        allow_abbrev=False,
        examples=(
            "trackblur tracks in.tracks.jsonl --sheet sheet.jpg       # who is which number",
            "trackblur tracks in.tracks.jsonl --show 13 --method 2=solid",
            "trackblur tracks in.tracks.jsonl --draw 9@12.5s=40,60,120,160 --follow",
        ),
    )
    add_options(parser)
    return parser


def run(options: argparse.Namespace, console: Console) -> int:
    """List the tracks, or edit and write them."""
    from tracker_blur.annotations import edits, track_file  # not needed by --help

    content = track_file.read(options.file)
    _check_targets(options, _video_path(options, content))
    tracks = content.tracks
    if options.imported:
        name, path = options.imported
        tracks = formats.load(name).read(Path(path), tracks)
        if content.tracks.tracks and not tracks.tracks:
            raise TrackFileError(
                f"{path}: has no boxes, and would replace all tracks: choose another"
            )
    unedited = tracks
    video = _video(options, content) if options.sheet or options.follow else None
    partial = content.settings.get("partial") is True
    for edit in options.edits:
        tracks = _edited(tracks, edit, video if options.follow else None, partial)
    if tracks.rules != content.tracks.rules:
        _check_times(tracks.rules, _video_path(options, content), content)
    for name, path in options.exported:
        formats.load(name).write(tracks, Path(path), options.overwrite)
        print_line(f"{path}: {_summary(tracks)}")
    if options.sheet and video is not None:
        _write_sheet(options, tracks, video, partial, console)
    target = options.output or options.file
    if options.output or options.edits or options.imported:
        overwrite = options.overwrite or not options.output
        track_file.write(target, replace(content, tracks=tracks), overwrite)
        changes = edits.compare(content.tracks, tracks)
        before = "" if changes.is_empty else f"; before: {_counts(content.tracks)}"
        dropped = _dropped(edits.exposed(unedited, tracks), tracks)
        print_line(f"{target}: {_summary(tracks)}{dropped}{before}; {changes}")
        for text in _overlaps(tracks):
            console.warn(f"{target}: {text}")
    elif not (options.exported or options.sheet):
        _list(content.source_name, tracks)
    return EXIT_DONE


def _video(options: argparse.Namespace, content: TrackFile) -> FileIdentity:
    """Return the identity of the video that the tracks were made for."""
    from tracker_blur.annotations import track_file

    path = _video_path(options, content)
    if options.video is None and not exists(path):
        raise SourceError(
            f"{path}: no such file: say where the video of the track file is, with --video"
        )
    try:
        return track_file.check_source(content, path)
    except TrackFileError:
        if options.video is not None:
            raise
        raise TrackFileError(
            f"{path}: has the name of the track file's video, but is another one, such as an "
            "output: say where the video is, with --video"
        ) from None


def _video_path(options: argparse.Namespace, content: TrackFile) -> Path:
    name = Path(content.source_name).name  # a track file may come from anywhere
    path: Path = options.video or options.file.with_name(name)
    return path


def _check_times(rules: Rules, path: Path, content: TrackFile) -> None:
    """Refuse times after the end of the video, if it is at hand: `render` would, but only later."""
    from tracker_blur.pipeline.rules import check_times

    if not is_image(path) and size_bytes(path) == content.source_bytes:
        check_times(rules, path)


def _edited(tracks: Tracks, edit: Edit, video: FileIdentity | None, partial: bool) -> Tracks:
    """Return the tracks after an edit; with a video, boxes that it draws are followed in it."""
    from tracker_blur.cli.edit_arguments import Drawing
    from tracker_blur.core import timecode

    if video is None or not isinstance(edit, Drawing):
        return edit(tracks)
    from tracker_blur.cli.drawn_boxes import follow

    followed = follow(tracks, edit.track_id, edit.keyframes(tracks), video, partial=partial)
    first, last = (timecode.time_code(tracks, frame) for frame in (followed.first, followed.last))
    text = f"track {edit.track_id}: followed from {first} to {last}"
    ends = [end for end, is_open in zip((first, last), followed.goes_on, strict=True) if is_open]
    if ends:
        text += f"; it stopped within the shot at {' and '.join(ends)}: check what comes there"
    print_line(text)
    return followed.tracks


def _write_sheet(
    options: argparse.Namespace,
    tracks: Tracks,
    video: FileIdentity,
    partial: bool,
    console: Console,
) -> None:
    from tracker_blur.cli.track_sheet import write_sheet

    omitted = write_sheet(options.sheet, tracks, video, options.overwrite, partial=partial)
    console.warn(f"{options.sheet}: shows faces: do not publish it")
    if omitted:
        console.warn(f"{options.sheet}: lacks the {omitted} shortest tracks")


def _check_targets(options: argparse.Namespace, video: Path) -> None:
    """Refuse to replace the video and files of another kind, before anything is written."""
    from tracker_blur.annotations import track_file  # not needed by --help
    from tracker_blur.cli.edit_arguments import Drawing
    from tracker_blur.files.atomic import check_place

    if options.follow and not any(isinstance(edit, Drawing) for edit in options.edits):
        raise SettingsError("--follow follows drawn boxes: add --draw, or leave it out")
    if options.sheet:
        if options.sheet.suffix.lower() not in (".jpg", ".jpeg", ".png"):
            raise SettingsError(f"{options.sheet}: is no image: choose a name such as sheet.jpg")
        if any(is_same_file(options.sheet, path) for path in (options.file, video)):
            raise SettingsError(f"{options.sheet}: is an input: choose another name")
        check_place(options.sheet, options.overwrite)
    if options.output:
        is_itself = is_same_file(options.output, options.file)
        track_file.check_place(options.output, options.overwrite or is_itself)
    for _, name in options.exported:
        path = Path(name)
        for flag, other in (("-o", options.output), ("--sheet", options.sheet)):
            if other and is_same_file(path, other):
                raise SettingsError(
                    f"{path}: is also the name after {flag}: choose another name for the export"
                )
        if exists(path) and (is_media(path) or track_file.is_track_file(path)):
            kind = "a video or an image" if is_media(path) else "a track file"
            raise SinkError(
                f"{path}: exists and is {kind}, which an export never replaces: choose another name"
            )


def _list(source_name: str, tracks: Tracks) -> None:
    from tracker_blur.core import timecode
    from tracker_blur.core.tracks import Origin

    width, height = tracks.size
    length = timecode.time_code(tracks, tracks.frame_count - 1) if tracks.frame_count else "0"
    frames = counted(tracks.frame_count, "frame")
    print_line(f"{source_name}: {width}x{height}, {frames} to {length}")
    print_line("track  label     hidden  method     first frame     last frame    frames  detected")
    for track in tracks.tracks:
        first, last = (timecode.time_code(tracks, frame) for frame in (track.first, track.last))
        detected = int(track.has(Origin.DETECTED).sum())
        print_line(
            f"{track.track_id:5}  {track.label:8}  {'yes' if track.hide else 'NO':6}  "
            f"{track.method or '-':9}  {first:>12}   {last:>12}  {len(track):8}  {detected:8}"
        )
    for number, zone in enumerate(tracks.rules.zones, 1):
        print_line(f"zone {number}: {zone.rule} {zone.text}")
    for number, span in enumerate(tracks.rules.audio, 1):
        print_line(f"sound {number}: {span.effect} {span.text}")
    print_line(_summary(tracks), *_overlaps(tracks))


def _overlaps(tracks: Tracks) -> list[str]:
    """Return a line for each visible track that hidden ones hide all the same."""
    from tracker_blur.annotations.overlaps import hidden_all_the_same

    return [
        f"track {each.track_id} stays hidden in {counted(each.frame_count, 'frame')}, where "
        f"{_numbered(each.others)} {'is' if len(each.others) == 1 else 'are'} at its place: if "
        f"they are one person, add --show {','.join(map(str, each.others))}"
        for each in hidden_all_the_same(tracks)
    ]


def _summary(tracks: Tracks) -> str:
    """Return how many tracks there are, and what zones and limits make of them."""
    from tracker_blur.core.rules import REASONS
    from tracker_blur.core.timeline import split

    hidden, visible = split(tracks)
    rules = tracks.rules
    parts = [_counts(tracks)]
    for reason, text in REASONS.items():
        ids = dict.fromkeys(track.track_id for why, track in visible if why == reason)
        if ids and reason != "track":
            parts.append(f"visible {text}: {_numbered(list(ids))}")
    if rules.zones:
        parts.append(counted(len(rules.zones), "zone"))
    if rules.audio:
        parts.append(f"audio replaced {counted(len(rules.audio), 'time')}")
    for name, size in (("smaller", rules.min_size), ("larger", rules.max_size)):
        if size is not None:
            parts.append(f"faces {name} than {size}{'' if size.is_percent else ' pixels'} visible")
    if rules.has_span:
        parts.append(f"hidden {rules.span} only")
    if tracks.candidates:
        parts.append(f"{counted(len(tracks.candidates), 'candidate')} without a track")
    text = ", ".join(parts)
    return text if hidden or rules.hide_zones else f"{text}: nothing will be hidden"


def _dropped(exposed: Mapping[int, int], tracks: Tracks) -> str:
    """Return what the edits dropped, and that it is visible.

    Args:
        exposed: number of dropped boxes by track.
        tracks: the tracks that are left.
    """
    left = {track.track_id for track in tracks.tracks}
    gone = [track_id for track_id in exposed if track_id not in left]
    shortened = [track_id for track_id in exposed if track_id in left]
    text = ""
    if gone:
        was, its = ("was", "its") if len(gone) == 1 else ("were", "their")
        text += f"; {_numbered(gone)} {was} dropped: {its} faces are visible"
    if shortened:
        boxes = sum(exposed[track_id] for track_id in shortened)
        was = "was" if boxes == 1 else "were"
        text += (
            f"; {counted(boxes, 'box', 'boxes')} of {_numbered(shortened)} {was} dropped: faces "
            "are visible there"
        )
    return text


def _numbered(ids: Sequence[int]) -> str:
    return f"track{'' if len(ids) == 1 else 's'} {', '.join(map(str, ids))}"


def _counts(tracks: Tracks) -> str:
    visible = [track.track_id for track in tracks.tracks if not track.hide]
    text = counted(len(tracks.tracks), "track")
    if not tracks.tracks:
        return text
    if not visible:
        return f"{text}, all hidden"
    return f"{text}, left visible: {_numbered(visible)}"
