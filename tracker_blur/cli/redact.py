"""`trackblur IN OUT`: hides the faces in all that the paths name."""

from __future__ import annotations

import argparse
import traceback
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from tracker_blur.cli.arguments import parser, settings_of
from tracker_blur.errors import SettingsError, SinkError, TrackerBlurError
from tracker_blur.settings import Settings

if TYPE_CHECKING:
    from tracker_blur.cli.console import Console
    from tracker_blur.core.report import Report
    from tracker_blur.files.jobs import Job
    from tracker_blur.pipeline import Engine
    from tracker_blur.verification.verdict import Verdict

EXIT_DONE, EXIT_FAILED = 0, 1

_WINDOW_PX = 1280
_REPORT_IT = "this is a bug: please report it with what --verbose prints"


def run_redact(words: Sequence[str]) -> int:
    """Run with these arguments; return the exit code."""
    options = parser().parse_args(words)
    from tracker_blur.cli.console import Console, guarded  # not needed by --help

    console = Console(options.quiet)
    return guarded(console, lambda: _redact(options, settings_of(options), console))


def _redact(options: argparse.Namespace, settings: Settings, console: Console) -> int:
    """Redact all that the paths name; one bad file does not stop the others."""
    from tracker_blur.cli.console import quieten
    from tracker_blur.cli.flags import in_flags
    from tracker_blur.cli.idle import idle
    from tracker_blur.cli.summary import summarize
    from tracker_blur.cli.track import keep_tracks
    from tracker_blur.cli.verdicts import exit_code
    from tracker_blur.files.jobs import plan
    from tracker_blur.pipeline import Engine

    quieten()
    if options.tracks is not None and options.one_pass:
        raise SettingsError("--tracks needs both passes: leave --one-pass out")
    inputs, output = _inputs_and_output(options)
    planned = plan(inputs, output, overwrite=settings.overwrite)
    if len(planned.jobs) + len(planned.skipped) > 1:
        for path, what in ((options.tracks, "track file"), (options.verify_report, "page")):
            if path is not None:
                raise SettingsError(f"{path}: is one {what} for several inputs: name one")
    engine = Engine(settings)
    console.note(engine.description)
    for line in idle(settings, {job.kind for job in planned.jobs}):
        console.note(line)
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
            reports.append(_redact_one(engine, job, options, console))
            if options.tracks is not None:
                keep_tracks(options.tracks, reports[-1], settings, engine, options.overwrite)
                console.note(f"{options.tracks}: tracks, to be seen and changed")
            if options.verify or options.verify_report is not None:
                if job.kind == "picture" and reports[-1].found is None:
                    console.warn(f"{job.target}: is not verified: --verify is for videos")
                else:
                    verdicts[job.target] = _verify(reports[-1], settings, options, console)
        except SettingsError:
            raise  # it would be the same for every file
        except TrackerBlurError as error:
            console.error(str(error))
            failures.append((job.source, in_flags(str(error))))
        except Exception as error:
            console.error(f"{job.source}: failed ({type(error).__name__}: {error}): {_REPORT_IT}")
            if options.verbose:
                traceback.print_exc()
            failures.append((job.source, f"{type(error).__name__}: {error}"))
    if len(planned.jobs) + len(planned.skipped) > 1:
        console.note(f"{len(reports)} done, {len(planned.skipped)} skipped, {len(failures)} failed")
    if options.json:
        console.result(summarize(reports, failures, settings, verdicts))
    return EXIT_FAILED if failures else max(map(exit_code, verdicts.values()), default=EXIT_DONE)


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
    from tracker_blur.cli.track import check_tracks_place
    from tracker_blur.cli.verdicts import check_page

    with job.folder_made():
        if options.tracks is not None:
            check_tracks_place(options.tracks, (job.source, job.target), options.overwrite)
        if options.verify_report is not None:
            check_page(options.verify_report, options.overwrite)
        with console.progress(job.source.name) as progress:
            report = engine.redact_file(job, progress)
    console.report(report, verbose=options.verbose)
    if options.compare or options.show:
        _display(job, options, console)
    return report


def _display(job: Job, options: argparse.Namespace, console: Console) -> None:
    """Show a finished picture in a window, or beside what it was."""
    from tracker_blur.core.frame import view_size
    from tracker_blur.files.paths import compared
    from tracker_blur.images.reader import ImageReader
    from tracker_blur.images.writer import side_by_side
    from tracker_blur.realtime import window

    if job.kind != "picture":
        console.warn(f"{job.source}: --compare and --show are for pictures")
        return
    before, after = (next(iter(ImageReader(path))) for path in (job.source, job.target))
    if options.compare:
        path = compared(job.target)
        side_by_side(path, before.view(before.size), after.view(after.size), options.overwrite)
        console.warn(f"{path}: shows the faces as they were: do not publish it")
    if options.show:
        try:
            window.show(str(job.target), after.view(view_size(after.size, _WINDOW_PX)))
        except SinkError as error:  # the file is written all the same
            console.warn(str(error))


def _verify(
    report: Report, settings: Settings, options: argparse.Namespace, console: Console
) -> Verdict:
    """Look at a finished video and say what was found, in a line and, if asked, on a page."""
    from tracker_blur.cli.verdicts import line, verified, write_reports

    verdict = verified(report.target, source=report.source, tracks=report.found, settings=settings)
    is_sure = verdict.is_clean and not verdict.doubtful and verdict.advice is None
    say = console.note if is_sure else console.warn
    say(line(verdict))
    page = options.verify_report
    write_reports(verdict, page=page, plain=None, overwrite=options.overwrite)
    if page is not None:
        console.note(f"{page}: what was found, to be looked at; it shows faces")
    return verdict
