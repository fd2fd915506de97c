"""`trackblur track` and `trackblur render`: the two passes by themselves, a track file between."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from tracker_blur.annotations import track_file
from tracker_blur.cli.arguments import render_parser, settings_of, track_parser
from tracker_blur.cli.console import Console, guarded, quieten
from tracker_blur.core.report import Report
from tracker_blur.core.tracks import Tracks
from tracker_blur.errors import SettingsError
from tracker_blur.settings import Settings

if TYPE_CHECKING:
    from tracker_blur.files.jobs import Job
    from tracker_blur.pipeline import Engine

_SUFFIX = ".tracks.jsonl"


def run_track(words: Sequence[str]) -> int:
    """Run `trackblur track` with these arguments; return the exit code."""
    options = track_parser().parse_args(words)
    console = Console(options.quiet)
    return guarded(console, lambda: _track(options, settings_of(options), console))


def run_render(words: Sequence[str]) -> int:
    """Run `trackblur render` with these arguments; return the exit code."""
    options = render_parser().parse_args(words)
    console = Console(options.quiet)
    return guarded(console, lambda: _render(options, settings_of(options), console))


def check_tracks_place(path: Path, videos: Sequence[Path], overwrite: bool) -> None:
    """Find out whether a track file can be written here, before minutes are spent on looking.

    Raises SinkError when it cannot, SettingsError when it would take the place of a video.
    """
    for video in videos:
        both_exist = path.exists() and video.exists()
        if path.resolve() == video.resolve() or (both_exist and path.samefile(video)):
            raise SettingsError(f"{path}: is the video itself: choose another name for the tracks")
    track_file.check_place(path, overwrite)


def keep_tracks(
    path: Path, report: Report, settings: Settings, engine: Engine, overwrite: bool
) -> None:
    """Write the faces that a run has found to a track file.

    Raises SinkError when it cannot be written, SettingsError when there was but a still picture.
    """
    if report.found is None:
        raise SettingsError(f"{path}: tracks are made of videos, {report.source} is a picture")
    made = track_file.TrackFile.of(
        report.source, report.found, settings, engine.detector_name, engine.weight_files
    )
    track_file.write(path, made, overwrite)


def _track(options: argparse.Namespace, settings: Settings, console: Console) -> int:
    from tracker_blur.cli.summary import summarize  # not needed by --help
    from tracker_blur.files.paths import kind_of
    from tracker_blur.pipeline import Engine

    quieten()
    source: Path = options.source
    target = options.output or source.with_name(source.stem + _SUFFIX)
    check_tracks_place(target, (source,), options.overwrite)
    engine = Engine(settings)
    console.note(engine.description)
    with console.progress(source.name) as progress:
        report = engine.track_file(source, kind_of(source, source), progress)
    report.target = target
    keep_tracks(target, report, settings, engine, options.overwrite)
    console.report(report, verbose=options.verbose)
    if options.json:
        console.result(summarize([report], [], settings))
    return 0


def _render(options: argparse.Namespace, settings: Settings, console: Console) -> int:
    from tracker_blur.cli.idle import idle
    from tracker_blur.cli.summary import summarize
    from tracker_blur.files.jobs import Job
    from tracker_blur.files.paths import check_names_file, kind_of
    from tracker_blur.pipeline import Engine

    quieten()
    check_names_file(options.target)
    read = track_file.read(options.tracks)
    track_file.check_belongs(read, options.source)
    job = Job(options.source, options.target, kind_of(options.source, options.target))
    for line in idle(settings, {"video"}):
        console.note(line)
    if not any(track.hide for track in read.tracks.tracks):
        console.warn(f"{options.tracks}: hides nothing: the output shows every face")
    tracks = _timed_for(read.tracks, job, settings)
    with job.folder_made(), console.progress(job.source.name) as progress:
        report = Engine(settings).render_file(job, tracks, progress)
    console.report(report, verbose=options.verbose)
    if options.json:
        console.result(summarize([report], [], settings))
    return 0


def _timed_for(tracks: Tracks, job: Job, settings: Settings) -> Tracks:
    """Return the tracks with the times that the job's reader gives the frames of a GIF.

    It is read as a picture to become one, and as a video to become a video; each reader has its
    own unit of time and its own shortest frame. That it is the same file, its hash has shown.
    """
    from tracker_blur.images.reader import ImageReader
    from tracker_blur.video.reader import VideoReader

    if job.source.suffix.lower() != ".gif":
        return tracks
    source_of = ImageReader if job.kind == "picture" else VideoReader
    with source_of(job.source, partial=settings.partial) as source:
        frames = [(frame.pts, frame.time_base) for frame in source]
    if len(frames) != tracks.frame_count:
        return tracks  # refused where frames are compared
    times = np.array([pts for pts, _ in frames], np.int64)
    return replace(tracks, times=times, time_base=frames[0][1])
