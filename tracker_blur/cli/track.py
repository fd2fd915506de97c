"""`trackblur track`: detects and tracks only; writes the tracks of a video's faces to a file."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from tracker_blur.cli.console import EXIT_DONE, Console, silence_libraries
from tracker_blur.cli.detection_options import (
    add_careful_option,
    add_detection_options,
    add_people_options,
    add_zone_options,
)
from tracker_blur.cli.options import add_file_options, add_message_options, settings_from
from tracker_blur.cli.output_options import add_method_option
from tracker_blur.cli.results import (
    check_json_target,
    json_after_failure,
    summarize,
    summarize_file,
    write_json,
)
from tracker_blur.errors import SettingsError
from tracker_blur.settings import Settings
from tracker_blur.text import counted

if TYPE_CHECKING:
    import argparse
    from collections.abc import Sequence

    from tracker_blur.cli.parser import Parser
    from tracker_blur.core.report import Report
    from tracker_blur.files.identity import FileIdentity
    from tracker_blur.pipeline import Engine


def add_parser(commands: Any) -> Parser:
    """Add this command's parser to the `argparse` sub-parsers and return it."""
    parser: Parser = commands.add_parser(
        "track",
        help="write the tracks of a video's faces to a file",
        description="Detect and track the faces of a video and write the tracks to a file. Nothing "
        "is hidden yet: list or edit the tracks with 'trackblur tracks', then hide the faces with "
        "'trackblur render'.",
        examples=(
            "trackblur track in.mp4                       # writes in.tracks.jsonl",
            "trackblur track in.mp4 -o faces.jsonl --detect-every 1",
            "trackblur track in.mp4 --hide faces,plates",
        ),
    )
    parser.add_input("a video")
    parser.add_argument(
        "-o",
        "--output",
        type=Path,
        metavar="FILE",
        help="the track file (default: NAME.tracks.jsonl next to IN, NAME.EXT.tracks.jsonl where "
        "another video or image has this name)",
    )
    detection = parser.add_argument_group("detection")
    add_detection_options(detection)
    add_careful_option(detection)
    add_zone_options(parser.add_argument_group("zones and limits"))
    add_people_options(parser.add_argument_group("people"))
    add_method_option(parser.add_argument_group("for the review page"))
    add_file_options(parser.add_argument_group("files"))
    add_message_options(parser.add_argument_group("messages"))
    return parser


def run(options: argparse.Namespace, console: Console) -> int:
    """Run the first pass and write the track file."""
    from tracker_blur.cli.settings_notes import describe
    from tracker_blur.files.companions import tracks_path
    from tracker_blur.files.identity import FileIdentity
    from tracker_blur.files.paths import media_kind
    from tracker_blur.pipeline import Engine

    with json_after_failure(options, console, options.source):
        settings = settings_from(options, Settings)
        silence_libraries()
        source: Path = options.source
        FileIdentity.of(source)  # a wrong name of the input is said before one of the output
        target = options.output or tracks_path(source)
        check_track_target(target, (source,), options.overwrite)
        check_json_target(options, (source, target))
        identity = FileIdentity.of(source, hashed=True)
        engine = Engine(settings)
        console.when_begun(lambda: console.note(describe(engine, settings)))
        with console.progress(source.name) as progress:
            kind = media_kind(source, source)
            report = engine.track_file(source, kind, progress, identity, is_reviewed=True)
        report.target = target
        write_tracks(target, report, identity, settings, engine, options.overwrite)
    console.report(report, verbose=options.verbose)
    candidates = report.video_tracks.candidates if report.video_tracks else ()
    if candidates:
        console.note(
            f"{target}: {counted(len(candidates), 'place')} may show a face that is not hidden: "
            "'trackblur review' shows where"
        )
    if options.json:
        summary = summarize_file(report)
        console.wrote(summary)
        write_json(summarize([summary], settings), options)
    return EXIT_DONE


def check_track_target(path: Path, videos: Sequence[Path], overwrite: bool) -> None:
    """Check that a track file can be written here, before minutes are spent on detection.

    Raises:
        SettingsError: it would replace one of the videos.
        SinkError: it cannot be written.
    """
    from tracker_blur.annotations import track_file
    from tracker_blur.files.paths import is_same_file

    for video in videos:
        if is_same_file(path, video):
            raise SettingsError(f"{path}: is the video itself: choose another name for the tracks")
    track_file.check_place(path, overwrite)


def write_tracks(
    path: Path,
    report: Report,
    identity: FileIdentity,
    settings: Settings,
    engine: Engine,
    overwrite: bool,
) -> None:
    """Write the tracks of a run to a track file, with candidates.

    Args:
        path: the track file.
        report: of the run.
        identity: of the video when the run began, with its hash.
        settings: those of the run.
        engine: that which ran.
        overwrite: replace an existing track file.

    Raises:
        SettingsError: the input was a still image.
        SourceError: the input has changed since.
        SinkError: the file cannot be written.
    """
    from tracker_blur.annotations import track_file
    from tracker_blur.tracking.candidates import with_candidates

    if report.video_tracks is None:
        raise SettingsError(f"{path}: only videos have tracks, and {report.source} is an image")
    tracks = with_candidates(report.video_tracks, settings.tracking)
    made = track_file.TrackFile.of(
        identity,
        tracks,
        settings,
        engine.detector_name,
        engine.weight_files,
        is_unreviewed=report.people is not None and not report.people.is_measured,
    )
    track_file.write(path, made, overwrite)
