"""`trackblur verify`: searches finished files for faces and checks that the rest is unchanged."""

from __future__ import annotations

import argparse
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from tracker_blur.cli.console import EXIT_DONE, EXIT_FAILED, Console, progress_bar
from tracker_blur.cli.interruption import raise_if_interrupted
from tracker_blur.cli.parser import STANDARD_OUTPUT, Parser, formatter
from tracker_blur.cli.results import print_json
from tracker_blur.cli.standard_output import print_line
from tracker_blur.cli.verify_inputs import inputs
from tracker_blur.cli.verify_options import (
    EPILOG,
    add_options,
    check,
    check_apart,
    check_several,
)
from tracker_blur.cli.verify_report import (
    combined,
    exit_code,
    print_verdict,
    summary_of,
    write_reports,
)
from tracker_blur.errors import SettingsError, TrackerBlurError
from tracker_blur.settings import Settings
from tracker_blur.text import counted

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from tracker_blur.core.tracks import Tracks
    from tracker_blur.files.identity import FileIdentity
    from tracker_blur.files.pairs import Pairs
    from tracker_blur.verification.accepted import AcceptedPlace
    from tracker_blur.verification.verdict import Verdict
    from tracker_blur.verification.verifier import Progress, Verifier


def add_parser(commands: Any) -> Parser:
    """Add this command's parser to the `argparse` sub-parsers and return it."""
    parser: Parser = commands.add_parser(
        "verify",
        help="search finished files for exposed faces",
        description="Search finished videos and images for faces as an attacker would, and check\n"
        "that everything else is unchanged. OUT is a file, a folder or a quoted pattern.",
        epilog=EPILOG,
        formatter_class=formatter(argparse.RawDescriptionHelpFormatter),
        allow_abbrev=False,
        examples=(
            "trackblur verify out.mp4",
            "trackblur verify out.mp4 --against in.mp4 --tracks in.tracks.jsonl",
            "trackblur verify photos_redacted/ --against photos/ --report report.html",
        ),
    )
    add_options(parser)
    return parser


def run(options: argparse.Namespace, console: Console) -> int:
    """Verify the files; print the verdicts and write the reports."""
    try:
        return _run(options, console)
    except TrackerBlurError as error:
        if options.json == STANDARD_OUTPUT:
            print_json({"output": str(options.output), "error": console.text(error)})
        raise


def _run(options: argparse.Namespace, console: Console) -> int:
    from tracker_blur.files.pairs import pair_outputs
    from tracker_blur.verification.verifier import Verifier

    check(options)
    against = None if options.against is None else str(options.against)
    pairs = pair_outputs(str(options.output), against)
    if pairs.are_several:
        check_several(options)
        return _Several(options, console, pairs).run()
    (pair,) = pairs.pairs
    if pair.source is None and against is not None:
        raise SettingsError(f"{against}: has no input for {pair.output}: name the original")
    check_apart(options, pair)
    tracks, source, settings = inputs(options, pair)
    journal = _journal(options)
    verifier = Verifier(settings)
    verdict = _verdict(verifier, options, console, pair.output, source, tracks, journal)
    if options.dismiss:
        verdict = _dismissed(verdict, options, journal or (), console)
    write_reports(
        [verdict],
        verdict.to_dict(),
        page=options.report,
        plain=options.json,
        overwrite=options.overwrite,
    )
    _show(verdict, options, console)
    if verdict.places and not options.quiet:
        _explain_accepting(console)
    return exit_code(verdict)


class _Several:
    """Verifies several files; one that fails stops no other."""

    def __init__(self, options: argparse.Namespace, console: Console, pairs: Pairs) -> None:
        self._options = options
        self._console = console
        self._pairs = pairs
        self._verdicts: list[Verdict] = []
        self._failed: list[tuple[Path, str]] = []

    def run(self) -> int:
        """Verify each file, then print the summary; return the worst exit code."""
        from tracker_blur.verification.verifier import Verifier

        options, console, pairs = self._options, self._console, self._pairs
        for pair in pairs.pairs:
            check_apart(options, pair)
        _, _, settings = inputs(options, None)
        journal = _journal(options)
        verifier = Verifier(settings)
        skipped = [str(file) for file in pairs.unsupported]
        skipped += [f"{path}: has no output here" for path in pairs.without_output]
        for text in skipped:
            console.note(text)
        for unreadable in pairs.unreadable:
            self._fail(unreadable.folder, str(unreadable))
        for pair in pairs.pairs:
            if pair.source is None and options.against is not None:
                self._fail(
                    pair.output,
                    f"{pair.output}: no input of this name in {options.against}: searched without "
                    "one: check the names",
                )
            with self._failing_alone(pair.output):
                verdict = _verdict(
                    verifier, options, console, pair.output, pair.source, None, journal
                )
                self._verdicts.append(verdict)
                _show(verdict, options, console, is_one_of_several=True)
        data = combined(self._verdicts, self._failed, skipped)
        write_reports(
            self._verdicts,
            data,
            page=options.report,
            plain=options.json,
            overwrite=options.overwrite,
        )
        if not options.quiet:
            summary = summary_of(self._verdicts, len(self._failed))
            if options.json == STANDARD_OUTPUT:
                console.note(summary)
            else:
                print_line(summary)
            if any(verdict.places for verdict in self._verdicts):
                _explain_accepting(console)
        codes = [exit_code(verdict) for verdict in self._verdicts]
        return max((*codes, EXIT_FAILED if self._failed else EXIT_DONE))

    @contextmanager
    def _failing_alone(self, output: Path) -> Iterator[None]:
        try:
            yield
        except TrackerBlurError as error:
            raise_if_interrupted(error)
            self._fail(output, self._console.text(error))

    def _fail(self, path: Path, problem: str) -> None:
        self._console.error(problem)
        self._failed.append((path, problem))


def _verdict(
    verifier: Verifier,
    options: argparse.Namespace,
    console: Console,
    output: Path,
    source: Path | FileIdentity | None,
    tracks: Tracks | None,
    journal: tuple[AcceptedPlace, ...] | None,
) -> Verdict:
    with progress_bar(output.name, options.quiet) as bar:

        def progress(frames: int, expected: int | None) -> None:
            bar.total = expected
            bar.update()
            console.advance(frames, expected)

        return verifier.verify(
            output,
            source=source,
            tracks=tracks,
            every=options.every,
            partial=options.partial,
            accepted=journal,
            progress=progress,
        )


def _show(
    verdict: Verdict,
    options: argparse.Namespace,
    console: Console,
    *,
    is_one_of_several: bool = False,
) -> None:
    print_verdict(
        verdict,
        is_one_of_several=is_one_of_several,
        is_quiet=options.quiet,
        to_standard_error=options.json == STANDARD_OUTPUT,
    )
    if options.verbose:
        for check in verdict.checks:
            state = "intact" if check.passed else "FAILED"
            console.note(f"{state}: {check.title}: {check.detail}")


def _explain_accepting(console: Console) -> None:
    console.note(
        "to accept a place that is fine, verify its file again with --accept accepted.jsonl "
        "--dismiss NAME"
    )


def _journal(options: argparse.Namespace) -> tuple[AcceptedPlace, ...] | None:
    """Return the accepted places; None if there is to be no journal."""
    from tracker_blur.files.paths import exists
    from tracker_blur.verification.accepted import read_journal

    if options.accept is None:
        return None
    if options.dismiss and not exists(options.accept):
        return ()
    return read_journal(options.accept)


def _dismissed(
    verdict: Verdict,
    options: argparse.Namespace,
    journal: tuple[AcceptedPlace, ...],
    console: Console,
) -> Verdict:
    """Add the named places to the journal, and return the verdict without them.

    Raises:
        SettingsError: there is no such place.
        SinkError: the journal cannot be written.
    """
    from tracker_blur.verification.accepted import AcceptedPlace, write_journal

    chosen = {place.place_id: place for place in verdict.places}
    unknown = [name for name in options.dismiss if name not in chosen]
    if unknown:
        listed = ", ".join(chosen) or "none"
        raise SettingsError(
            f"--dismiss {','.join(unknown)}: there is no such place in {verdict.output}: with "
            f"these options there are: {listed}"
        )
    assert verdict.file is not None  # there is a journal
    places = [chosen[name] for name in dict.fromkeys(options.dismiss)]
    added = [AcceptedPlace.of(place, verdict.file, options.by, options.why) for place in places]
    write_journal(options.accept, [*journal, *added])
    console.note(f"{options.accept}: {counted(len(added), 'place')} added")
    return verdict.without(places)


def verify(
    output: Path,
    *,
    source: Path | FileIdentity | None = None,
    tracks: Tracks | None = None,
    settings: Settings | None = None,
    every: int = 1,
    accepted: Sequence[AcceptedPlace] | None = None,
    progress: Progress | None = None,
    verifier: Verifier | None = None,
) -> Verdict:
    """Verify a finished file.

    Args:
        output: the file.
        source: the input it was made of; its identity, if the caller has read it, too.
        tracks: what was hidden.
        settings: those it was made with; what is hidden, the detector, the folder of weights,
            padding, metadata, the choice of tracks and partial matter here.
        every: search every Nth frame.
        accepted: places that a person has accepted, which are left out.
        progress: called after each frame.
        verifier: made with these settings, for several files; None: a new one.

    Raises:
        SourceError: a file cannot be read.
        ModelError: a detector's weights cannot be read.
        SettingsError: there is no detector for what is hidden.
    """
    from tracker_blur.verification.verifier import Verifier

    settings = settings or Settings()
    verifier = verifier or Verifier(settings)
    return verifier.verify(
        output,
        source=source,
        tracks=tracks,
        padding_ratio=settings.padding_ratio,
        every=every,
        partial=settings.partial,
        accepted=accepted,
        progress=progress,
    )
