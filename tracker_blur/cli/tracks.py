"""`trackblur tracks`: lists the tracks of a track file, changes them, takes them elsewhere."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from dataclasses import replace
from os.path import realpath
from pathlib import Path

import numpy as np

from tracker_blur.annotations import edits as track_changes
from tracker_blur.annotations import formats, track_file
from tracker_blur.annotations.rows import printable
from tracker_blur.cli.console import Console, guarded, say
from tracker_blur.cli.tracks_arguments import tracks_parser
from tracker_blur.core import timecode
from tracker_blur.core.tracks import Origin, Tracks
from tracker_blur.errors import SettingsError, SinkError


def run_tracks(words: Sequence[str]) -> int:
    """Run the sub-command with these arguments; return the exit code."""
    options = tracks_parser().parse_args(words)
    return guarded(Console(quiet=False), lambda: _run(options))


def _run(options: argparse.Namespace) -> None:
    content = track_file.read(options.file)
    _check_targets(options)
    tracks = content.tracks
    if options.imported:
        name, path = options.imported
        tracks = formats.load(name).read(Path(path), tracks)
    for edit in options.edits:
        tracks = edit(tracks)
    for name, path in options.exported:
        formats.load(name).write(tracks, Path(path), options.overwrite)
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
    from tracker_blur.files.paths import is_media  # not needed by --help

    if options.output:
        is_itself = options.output.exists() and options.output.samefile(options.file)
        track_file.check_place(options.output, options.overwrite or is_itself)
    for _, word in options.exported:
        path = Path(word)
        if options.output and realpath(path) == realpath(options.output):
            raise SettingsError(f"{path}: is named by -o, too: choose another name for the export")
        if path.exists() and (is_media(path) or track_file.is_one(path)):
            kind = "a video or a picture" if is_media(path) else "a track file"
            raise SinkError(
                f"{path}: exists and is {kind}, so no export replaces it: choose another name"
            )


def _list(source_name: str, tracks: Tracks) -> None:
    width, height = tracks.size
    length = timecode.time_code(tracks, tracks.frame_count - 1) if tracks.frame_count else "0"
    frames = "1 frame" if tracks.frame_count == 1 else f"{tracks.frame_count} frames"
    say(f"{printable(source_name)}: {width}x{height}, {frames} to {length}")
    say("track  label     hidden  method     first frame     last frame    frames  detected")
    for track in tracks.tracks:
        first, last = (timecode.time_code(tracks, frame) for frame in (track.first, track.last))
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
