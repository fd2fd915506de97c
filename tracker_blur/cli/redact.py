"""`trackblur IN OUT` or `trackblur redact IN OUT`: hides faces in videos, images and folders."""

from __future__ import annotations

import argparse
import traceback
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tracker_blur.cli.console import EXIT_DONE, EXIT_FAILED, Console, print_json, summarize
from tracker_blur.cli.options import (
    FILES,
    Parser,
    add_detection_options,
    add_encoding_options,
    add_file_options,
    add_message_options,
    add_metadata_option,
    add_redaction_options,
    add_track_options,
    formatter,
    number,
    option,
    settings_from,
)
from tracker_blur.errors import SettingsError, SinkError, TrackerBlurError
from tracker_blur.settings import Settings, method_class_of

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

    from tracker_blur.core.report import Report
    from tracker_blur.files.identity import FileIdentity
    from tracker_blur.files.jobs import Job
    from tracker_blur.files.paths import MediaKind
    from tracker_blur.pipeline import Engine
    from tracker_blur.verification.verdict import Verdict

USAGE = "trackblur IN [IN ...] [[-o] OUT] [options]"
DESCRIPTION = """\
Hide every face in videos, images and folders. Everything else stays as it was.

IN is a video, an image, a folder or a quoted pattern. OUT is a file, or a
folder for several inputs (default: NAME_redacted next to IN).
"""
EPILOG = """\
To redact a file or folder that is named like a command, write 'trackblur ./live'
or 'trackblur redact live'.

Exit codes: 0 done, 1 failed, 2 wrong usage, 3 a face is exposed, 130 interrupted.
"""
FORMATTER = formatter(argparse.RawDescriptionHelpFormatter)

_WINDOW_PX = 1280
_METHODS_OF_SETTING = {
    "tone": ("mosaic",),
    "factor": ("gaussian",),
    "blocks": ("pixelated",),
    "image": ("image",),
    "color": ("solid", "image"),
}
_VIDEO_SETTINGS = (
    *("codec", "encoder", "quality", "preset"),
    *("audio", "subtitles", "tracks_kept"),
)


def add_parser(commands: Any) -> Parser:
    """Add this command's parser to the `argparse` sub-parsers and return it."""
    parser: Parser = commands.add_parser(
        "redact",
        prog="trackblur",
        usage=USAGE.replace("trackblur", "trackblur [redact]"),
        help="hide faces in files and folders (the default)",
        description=DESCRIPTION,
        epilog=EPILOG,
        formatter_class=FORMATTER,
    )
    paths = parser.add_argument(
        "paths",
        nargs="+",
        metavar="IN [OUT]",
        help="inputs, and the output; see above",
    )
    paths.complete = FILES  # type: ignore[attr-defined]  # for shtab
    add_options(parser)
    return parser


def add_options(parser: argparse.ArgumentParser) -> None:
    """Add this command's options."""
    detection = parser.add_argument_group("detection")
    add_detection_options(detection)
    option(
        detection,
        "--one-pass",
        "one_pass",
        action="store_true",
        help="write frames without examining the whole video first: a face may show until it is "
        "detected",
    )
    option(
        detection,
        "--delay",
        "delay_seconds",
        type=number,
        metavar="SECONDS",
        help="with --one-pass: how long each frame waits for later detections, for at most 30 "
        "frames (default: %(default)s)",
    )
    option(
        detection,
        "--hold",
        "hold_seconds",
        type=number,
        metavar="SECONDS",
        help="with --one-pass: how long a lost face stays hidden (default: %(default)s)",
    )
    add_redaction_options(parser.add_argument_group("redaction"))
    output = parser.add_argument_group("output")
    output.add_argument(
        "-o",
        "--out",
        metavar="OUT",
        help="the output; all other names are then inputs. To replace a file next to IN, name it "
        "this way and add --overwrite",
    )
    add_encoding_options(output, "the input's")
    add_metadata_option(output)
    add_track_options(output)
    add_file_options(output)
    output.add_argument(
        "--tracks",
        type=Path,
        metavar="FILE",
        help="also write a track file, for 'trackblur tracks' and 'trackblur render'",
    )
    output.add_argument(
        "--verify",
        action="store_true",
        help="after writing, search the videos for faces as an attacker would; the exit code is 3 "
        "if a face is exposed",
    )
    output.add_argument(
        "--verify-report",
        type=Path,
        metavar="FILE.html",
        help="like --verify, and write a report with images; it shows faces",
    )
    output.add_argument(
        "--compare",
        action="store_true",
        help="images: also write NAME_compare with before and after side by side; it shows the "
        "faces",
    )
    output.add_argument("--show", action="store_true", help="images: show the result in a window")
    add_message_options(parser.add_argument_group("messages"))


def run(options: argparse.Namespace, console: Console) -> int:
    """Redact everything that the paths name; one bad file does not stop the others."""
    from tracker_blur.cli.console import silence_libraries
    from tracker_blur.cli.verify import exit_code
    from tracker_blur.files.identity import FileIdentity
    from tracker_blur.files.jobs import plan
    from tracker_blur.pipeline import Engine

    settings = settings_from(options, Settings)
    silence_libraries()
    if options.tracks is not None and options.one_pass:
        raise SettingsError("--tracks needs both passes: leave out --one-pass")
    inputs, output = _inputs_and_output(options)
    planned = plan(inputs, output, overwrite=settings.overwrite)
    count = len(planned.jobs) + len(planned.skipped)
    if count > 1:
        for path, what in ((options.tracks, "track file"), (options.verify_report, "report")):
            if path is not None:
                raise SettingsError(f"{path}: is one {what} for several inputs: name one input")
    engine = Engine(settings)
    console.note(engine.description)
    warn_if_cosmetic(settings, console)
    note_unused_settings(settings, {job.kind for job in planned.jobs}, console)
    for skipped in planned.skipped:
        console.note(str(skipped))
    reports: list[Report] = []
    verdicts: dict[Path, Verdict] = {}
    failures: list[tuple[Path, str]] = []
    for unreadable in planned.unreadable:
        console.error(str(unreadable))
        failures.append((unreadable.folder, str(unreadable)))
    for job in planned.jobs:
        try:
            identity = FileIdentity.of(job.source, hashed=options.tracks is not None)
            report = _redact(engine, job, identity, options, console)
            reports.append(report)
            _write_tracks(engine, report, identity, settings, options, console)
            if options.verify or options.verify_report is not None:
                if job.kind == "image" and report.video_tracks is None:
                    console.warn(f"{job.target}: is not verified: --verify works only on videos")
                else:
                    verdicts[job.target] = _verify(report, identity, settings, options, console)
        except SettingsError:
            raise  # it would be the same for every file
        except TrackerBlurError as error:
            console.error(error)
            failures.append((job.source, console.text(error)))
        except Exception as error:  # noqa: BLE001  # a bug in one file must not stop the others
            reason = f"{type(error).__name__}: {error}"
            console.error(
                f"{job.source}: failed ({reason}): this is a bug: please report it with the output "
                "of --verbose"
            )
            if options.verbose:
                traceback.print_exc()
            failures.append((job.source, reason))
    if count > 1:
        console.note(f"{len(reports)} done, {len(planned.skipped)} skipped, {len(failures)} failed")
    if options.json:
        print_json(summarize(reports, failures, settings, verdicts))
    return EXIT_FAILED if failures else max(map(exit_code, verdicts.values()), default=EXIT_DONE)


def _inputs_and_output(options: argparse.Namespace) -> tuple[list[str], str | None]:
    """Return what is to be read, and where to; raises SettingsError for an OUT that may be an IN.

    A shell expands an unquoted pattern with two matches to two names. The second would be taken for
    the output and overwritten.
    """
    if options.out is not None or len(options.paths) == 1:
        return options.paths, options.out
    *inputs, output = options.paths
    target = Path(output)
    if target.is_file():
        for source in map(Path, inputs):
            is_neighbor = source.resolve().parent == target.resolve().parent
            if source.is_file() and is_neighbor and not source.samefile(target):
                raise SettingsError(
                    f"{target}: already exists next to {source} and may be an input: quote "
                    f"patterns, or use -o {target} --overwrite"
                )
    return inputs, output


def warn_if_cosmetic(settings: Settings, console: Console, methods: Collection[str] = ()) -> None:
    """Warn of methods under which a program may still recognize a face.

    Args:
        settings: those of the run.
        console: prints the warning, unless it is quiet.
        methods: the methods in use, if not just that of the settings.
    """
    cosmetic = sorted(
        name for name in methods or {settings.method} if method_class_of(name) == "cosmetic"
    )
    if cosmetic and not settings.accept_cosmetic:
        flag = console.flags.get("accept_cosmetic", "accept_cosmetic")
        console.caution(
            f"{' and '.join(cosmetic)}: only for looks, a program may still recognize who is "
            f"hidden: use mosaic or solid, or add {flag}"
        )


def note_unused_settings(
    settings: Settings, kinds: Collection[MediaKind], console: Console
) -> None:
    """Print a note for each setting that was given but has no effect, so that no one relies on it.

    Args:
        settings: those of the run.
        kinds: what the files to be written are.
        console: prints the notes.
    """
    for name, where in unused_settings(settings, kinds):
        flag = console.flags.get(name, name)
        console.note(f"{flag} has no effect here: it applies only to {where}")


def unused_settings(settings: Settings, kinds: Collection[MediaKind]) -> Iterator[tuple[str, str]]:
    """Yield each setting that is not the default and has no effect, and where it has one."""
    unused: list[tuple[str, str]] = []
    for name, methods in _METHODS_OF_SETTING.items():
        if settings.method not in methods:
            unused.append((name, f"the method {' or '.join(methods)}"))
    if not settings.one_pass:
        unused.append(("hold_seconds", "one pass"))
    elif not settings.delay_seconds:
        unused.append(("margin_seconds", "two passes, or to one pass with a delay"))
    if "video" not in kinds:
        unused += [
            (name, "videos: an image keeps its format and quality") for name in _VIDEO_SETTINGS
        ]
    default = Settings()
    return (
        (name, where) for name, where in unused if getattr(settings, name) != getattr(default, name)
    )


def _redact(
    engine: Engine, job: Job, identity: FileIdentity, options: argparse.Namespace, console: Console
) -> Report:
    from tracker_blur.cli.track import check_track_target
    from tracker_blur.cli.verify import check_report_target

    with job.target_folder():
        if options.tracks is not None:
            check_track_target(options.tracks, (job.source, job.target), options.overwrite)
        if options.verify_report is not None:
            check_report_target(options.verify_report, options.overwrite)
        with console.progress(job.source.name) as progress:
            report = engine.redact_file(job, progress, identity)
    console.report(report, verbose=options.verbose)
    if options.compare or options.show:
        _display(job, identity, options, console)
    return report


def _write_tracks(
    engine: Engine,
    report: Report,
    identity: FileIdentity,
    settings: Settings,
    options: argparse.Namespace,
    console: Console,
) -> None:
    from tracker_blur.cli.track import write_tracks

    if options.tracks is not None:
        write_tracks(options.tracks, report, identity, settings, engine, options.overwrite)
        console.note(f"{options.tracks}: the tracks; 'trackblur tracks' shows and edits them")


def _display(
    job: Job, identity: FileIdentity, options: argparse.Namespace, console: Console
) -> None:
    """Show a finished image in a window, or write it next to the original."""
    from tracker_blur.cli import image_window
    from tracker_blur.core.frame import view_size
    from tracker_blur.files.paths import comparison_path
    from tracker_blur.images.reader import ImageReader
    from tracker_blur.images.writer import side_by_side

    if job.kind != "image":
        console.warn(f"{job.source}: --compare and --show have no effect on videos")
        return
    limit = options.max_megapixels
    before = next(iter(ImageReader(job.source, identity=identity, max_megapixels=limit)))
    after = next(iter(ImageReader(job.target, max_megapixels=limit)))
    if options.compare:
        path = comparison_path(job.target)
        side_by_side(path, before.view(before.size), after.view(after.size), options.overwrite)
        console.warn(f"{path}: shows the original faces: do not publish it")
    if options.show:
        try:
            image_window.show(str(job.target), after.view(view_size(after.size, _WINDOW_PX)))
        except SinkError as error:  # the file is written all the same
            console.warn(error)


def _verify(
    report: Report,
    identity: FileIdentity,
    settings: Settings,
    options: argparse.Namespace,
    console: Console,
) -> Verdict:
    """Verify a finished video; print the verdict and, if asked, write the report."""
    from tracker_blur.cli.verify import summary_line, verify, write_reports

    verdict = verify(report.target, source=identity, tracks=report.video_tracks, settings=settings)
    say = console.note if verdict.is_clean and not verdict.doubtful else console.warn
    say(summary_line(verdict))
    if verdict.advice is not None:
        console.warn(f"{verdict.output}: {verdict.advice}")
    page = options.verify_report
    write_reports(verdict, page=page, plain=None, overwrite=options.overwrite)
    if page is not None:
        console.note(f"{page}: the verification report; it shows faces")
    return verdict
