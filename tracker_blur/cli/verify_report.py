"""What `trackblur verify` says: a line for each file and place, the HTML page, the JSON."""

from __future__ import annotations

import json
import sys
from collections import Counter
from typing import TYPE_CHECKING, Any

from tracker_blur.cli.console import EXIT_DONE, EXIT_EXPOSED, EXIT_FAILED
from tracker_blur.cli.parser import STANDARD_OUTPUT
from tracker_blur.cli.results import print_json
from tracker_blur.cli.standard_output import print_line
from tracker_blur.errors import SettingsError
from tracker_blur.files.paths import is_media
from tracker_blur.text import counted, escaped
from tracker_blur.verification.html import headline

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from tracker_blur.verification.exposures import ExposureRun, LeftVisible
    from tracker_blur.verification.verdict import Verdict

_MAX_LISTED = 20  # of each file; the reports have all


def exit_code(verdict: Verdict) -> int:
    """Return the exit code that a verdict stands for."""
    if verdict.runs:
        return EXIT_EXPOSED
    return EXIT_FAILED if verdict.failed_checks else EXIT_DONE


def summary_line(verdict: Verdict) -> str:
    """Return the verdict in one line: the file, the result, the detectors; without advice."""
    detectors = " and ".join(verdict.detectors)
    return f"{verdict.output}: {headline(verdict)}; searched with {detectors}"


def place_lines(verdict: Verdict) -> list[str]:
    """Return a line for each place that a person should see, the worst first."""
    is_still = verdict.frames == 1
    lines = [f"  {_place_line(place, is_still)}" for place in verdict.places[:_MAX_LISTED]]
    if len(verdict.places) > _MAX_LISTED:
        lines.append(f"  {len(verdict.places) - _MAX_LISTED} more: --report FILE.html shows them")
    lines += [
        f"  {_left_visible_line(face, is_still)}" for face in verdict.left_visible[:_MAX_LISTED]
    ]
    if len(verdict.left_visible) > _MAX_LISTED:
        rest = len(verdict.left_visible) - _MAX_LISTED
        lines.append(f"  {rest} more left visible by choice: --json FILE.json lists them")
    return lines


def _left_visible_line(face: LeftVisible, is_still: bool) -> str:
    from tracker_blur.core.rules import REASONS  # imports NumPy: not needed by --help
    from tracker_blur.core.times import format_seconds

    box = face.box
    time = f"{format_seconds(face.first)} to {format_seconds(face.last)}, "
    track = "" if face.track_id is None else f"track {face.track_id}, "
    return (
        f"left visible {REASONS[face.reason]}: {track}{'' if is_still else time}"
        f"{box.width:.0f}x{box.height:.0f} pixels at {box.left:.0f}, {box.top:.0f}"
    )


def _place_line(place: ExposureRun, is_still: bool) -> str:
    box = place.worst.box
    time = "" if is_still else f"{place.span}, "
    text = (
        f"{place.finding}: {place.place_id}, {time}{box.width:.0f}x{box.height:.0f} pixels at "
        f"{box.left:.0f}, {box.top:.0f}"
    )
    if place.log_odds is not None:
        text += f", {100 * place.chance:.0f} % likely a {place.label}"
    return text


def print_verdict(
    verdict: Verdict, *, is_one_of_several: bool, is_quiet: bool, to_standard_error: bool
) -> None:
    """Print what was found in a file: one line, and one for each place.

    Args:
        verdict: what was found.
        is_one_of_several: leave out what is the same for all files.
        is_quiet: print nothing where all is well.
        to_standard_error: standard output is for JSON.
    """
    if is_quiet and verdict.is_clean:
        return
    line = f"{verdict.output}: {headline(verdict)}"
    if not is_one_of_several:
        rate = verdict.frames / verdict.seconds if verdict.seconds else 0.0
        line = f"{summary_line(verdict)} ({rate:.1f} frames per second)"
        if verdict.advice is not None:
            line += f"; {verdict.advice}"
    for text in (line, *place_lines(verdict)):
        if to_standard_error:
            sys.stderr.write(f"{escaped(text)}\n")
        else:
            print_line(text)


def summary_of(verdicts: Sequence[Verdict], failed: int) -> str:
    """Return how many of several files are exposed, to be looked at, changed, or fine."""
    findings = Counter(
        "not compared"
        if verdict.source_mismatches and verdict.finding == "nothing found"
        else verdict.finding
        for verdict in verdicts
    )
    counts = [
        f"{findings['exposed']} exposed",
        f"{findings['look here']} to look at",
        f"nothing found in {findings['nothing found']}",
    ]
    if findings["not compared"]:
        counts.append(f"{findings['not compared']} not compared")
    changed = sum(bool(verdict.failed_checks) for verdict in verdicts)
    if changed:
        counts.append(f"{changed} not intact")
    if failed:
        counts.append(f"{failed} failed")
    text = f"{counted(len(verdicts), 'file')}: {', '.join(counts)}"
    for verdict in verdicts[:1]:
        text += f"; searched with {' and '.join(verdict.detectors)}"
        if verdict.advice is not None:
            text += f"; {verdict.advice}"
    return text


def combined(
    verdicts: Sequence[Verdict], failed: Sequence[tuple[Path, str]], skipped: Sequence[str]
) -> Mapping[str, Any]:
    """Return the verdicts on several files as data for JSON.

    Args:
        verdicts: on those that could be searched.
        failed: each file with an error, and the error.
        skipped: why other files were left out.
    """
    ranked = ("exposed", "look here", "nothing found")
    findings = {verdict.finding for verdict in verdicts}
    return {
        "verdict": next((name for name in ranked if name in findings), None),
        "clean": not failed and all(verdict.is_clean for verdict in verdicts),
        "files": [verdict.to_dict() for verdict in verdicts],
        "failed": [{"output": str(path), "error": error} for path, error in failed],
        "skipped": list(skipped),
    }


def write_reports(
    verdicts: Sequence[Verdict],
    plain_data: Mapping[str, Any],
    *,
    page: Path | None,
    plain: Path | None,
    overwrite: bool,
) -> None:
    """Write the HTML report and the JSON file, each whole or not at all.

    Args:
        verdicts: what the page shows.
        plain_data: what the JSON holds.
        page: the HTML report.
        plain: the JSON file; "-" is standard output.
        overwrite: replace files that exist.

    Raises:
        SinkError: a file cannot be written.
    """
    from tracker_blur.files.atomic import replacing

    if page is not None:
        write_page(page, verdicts, overwrite)
    if plain is None:
        return
    if plain == STANDARD_OUTPUT:
        print_json(plain_data)
    else:
        with replacing(plain, overwrite) as temporary:
            temporary.write_text(f"{json.dumps(plain_data, indent=2)}\n", encoding="utf-8")


def write_page(path: Path, verdicts: Sequence[Verdict], overwrite: bool) -> None:
    """Write the HTML report on one or more files, whole or not at all; raises SinkError."""
    from tracker_blur.files.atomic import replacing
    from tracker_blur.verification.html import page_bytes

    with replacing(path, overwrite, is_private=True) as temporary:  # it shows faces
        temporary.write_bytes(page_bytes(*verdicts))


def check_report_target(path: Path, overwrite: bool) -> None:
    """Check that a report can be written here, before minutes are spent.

    Raises:
        SettingsError: it is the name of a video or an image.
        SinkError: it cannot be written.
    """
    from tracker_blur.files.atomic import check_place

    if is_media(path):
        raise SettingsError(
            f"{path}: is the name of a video or an image: choose another name, such as report.html "
            "or report.json"
        )
    check_place(path, overwrite)
