"""`trackblur render`: the second pass alone; hides the faces that a track file lists."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tracker_blur.cli.console import (
    EXIT_DONE,
    Console,
    json_after_failure,
    print_json,
    silence_libraries,
    summarize,
    summarize_file,
)
from tracker_blur.cli.options import (
    FILES,
    Parser,
    add_encoding_options,
    add_file_options,
    add_message_options,
    add_metadata_option,
    add_redaction_options,
    add_track_options,
    settings_from,
)
from tracker_blur.settings import Settings

if TYPE_CHECKING:
    import argparse

    from tracker_blur.core.frame import FrameReader
    from tracker_blur.core.tracks import Tracks
    from tracker_blur.files.identity import FileIdentity
    from tracker_blur.files.jobs import Job


def add_parser(commands: Any) -> Parser:
    """Add this command's parser to the `argparse` sub-parsers and return it."""
    parser: Parser = commands.add_parser(
        "render",
        help="hide the faces that a track file lists",
        description="Hide the faces that a track file lists. Nothing is detected.",
        examples=(
            "trackblur render in.mp4 in.tracks.jsonl out.mp4",
            "trackblur render in.mp4 in.tracks.jsonl out.mp4 --method solid --shape rectangle",
            "trackblur render -i in.mp4 in.tracks.jsonl out.mkv --codec hevc --overwrite",
        ),
    )
    parser.add_input("the video")
    for name, metavar, text in (
        ("tracks", "FILE", "its track file"),
        ("target", "OUT", "the output"),
    ):
        path = parser.add_argument(name, type=Path, metavar=metavar, help=text)
        path.complete = FILES  # type: ignore[attr-defined]  # for shtab
    add_redaction_options(parser.add_argument_group("redaction"))
    output = parser.add_argument_group("output")
    add_encoding_options(output, "the input's")
    add_metadata_option(output)
    add_track_options(output)
    add_file_options(output)
    add_message_options(parser.add_argument_group("messages"))
    return parser


def run(options: argparse.Namespace, console: Console) -> int:
    """Hide the faces that the track file lists."""
    from tracker_blur.annotations import track_file
    from tracker_blur.cli.settings_notes import note_unused_settings, warn_if_cosmetic
    from tracker_blur.files.jobs import Job
    from tracker_blur.files.paths import check_is_file_name, media_kind
    from tracker_blur.pipeline import Engine

    with json_after_failure(options, console, options.source):
        settings = settings_from(options, Settings)
        silence_libraries()
        check_is_file_name(options.target)
        content = track_file.read(options.tracks)
        identity = track_file.check_source(content, options.source)
        job = Job(options.source, options.target, media_kind(options.source, options.target))
        hidden = [track for track in content.tracks.tracks if track.hide]
        warn_if_cosmetic(settings, console, {track.method or settings.method for track in hidden})
        note_unused_settings(settings, {"video"}, console)
        if not hidden:
            console.warn(f"{options.tracks}: hides nothing: the output shows every face")
        tracks = _with_gif_times(content.tracks, job, identity, settings)
        with job.target_folder(), console.progress(job.source.name) as progress:
            report = Engine(settings).render_file(job, tracks, progress, identity)
    console.report(report, verbose=options.verbose)
    if options.json:
        print_json(summarize([summarize_file(report)], settings))
    return EXIT_DONE


def _with_gif_times(tracks: Tracks, job: Job, identity: FileIdentity, settings: Settings) -> Tracks:
    """Return the tracks of a GIF with the frame times of the reader that this job uses.

    A GIF is read as an image to become one, and as a video to become a video. Each reader has its
    own time base and its own shortest frame. The hash has shown that the file is the same.
    """
    import numpy as np

    from tracker_blur.images.reader import ImageReader
    from tracker_blur.video.reader import VideoReader

    if job.source.suffix.lower() != ".gif":
        return tracks
    source: FrameReader
    if job.kind == "image":
        source = ImageReader(
            job.source,
            partial=settings.partial,
            identity=identity,
            max_megapixels=settings.max_megapixels,
        )
    else:
        source = VideoReader(job.source, partial=settings.partial, identity=identity)
    with source:
        frames = [(frame.pts, frame.time_base) for frame in source]
    if len(frames) != tracks.frame_count:
        return tracks  # the renderer refuses it
    times = np.array([pts for pts, _ in frames], np.int64)
    return replace(tracks, times=times, time_base=frames[0][1])
