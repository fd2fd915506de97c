"""Verdicts on finished files: made, told in a line, written to reports; for all that verifies."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

from tracker_blur.cli.console import say
from tracker_blur.errors import SettingsError
from tracker_blur.settings import Settings

if TYPE_CHECKING:
    from tracker_blur.core.tracks import Tracks
    from tracker_blur.verification.verdict import Verdict
    from tracker_blur.verification.verifier import Progress

EXIT_CLEAN, EXIT_FAILED, EXIT_EXPOSED = 0, 1, 3

STANDARD_OUTPUT = Path("-")


def verified(
    output: Path,
    *,
    source: Path | None = None,
    tracks: Tracks | None = None,
    settings: Settings | None = None,
    every: int = 1,
    progress: Progress | None = None,
) -> Verdict:
    """Look at a finished file; for `trackblur IN OUT --verify`.

    source    the input it was made of
    tracks    what was hidden
    settings  those it was made with: what is hidden, who finds it, folder of weights, padding,
              metadata, partial

    Raises SourceError when a file cannot be read, ModelError and SettingsError when detectors
    cannot.
    """
    from tracker_blur.verification.verifier import Verifier

    settings = settings or Settings()
    return Verifier(settings).verify(
        output,
        source=source,
        tracks=tracks,
        padding_ratio=settings.padding_ratio,
        every=every,
        metadata=settings.metadata,
        partial=settings.partial,
        progress=progress,
    )


def exit_code(verdict: Verdict) -> int:
    """Return what the process should end with."""
    if verdict.runs:
        return EXIT_EXPOSED
    return EXIT_FAILED if verdict.failed_checks else EXIT_CLEAN


def line(verdict: Verdict) -> str:
    """Return the verdict in one line, with the file's name, who looked, and how to look better."""
    from tracker_blur.verification.html import headline

    told = f"{verdict.output}: {headline(verdict)}; {' and '.join(verdict.detectors)} looked"
    return told if verdict.advice is None else f"{told}: {verdict.advice}"


def write_reports(
    verdict: Verdict, *, page: Path | None, plain: Path | None, overwrite: bool
) -> None:
    """Write the page and the JSON file, whole or not at all; "-" is standard output, for JSON.

    Raises SinkError when that fails.
    """
    from tracker_blur.files.atomic import replacing
    from tracker_blur.verification.html import encoded

    if page is not None:
        with replacing(page, overwrite) as temporary:
            temporary.write_bytes(encoded(verdict))
    if plain is None:
        return
    text = json.dumps(verdict.plain(), indent=2)
    if plain == STANDARD_OUTPUT:
        say(text)
    else:
        with replacing(plain, overwrite) as temporary:
            temporary.write_text(f"{text}\n", encoding="utf-8")


def check_page(path: Path, overwrite: bool) -> None:
    """Find out whether a page can be written here, before minutes are spent on looking.

    Raises SinkError when it cannot, SettingsError for the name of a video or a picture.
    """
    from tracker_blur.files.atomic import check_place
    from tracker_blur.files.paths import is_media

    if is_media(path):
        raise SettingsError(f"{path}: is no name of a page: choose one such as report.html")
    check_place(path, overwrite)
