"""`trackblur render`: redacts and writes only; hides the faces that a track file lists."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from tracker_blur.cli.console import EXIT_DONE, Console, silence_libraries
from tracker_blur.cli.options import add_file_options, add_message_options, settings_from
from tracker_blur.cli.output_options import (
    add_encoding_options,
    add_metadata_option,
    add_redaction_options,
    add_track_options,
)
from tracker_blur.cli.parser import Parser, complete_files
from tracker_blur.cli.results import (
    check_json_target,
    json_after_failure,
    summarize,
    summarize_file,
    write_json,
)
from tracker_blur.settings import Settings

if TYPE_CHECKING:
    import argparse


def add_parser(commands: Any) -> Parser:
    """Add this command's parser to the `argparse` sub-parsers and return it."""
    parser: Parser = commands.add_parser(
        "render",
        help="hide the faces that a track file lists",
        description="Hide the faces that a track file lists, and its zones. Nothing is detected.",
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
        complete_files(path)
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
    from tracker_blur.core.timeline import split
    from tracker_blur.files.jobs import Job
    from tracker_blur.files.paths import check_is_file_name
    from tracker_blur.pipeline import Engine

    with json_after_failure(options, console, options.source):
        settings = settings_from(options, Settings)
        silence_libraries()
        check_is_file_name(options.target)
        check_json_target(options, (options.source, options.tracks, options.target))
        content = track_file.read(options.tracks)
        track_file.check_reviewed(content, options.tracks)
        identity = track_file.check_source(content, options.source)
        job = Job.of(options.source, options.target)
        hidden, _ = split(content.tracks)
        has_zones = bool(content.tracks.rules.hide_zones)
        warn_if_cosmetic(settings, console, {track.method or settings.method for track in hidden})
        note_unused_settings(settings, {"video"}, console)
        if not (hidden or has_zones):
            console.warn(f"{options.tracks}: hides nothing: the output shows every face")
        with console.progress(job.source.name) as progress:
            report = Engine(settings).render_file(job, content.tracks, progress, identity)
    console.report(report, verbose=options.verbose)
    if options.json:
        summary = summarize_file(report)
        console.wrote(summary)
        write_json(summarize([summary], settings), options)
    return EXIT_DONE
