"""Results as JSON, on standard output or in a file: what a run did with each file."""

from __future__ import annotations

import json
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tracker_blur.cli.parser import STANDARD_OUTPUT
from tracker_blur.cli.standard_output import write_out
from tracker_blur.errors import SettingsError, TrackerBlurError, reason_of
from tracker_blur.files.jobs import SkippedFile
from tracker_blur.version import __version__

if TYPE_CHECKING:
    import argparse
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from tracker_blur.cli.console import Console
    from tracker_blur.core.report import Report
    from tracker_blur.files.discovery import UnsupportedFile
    from tracker_blur.settings import Settings


def print_json(value: Mapping[str, Any]) -> None:
    """Print a machine-readable result; raises as `standard_output.print_line` does."""
    write_out(json.dumps(value, indent=2))


def write_json(value: Mapping[str, Any], options: argparse.Namespace) -> None:
    """Write a machine-readable result to the file that `json` names, whole or not at all.

    Args:
        value: the result.
        options: the parsed `json`, where "-" is standard output, and `overwrite`.

    Raises:
        SinkError: it cannot be written.
        BrokenPipeError: the reader has gone.
    """
    from tracker_blur.files.atomic import replacing

    if options.json == STANDARD_OUTPUT:
        print_json(value)
        return
    with replacing(options.json, options.overwrite) as temporary:
        temporary.write_text(f"{json.dumps(value, indent=2)}\n", encoding="utf-8")


def check_json_target(options: argparse.Namespace, others: Iterable[Path | None]) -> None:
    """Check that the result can be written where `json` says, before minutes are spent.

    Args:
        options: the parsed `json` and `overwrite`.
        others: what the command reads and writes.

    Raises:
        SettingsError: it is the name of a video or an image, or of something else.
        SinkError: it cannot be written.
    """
    from tracker_blur.files.atomic import check_place
    from tracker_blur.files.paths import is_media, is_same_file

    path = options.json
    if path is None or path == STANDARD_OUTPUT:
        return
    if is_media(path):
        raise SettingsError(
            f"{path}: is the name of a video or an image: choose another name for the results, "
            "such as results.json"
        )
    if any(other is not None and is_same_file(path, other) for other in others):
        raise SettingsError(f"{path}: is named twice: choose another name for the results")
    check_place(path, options.overwrite)


@contextmanager
def json_after_failure(
    options: argparse.Namespace, console: Console, source: Path | None = None
) -> Iterator[None]:
    """Print the requested JSON even where the block fails or is interrupted.

    Args:
        options: the parsed `json` matters.
        console: names flags in the error.
        source: the input, if there is only one.
    """
    try:
        yield
    except (TrackerBlurError, OSError, KeyboardInterrupt) as error:
        if options.json == STANDARD_OUTPUT:  # a file may be the one that was refused
            text = "interrupted"
            if isinstance(error, TrackerBlurError):
                text = console.text(error)
            elif isinstance(error, OSError):
                text = reason_of(error)
            name = None if source is None else str(source)
            failed = [{"input": name, "error": text}]
            print_json({"version": __version__, "files": [], "skipped": [], "failed": failed})
        raise


def summarize(
    files: Sequence[Mapping[str, Any]],
    settings: Settings,
    failures: Sequence[tuple[str, str]] = (),
    skipped: Sequence[SkippedFile | UnsupportedFile] = (),
) -> dict[str, Any]:
    """Return what a run did as a dictionary that JSON can hold.

    Args:
        files: what `summarize_file` returned for each file that was written.
        settings: those of the run.
        failures: each failed input, with its error message.
        skipped: files that were left out.
    """
    return {
        "version": __version__,
        "settings": {
            name: str(value) if isinstance(value, Path) else value
            for name, value in settings.options().items()
        },
        "files": list(files),
        "skipped": [_left_out(file) for file in skipped],
        "failed": [{"input": name, "error": error} for name, error in failures],
    }


def _left_out(file: SkippedFile | UnsupportedFile) -> dict[str, Any]:
    existing = {"output": str(file.target)} if isinstance(file, SkippedFile) else {}
    return {"input": str(file.source), **existing, "reason": file.reason}


def summarize_file(report: Report) -> dict[str, Any]:
    """Return the outcome of one file; hashes are SHA-256. `verified` is None until it is."""
    return {
        "input": str(report.source),
        "input_sha256": _sha256(report.source),
        "output": str(report.target),
        "output_sha256": _sha256(report.target),
        "detector": report.detector,
        "method_class": report.method_class,
        "frames": report.frames or report.first_pass_frames,
        "faces": report.faces,
        "tracks": report.tracks,
        "tracks_by_class": report.track_counts,
        "left_visible": report.left_visible,
        "people": None if report.people is None else report.people.to_dict(),
        "careful": None if report.added_places is None else _careful(report.added_places),
        "pieces": None if report.pieces is None else asdict(report.pieces),
        "seconds": round(report.seconds, 3),
        "stage_seconds": {name: round(took, 3) for name, took in report.stage_seconds.items()},
        "warnings": list(report.warnings),
        "verified": None,
    }


def _careful(added_places: tuple[int, ...]) -> dict[str, Any]:
    return {
        "rounds": len(added_places),
        "places": sum(added_places),
        "places_by_round": list(added_places),
    }


def _sha256(path: Path) -> str | None:
    """Return a file's hash; None where it has gone since, which must not cost the summary."""
    from tracker_blur.files.identity import sha256

    try:
        return sha256(path)
    except OSError:
        return None
