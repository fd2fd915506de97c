"""What `verify` found in the result of a review, from its JSON report."""

from __future__ import annotations

import functools
import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from tracker_blur.files.companions import beside_tracks

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

_SUFFIX = ".verify.json"
_MAX_BYTES = 64 << 20


@dataclass(frozen=True, slots=True)
class VerifyReport:
    """The places that `verify` found.

    Attributes:
        stamp: when the report was written, in nanoseconds, and its size; None: there is none.
        runs: each as in the report, with `is_exposed`: whether it is surely exposed.
    """

    stamp: tuple[int, int] | None = None
    runs: tuple[dict[str, Any], ...] = ()


_NO_REPORT = VerifyReport()


def report_path(track_path: Path) -> Path:
    """Return where the report on a video's result is: IN.verify.json next to IN.tracks.jsonl."""
    return beside_tracks(track_path, _SUFFIX)


def read_report(path: Path) -> VerifyReport:
    """Return what a report says; nothing if there is none, or it is none of `verify`."""
    try:
        status = path.stat()
    except OSError:
        return _NO_REPORT
    if status.st_size > _MAX_BYTES:
        return _NO_REPORT
    return _read(path, (status.st_mtime_ns, status.st_size))


@functools.lru_cache(maxsize=4)
def _read(path: Path, stamp: tuple[int, int]) -> VerifyReport:
    try:
        report = json.loads(path.read_bytes())
        runs = runs_of(report.get("files", [report]))
    except (OSError, ValueError, AttributeError, TypeError, RecursionError):
        return _NO_REPORT
    return VerifyReport(stamp, runs)


def runs_of(files: Iterable[dict[str, Any]]) -> tuple[dict[str, Any], ...]:
    """Return the places in the verdicts on some files, each with `is_exposed`."""
    return tuple(
        {**run, "is_exposed": name == "runs"}
        for file in files
        for name in ("runs", "look_here_runs")
        for run in file.get(name, ())
    )
