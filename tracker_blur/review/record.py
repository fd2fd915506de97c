"""The record of a review: its track file and journal, as the report needs them. Nothing is changed.

The edits that still hold are applied again, so the report says what was rendered.
"""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Any

from tracker_blur.annotations import track_file
from tracker_blur.errors import SettingsError, TrackFileError
from tracker_blur.files.identity import FileIdentity
from tracker_blur.review import operations
from tracker_blur.review.decisions import names_of, standing
from tracker_blur.review.doubts import doubts_of
from tracker_blur.review.journal import Journal, journal_path
from tracker_blur.review.person_numbers import PersonNumbers
from tracker_blur.review.report_facts import report_data
from tracker_blur.review.state import ReviewState
from tracker_blur.review.verify_report import runs_of

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from tracker_blur.annotations.track_file import TrackFile
    from tracker_blur.review.report import ReportData


def report_for(
    source: Path,
    output: Path,
    tracks: Path | None,
    verdict: Mapping[str, Any] | None,
    models_folder: Path | None = None,
    *,
    rendered: Path | None = None,
    version: int | None = None,
    grouped: Mapping[int, int] | None = None,
) -> ReportData:
    """Return what the report on an output is made of.

    Args:
        source: the original.
        output: what was made of it.
        tracks: its track file; the journal is next to it. None: there is none.
        verdict: what `verify --json` says about the output; None: it was not verified.
        models_folder: a folder with weight files, searched first.
        rendered: the track file that was rendered, with the edits so far; None: they are applied.
        version: the number of the journal's last line when it was; None: of the last one now.
        grouped: the person of each track whose face is like others'; None: no one compared them.

    Raises:
        SourceError: a file cannot be read.
        TrackFileError: the track file or its journal is damaged, or another video's.
    """
    if tracks is None:
        return report_data(source, output, verification=verdict, models_folder=models_folder)
    digest = FileIdentity.of(tracks, hashed=True).sha256
    assert digest is not None  # it was requested
    content = track_file.read(tracks)
    journal = Journal(journal_path(tracks), digest)
    lines = journal.news()
    state = ReviewState(content.tracks)
    for line in standing(lines[:version]):
        try:
            state = operations.apply(state, line.edit)
        except SettingsError as error:
            raise TrackFileError(
                f"{journal.path}: line {line.number} makes no sense for these tracks ({error}): "
                "restore the journal"
            ) from error
    made = state.edited(content) if rendered is None else track_file.read(rendered)
    return report_data(
        source,
        output,
        content=made,
        lines=lines,
        last_line_sha256=hashlib.sha256(lines[-1].to_bytes()).hexdigest() if lines else None,
        names=names_of(lines[:version]),
        numbers=_numbers(content, state, grouped or {}),
        version=version,
        doubts=[
            doubt.to_dict()
            for doubt in doubts_of(
                made.tracks,
                state.decided,
                () if verdict is None else runs_of([dict(verdict)]),
                before=content.tracks,
            )
        ],
        verification=verdict,
        models_folder=models_folder,
    )


def _numbers(content: TrackFile, state: ReviewState, grouped: Mapping[int, int]) -> dict[int, int]:
    """Return the number of the person of each track, as the page of the review has it."""
    numbers = PersonNumbers(content.tracks)
    return {
        track.track_id: numbers.of(person)
        for person, tracks in state.groups(grouped).items()
        for track in tracks
    }
