"""What a run writes or shows besides the redacted file: tracks, a comparison, a window, a verdict.

Everything that cannot be done is refused before the work begins.
"""

from __future__ import annotations

from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from tracker_blur.errors import SettingsError, SinkError
from tracker_blur.text import escaped

if TYPE_CHECKING:
    import argparse
    from collections.abc import Sequence

    from tracker_blur.cli.console import Console
    from tracker_blur.core.report import Report
    from tracker_blur.files.identity import FileIdentity
    from tracker_blur.files.jobs import Job, Plan
    from tracker_blur.images.reader import ImageReader
    from tracker_blur.pipeline import Engine
    from tracker_blur.settings import Settings
    from tracker_blur.verification.verdict import Verdict
    from tracker_blur.verification.verifier import Verifier

_WINDOW_PX = 1280


def check_options(options: argparse.Namespace, inputs: Sequence[str], plan: Plan) -> None:
    """Check that what the options ask for can be done with these files.

    Raises:
        SettingsError: it cannot.
        SinkError: a file for it cannot be written.
    """
    from tracker_blur.cli.results import check_json_target
    from tracker_blur.files.paths import is_file

    if options.tracks is not None and options.one_pass:
        raise SettingsError("--tracks needs a run that reads ahead: leave out --one-pass")
    if len(plan.jobs) + len(plan.skipped) > 1:
        if options.tracks is not None:
            raise SettingsError(
                f"{options.tracks}: is one track file for several inputs: name one input"
            )
        if options.verify_report is not None:
            _check_page(options.verify_report, plan, options.overwrite)
    flags = [flag for flag in ("--compare", "--show") if getattr(options, flag[2:])]
    for flag in flags:
        for name in inputs:
            if not is_file(Path(name)):
                raise SettingsError(
                    f"{flag} shows faces, so it works only on images that are named one by one: "
                    f"{name} is a folder or a pattern"
                )
        for job in plan.jobs:
            if job.kind != "image":
                raise SettingsError(
                    f"{flag} works only on images, and {job.source} is a video: leave it out"
                )
    if options.compare:
        _check_comparisons(plan, options.overwrite)
    check_json_target(options, (options.tracks, options.verify_report, options.accept))
    if options.accept is not None:
        _check_journal(options)


def _check_page(page: Path, plan: Plan, overwrite: bool) -> None:
    """Check that the page about several files can be written, unless its folder is made later."""
    from tracker_blur.cli.verify_report import check_report_target
    from tracker_blur.files.paths import is_folder, real_path

    folder = real_path(page).parent
    is_made_later = any(folder in real_path(job.target).parents for job in plan.jobs)
    if is_folder(folder) or not is_made_later:
        check_report_target(page, overwrite)


def _check_journal(options: argparse.Namespace) -> None:
    """Refuse a journal that is of no use, or no journal, before anything is redacted."""
    from tracker_blur.files.paths import is_same_file
    from tracker_blur.verification.accepted import read_journal

    if not (options.verify or options.verify_report is not None):
        raise SettingsError(f"--accept {options.accept} is for --verify: add that")
    for path in (options.tracks, options.verify_report):
        if path is not None and is_same_file(options.accept, path):
            raise SettingsError(f"{path}: is named twice: choose another name for what is written")
    read_journal(options.accept)


def _check_comparisons(plan: Plan, overwrite: bool) -> None:
    from tracker_blur.files.atomic import check_place
    from tracker_blur.files.paths import comparison_path, real_path

    taken = {real_path(path) for job in plan.jobs for path in (job.source, job.target)}
    for job in plan.jobs:
        path = comparison_path(job.source)
        if real_path(path) in taken:
            raise SettingsError(
                f"{path}: is an input or an output, and would be the comparison of {job.source}: "
                "rename it"
            )
        check_place(path, overwrite)


class SideOutputs:
    """Writes and shows for each file what the options ask for.

    Args:
        options: the parsed `tracks`, `compare`, `show`, `verify`, `verify_report`, `accept` and
            `overwrite`.
        settings: those of the run.
        engine: the one that redacts.
        console: prints what was written.
    """

    def __init__(
        self, options: argparse.Namespace, settings: Settings, engine: Engine, console: Console
    ) -> None:
        self._options = options
        self._settings = settings
        self._engine = engine
        self._console = console

    def check(self, job: Job, identity: FileIdentity) -> None:
        """Check, before the file is read for minutes, that all can be written.

        Raises:
            SettingsError: a name makes no sense, or the input is a still image, which has no
                tracks.
            SourceError: the input cannot be read.
            SinkError: a file cannot be written.
        """
        from tracker_blur.cli.track import check_track_target
        from tracker_blur.cli.verify_report import check_report_target
        from tracker_blur.files.paths import is_same_file

        options = self._options
        tracks, page = options.tracks, options.verify_report
        if tracks is not None:
            if job.kind == "image":
                with self._image(job.source, identity) as image:
                    if not image.info.is_moving:
                        raise SettingsError(
                            f"{tracks}: only videos have tracks, and {job.source} is a still "
                            "image: leave out --tracks"
                        )
            check_track_target(tracks, (job.source, job.target), options.overwrite)
        if page is not None:
            others = [path for path in (job.source, job.target, tracks) if path is not None]
            if any(is_same_file(page, path) for path in others):
                raise SettingsError(f"{page}: is named twice: choose another name for the report")
            check_report_target(page, options.overwrite)

    def write(self, job: Job, identity: FileIdentity, report: Report) -> Verdict | None:
        """Write and show what was requested; return what verification found, if it was to run.

        Raises:
            TrackerBlurError: a file cannot be written, or the output cannot be read.
        """
        options = self._options
        if options.tracks is not None:
            self._write_tracks(identity, report)
        if options.compare or options.show:
            self._display(job, identity)
        if options.verify or options.verify_report is not None:
            return self._verify(identity, report)
        return None

    @cached_property
    def _verifier(self) -> Verifier:
        from tracker_blur.verification.verifier import Verifier

        return Verifier(self._settings)

    def _image(self, path: Path, identity: FileIdentity | None = None) -> ImageReader:
        from tracker_blur.images.reader import ImageReader

        return ImageReader(
            path,
            partial=self._options.partial,
            identity=identity,
            max_megapixels=self._settings.max_megapixels,
        )

    def _write_tracks(self, identity: FileIdentity, report: Report) -> None:
        from tracker_blur.cli.track import write_tracks

        path = self._options.tracks
        write_tracks(path, report, identity, self._settings, self._engine, self._options.overwrite)
        self._console.note(f"{path}: the tracks; 'trackblur tracks' shows and edits them")

    def _display(self, job: Job, identity: FileIdentity) -> None:
        """Show a finished image in a window, or write it with its original, next to that."""
        from tracker_blur.cli import image_window
        from tracker_blur.core.frame import view_size
        from tracker_blur.files.paths import comparison_path
        from tracker_blur.images.writer import side_by_side

        before = next(iter(self._image(job.source, identity)))
        after = next(iter(self._image(job.target)))
        if self._options.compare:
            path = comparison_path(job.source)
            overwrite = self._options.overwrite
            side_by_side(path, before.view(before.size), after.view(after.size), overwrite)
            self._console.warn(f"{path}: shows the original faces: do not publish it")
        if self._options.show:
            try:
                image_window.show(
                    escaped(str(job.target)), after.view(view_size(after.size, _WINDOW_PX))
                )
            except SinkError as error:  # the file is written all the same
                self._console.warn(error)

    def _verify(self, identity: FileIdentity, report: Report) -> Verdict:
        """Verify a finished file, and print the verdict."""
        from tracker_blur.cli.verify import verify
        from tracker_blur.cli.verify_report import place_lines, summary_line
        from tracker_blur.verification.accepted import read_journal

        journal = self._options.accept
        verdict = verify(
            report.target,
            source=identity,
            tracks=report.video_tracks or report.image_tracks,
            settings=self._settings,
            accepted=None if journal is None else read_journal(journal),
            verifier=self._verifier,
        )
        console = self._console
        say = console.note if verdict.is_clean and not verdict.look_here else console.warn
        say(summary_line(verdict))
        for line in place_lines(verdict):
            say(line.strip())
        if verdict.advice is not None:
            console.advise(str(verdict.output), verdict.advice)
        return verdict
