"""The command line: arguments -> Settings -> one call; the only place that exits."""

from __future__ import annotations

import argparse
import logging
import os
import signal
import sys
import traceback
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

from tracker_blur.arguments import DEFAULTS, parser
from tracker_blur.errors import SettingsError, SinkError, TrackerBlurError
from tracker_blur.settings import Settings

if TYPE_CHECKING:
    from tracker_blur.batch import Job
    from tracker_blur.console import Console
    from tracker_blur.pipeline import Engine, Report

EXIT_DONE, EXIT_FAILED, EXIT_USAGE, EXIT_INTERRUPTED = 0, 1, 2, 130

_WINDOW_PX = 1280
_REPORT_IT = "this is a bug: please report it with what --verbose prints"


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
        sys.exit(_run(parser().parse_args(words)))
    except KeyboardInterrupt:
        sys.stderr.write("\ntrackblur: interrupted: nothing half-written is left\n")
        sys.exit(EXIT_INTERRUPTED)
    except BrokenPipeError:  # the reader of our output has gone, as in `trackblur --help | head`
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(EXIT_FAILED)


def _interrupt(*_: object) -> NoReturn:
    raise KeyboardInterrupt


def _run(options: argparse.Namespace) -> int:
    from tracker_blur.console import Console

    console = Console(options.quiet)
    try:
        settings = Settings(**{name: getattr(options, name) for name in DEFAULTS})
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
