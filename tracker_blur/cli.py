"""The command line: arguments -> Settings -> one call; the only place that exits."""

from __future__ import annotations

import argparse
import dataclasses
import logging
import os
import signal
import sys
import traceback
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn, get_args

from tracker_blur import plugins
from tracker_blur.errors import (
    MissingPackageError,
    SettingsError,
    SinkError,
    TrackerBlurError,
)
from tracker_blur.settings import Codec, MetadataRule, MethodAliases, Settings, Shape
from tracker_blur.version import __version__

if TYPE_CHECKING:
    from tracker_blur.batch import Job
    from tracker_blur.console import Console
    from tracker_blur.pipeline import Engine, Report

EXIT_DONE, EXIT_FAILED, EXIT_USAGE, EXIT_INTERRUPTED = 0, 1, 2, 130

_WINDOW_PX = 1280
_REPORT_IT = "this is a bug: please report it with what --verbose prints"

_DEFAULTS = {
    field.name: field.default
    for field in dataclasses.fields(Settings)
    if field.default is not dataclasses.MISSING
}


def main(arguments: Sequence[str] | None = None) -> NoReturn:
    """Run trackblur with these arguments (default: the process's own) and exit."""
    words = list(sys.argv[1:] if arguments is None else arguments)
    for name in ("SIGTERM", "SIGHUP"):  # so that nothing half-written stays
        if hasattr(signal, name):
            signal.signal(getattr(signal, name), _interrupt)
    try:
        if words[:1] == ["models"]:
            from tracker_blur.models_command import run_models

            sys.exit(run_models(words[1:]))
        sys.exit(_run(_parser().parse_args(words)))
    except KeyboardInterrupt:
        sys.stderr.write("\ntrackblur: interrupted: nothing half-written is left\n")
        sys.exit(EXIT_INTERRUPTED)
    except BrokenPipeError:  # the reader of our output has gone, as in `trackblur --help | head`
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(EXIT_FAILED)


def _interrupt(*_: object) -> NoReturn:
    raise KeyboardInterrupt


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="trackblur",
        usage="%(prog)s IN [IN ...] [OUT] [options]\n       %(prog)s models [-h]",
        description="Hide every face in videos, pictures and folders of them; "
        "keep everything else as it was.",
        epilog="'trackblur models' lists the weight files of the detectors and fetches them. "
        "Exit codes: 0 done, 1 failed, 2 wrong usage, 130 interrupted.",
        formatter_class=lambda prog: argparse.HelpFormatter(prog, max_help_position=28),
    )
    parser.add_argument(
        "paths",
        nargs="+",
        metavar="IN [OUT]",
        help="a video, a picture, a folder or a quoted pattern; OUT is a file, or a folder for "
        "several (default: NAME_redacted beside IN)",
    )
    _add_finding(parser.add_argument_group("finding faces"))
    _add_hiding(parser.add_argument_group("hiding faces"))
    _add_writing(parser.add_argument_group("writing"))
    _add_telling(parser.add_argument_group("telling"))
    return parser


def _add_finding(group: argparse._ArgumentGroup) -> None:
    _option(
        group, "--detector", "detector", metavar="NAME", help=_listing("detectors", extra="auto")
    )
    _option(
        group,
        "--face",
        "models_folder",
        type=Path,
        metavar="DIR",
        help="a folder with weight files, looked in first",
    )
    _option(
        group,
        "--confidence",
        "confidence",
        type=float,
        metavar="SCORE",
        help="score from 0 to 1 from which a find is a face (default: the detector's own)",
    )
    _option(
        group,
        "--detect-every",
        "detect_every_frames",
        type=_every,
        metavar="N",
        help="detect on every Nth frame and follow in between, or 'auto' (default: %(default)s)",
    )
    _option(
        group,
        "--view-size",
        "view_px",
        type=int,
        metavar="PX",
        help="longest side of the picture that is looked at; more finds smaller faces and takes "
        "longer (default: %(default)s)",
    )
    _option(group, "--tracker", "tracker", metavar="NAME", help=_listing("trackers", extra="none"))
    _option(
        group,
        "--hold",
        "hold_seconds",
        type=float,
        metavar="SECONDS",
        help="how long a lost face stays hidden (default: %(default)s)",
    )


def _add_hiding(group: argparse._ArgumentGroup) -> None:
    names = plugins.names("tracker_blur.methods")
    _option(
        group,
        "--method",
        "method",
        choices=sorted((*names, *MethodAliases)),
        help=_listing("methods") + "; simple: gaussian",
    )
    _option(
        group,
        "--blocks",
        "blocks",
        type=int,
        metavar="N",
        help="pixelated: blocks across a face (default: %(default)s)",
    )
    _option(
        group,
        "--factor",
        "factor",
        type=float,
        metavar="F",
        help="gaussian: the kernel is the face's size divided by this (default: %(default)s)",
    )
    _option(group, "--color", "color", metavar="#RRGGBB", help="solid: the color")
    _option(group, "--image", "image", type=Path, metavar="FILE", help="image: the picture")
    _option(
        group,
        "--shape",
        "shape",
        choices=get_args(Shape),
        help="outline of the hidden area (default: %(default)s)",
    )
    _option(
        group,
        "--padding",
        "padding_ratio",
        type=float,
        metavar="RATIO",
        help="added on each side, as a share of the face (default: %(default)s)",
    )
    _option(
        group,
        "--feather",
        "feather_ratio",
        type=float,
        metavar="RATIO",
        help="soft edge outside the hidden area, as a share of it (default: %(default)s)",
    )


def _add_writing(group: argparse._ArgumentGroup) -> None:
    _option(group, "--codec", "codec", choices=get_args(Codec), help="(default: as the input's)")
    _option(group, "--encoder", "encoder", metavar="NAME", help="FFmpeg's name, such as h264_nvenc")
    _option(
        group,
        "--quality",
        "quality",
        type=float,
        metavar="Q",
        help="constant quality on the encoder's scale; lower is better",
    )
    _option(group, "--preset", "preset", metavar="NAME", help="the encoder's preset")
    _option(
        group,
        "--metadata",
        "metadata",
        choices=get_args(MetadataRule),
        help="what tells of place, device and person (default: %(default)s)",
    )
    group.add_argument("--overwrite", action="store_true", help="replace outputs that exist")
    group.add_argument(
        "--partial", action="store_true", help="accept inputs that break off before their end"
    )
    group.add_argument(
        "--compare",
        action="store_true",
        help="pictures: also write NAME_compare with before and after side by side; "
        "it shows the faces",
    )
    group.add_argument("--show", action="store_true", help="pictures: show the result in a window")


def _add_telling(group: argparse._ArgumentGroup) -> None:
    group.add_argument("--quiet", "-q", action="store_true", help="only errors and warnings")
    group.add_argument("--verbose", "-v", action="store_true", help="where the time went")
    group.add_argument("--json", action="store_true", help="print a machine-readable summary")
    group.add_argument("--version", action="version", version=f"trackblur {__version__}")
    group.add_argument(
        "--print-completion",
        action=_PrintCompletion,
        choices=("bash", "zsh", "tcsh"),
        metavar="SHELL",
        help="print a completion script for bash, zsh or tcsh (extra: completion)",
    )


def _option(group: argparse._ArgumentGroup, flag: str, setting: str, **details: Any) -> None:
    group.add_argument(flag, dest=setting, default=_DEFAULTS[setting], **details)


def _listing(package: str, extra: str = "") -> str:
    """Return "one, two or three (default: x)" for the plug-ins of a package."""
    names = [*plugins.names(f"tracker_blur.{package}"), *([extra] if extra else [])]
    return f"{', '.join(names[:-1])} or {names[-1]} (default: %(default)s)"


def _every(text: str) -> int | str:
    return text if text == "auto" else int(text)


class _PrintCompletion(argparse.Action):
    def __call__(self, parser: argparse.ArgumentParser, *values: Any) -> NoReturn:
        try:
            import shtab
        except ImportError:
            parser.error(str(MissingPackageError("shtab", "completion", "--print-completion")))
        sys.stdout.write(shtab.complete(parser, values[1]))
        sys.exit(EXIT_DONE)


def _run(options: argparse.Namespace) -> int:
    from tracker_blur.console import Console

    console = Console(options.quiet)
    try:
        settings = Settings(**{name: getattr(options, name) for name in _DEFAULTS})
        return _redact(options, settings, console)
    except SettingsError as error:
        console.error(str(error))
        return EXIT_USAGE
    except TrackerBlurError as error:
        console.error(str(error))
        return EXIT_FAILED


def _redact(options: argparse.Namespace, settings: Settings, console: Console) -> int:
    """Redact all that the paths name; one bad file does not stop the others."""
    import cv2

    from tracker_blur.batch import plan
    from tracker_blur.pipeline import Engine
    from tracker_blur.summary import summarize

    # What decoders mutter about damaged files is said by our own errors.
    logging.getLogger("PIL").setLevel(logging.CRITICAL)
    cv2.utils.logging.setLogLevel(cv2.utils.logging.LOG_LEVEL_SILENT)
    *inputs, output = options.paths if len(options.paths) > 1 else (*options.paths, None)
    planned = plan(inputs, output, overwrite=settings.overwrite)
    engine = Engine(settings)
    console.note(engine.description)
    for skipped in planned.skipped:
        console.note(str(skipped))
    reports: list[Report] = []
    failures: list[tuple[Path, str]] = []
    for job in planned.jobs:
        try:
            reports.append(_redact_one(engine, job, options, console))
        except SettingsError:
            raise  # it would be the same for every file
        except TrackerBlurError as error:
            console.error(str(error))
            failures.append((job.source, str(error)))
        except Exception as error:
            console.error(f"{job.source}: failed ({type(error).__name__}: {error}): {_REPORT_IT}")
            if options.verbose:
                traceback.print_exc()
            failures.append((job.source, f"{type(error).__name__}: {error}"))
    if len(planned.jobs) + len(planned.skipped) > 1:
        console.note(f"{len(reports)} done, {len(planned.skipped)} skipped, {len(failures)} failed")
    if options.json:
        console.result(summarize(reports, failures, settings))
    return EXIT_FAILED if failures else EXIT_DONE


def _redact_one(engine: Engine, job: Job, options: argparse.Namespace, console: Console) -> Report:
    job.make_folder()
    with console.progress(job.source.name) as progress:
        report = engine.redact_file(job, progress)
    for warning in report.warnings:
        console.warn(warning)
    rate = report.frames / report.seconds if report.seconds else 0.0
    console.note(
        f"{job.target}: {report.frames} frames, {report.tracks} faces, "
        f"{report.seconds:.1f} seconds ({rate:.0f} frames a second)"
    )
    if options.verbose:
        for stage, seconds in report.stage_seconds.items():
            console.note(f"  {stage}: {1000 * seconds / max(1, report.frames):.2f} ms a frame")
    if options.compare or options.show:
        _display(job, options, console)
    return report


def _display(job: Job, options: argparse.Namespace, console: Console) -> None:
    """Show a finished picture in a window, or beside what it was."""
    from tracker_blur import window
    from tracker_blur.batch import COMPARE_TAG
    from tracker_blur.frames import view_size
    from tracker_blur.sinks.images import side_by_side
    from tracker_blur.sources.images import ImageSource

    if job.kind != "picture":
        console.warn(f"{job.source}: --compare and --show are for pictures")
        return
    before, after = (next(iter(ImageSource(path))) for path in (job.source, job.target))
    if options.compare:
        path = job.target.with_name(f"{job.target.stem}{COMPARE_TAG}{job.target.suffix}")
        side_by_side(path, before.view(before.size), after.view(after.size), options.overwrite)
        console.warn(f"{path}: shows the faces as they were: do not publish it")
    if options.show:
        try:
            window.show(str(job.target), after.view(view_size(after.size, _WINDOW_PX)))
        except SinkError as error:  # the file is written all the same
            console.warn(str(error))
