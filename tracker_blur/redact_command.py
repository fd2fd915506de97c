"""`trackblur IN OUT`: hides the faces in all that the paths name."""

from __future__ import annotations

import argparse
import traceback
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from tracker_blur.arguments import parser, settings_of
from tracker_blur.errors import SettingsError, SinkError, TrackerBlurError
from tracker_blur.settings import Settings

if TYPE_CHECKING:
    from tracker_blur.batch import Job
    from tracker_blur.console import Console
    from tracker_blur.pipeline import Engine
    from tracker_blur.report import Report

EXIT_DONE, EXIT_FAILED = 0, 1

_WINDOW_PX = 1280
_REPORT_IT = "this is a bug: please report it with what --verbose prints"


def run_redact(words: Sequence[str]) -> int:
    """Run with these arguments; return the exit code."""
    options = parser().parse_args(words)
    from tracker_blur.console import Console, guarded  # not needed by --help

    console = Console(options.quiet)
    return guarded(console, lambda: _redact(options, settings_of(options), console))


def _redact(options: argparse.Namespace, settings: Settings, console: Console) -> int:
    """Redact all that the paths name; one bad file does not stop the others."""
    from tracker_blur.batch import plan
    from tracker_blur.console import quieten
    from tracker_blur.idle import idle
    from tracker_blur.pipeline import Engine
    from tracker_blur.summary import summarize
    from tracker_blur.track_command import keep_tracks

    quieten()
    if options.tracks is not None and options.one_pass:
        raise SettingsError("--tracks needs both passes: leave --one-pass out")
    inputs, output = _inputs_and_output(options)
    planned = plan(inputs, output, overwrite=settings.overwrite)
    if options.tracks is not None and len(planned.jobs) + len(planned.skipped) > 1:
        raise SettingsError(f"{options.tracks}: is one track file for several inputs: name one")
    engine = Engine(settings)
    console.note(engine.description)
    for line in idle(settings, {job.kind for job in planned.jobs}):
        console.note(line)
    for skipped in planned.skipped:
        console.note(str(skipped))
    reports: list[Report] = []
    failures: list[tuple[Path, str]] = []
    exit_code = EXIT_DONE
    for job in planned.jobs:
        try:
            reports.append(_redact_one(engine, job, options, console))
            if options.tracks is not None:
                keep_tracks(options.tracks, reports[-1], settings, engine, options.overwrite)
                console.note(f"{options.tracks}: tracks, to be seen and changed")
            if options.verify and job.kind == "picture" and reports[-1].found is None:
                console.warn(f"{job.target}: is not verified: --verify is for videos")
            elif options.verify:
                exit_code = max(exit_code, _verify(reports[-1], settings, console))
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
    return EXIT_FAILED if failures else exit_code


def _inputs_and_output(options: argparse.Namespace) -> tuple[list[str], str | None]:
    """Return what is to be read, and where to; raises SettingsError for an OUT that may be an IN.

    A shell turns an unquoted pattern with two matches into two names, of which the second would
    be taken for the output and its picture be lost.
    """
    if options.out is not None or len(options.paths) == 1:
        return options.paths, options.out
    *inputs, output = options.paths
    target = Path(output)
    if options.overwrite and target.is_file():
        for source in map(Path, inputs):
            is_beside = source.resolve().parent == target.resolve().parent
            if source.is_file() and is_beside and not source.samefile(target):
                raise SettingsError(
                    f"{target}: exists beside {source} and may be an input: quote patterns, or "
                    f"replace it with -o {target}"
                )
    return inputs, output


def _redact_one(engine: Engine, job: Job, options: argparse.Namespace, console: Console) -> Report:
    from tracker_blur.track_command import check_tracks_place

    job.make_folder()
    if options.tracks is not None:
        check_tracks_place(options.tracks, (job.source, job.target), options.overwrite)
    with console.progress(job.source.name) as progress:
        report = engine.redact_file(job, progress)
    console.report(report, verbose=options.verbose)
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


def _verify(report: Report, settings: Settings, console: Console) -> int:
    """Look at a finished video and say what was found; return the exit code."""
    from tracker_blur.verify_command import exit_code, line, verified

    verdict = verified(report.target, source=report.source, tracks=report.found, settings=settings)
    say = console.note if verdict.is_clean and not verdict.doubtful else console.warn
    say(line(verdict))
    return exit_code(verdict)
