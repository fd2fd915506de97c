"""What a run did, as plain data for machines."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from tracker_blur.core.report import Report
from tracker_blur.files.atomic import sha256
from tracker_blur.settings import Settings
from tracker_blur.verification.verdict import Verdict
from tracker_blur.version import __version__


def summarize(
    reports: list[Report],
    failures: list[tuple[Path, str]],
    settings: Settings,
    verdicts: Mapping[Path, Verdict] | None = None,
) -> dict[str, Any]:
    """Return the run as a dictionary that JSON can hold; hashes are SHA-256 of the files.

    verdicts  on outputs that were verified
    """
    return {
        "version": __version__,
        "settings": {
            name: str(value) if isinstance(value, Path) else value
            for name, value in dataclasses.asdict(settings).items()
        },
        "files": [_file(report, (verdicts or {}).get(report.target)) for report in reports],
        "failed": [{"input": str(path), "error": error} for path, error in failures],
    }


def _file(report: Report, verdict: Verdict | None) -> dict[str, Any]:
    return {
        "input": str(report.source),
        "input_sha256": sha256(report.source),
        "output": str(report.target),
        "output_sha256": sha256(report.target),
        "detector": report.detector,
        "frames": report.frames or report.looked,
        "faces": report.faces,
        "tracks": report.tracks,
        "seconds": round(report.seconds, 3),
        "stage_seconds": {name: round(took, 3) for name, took in report.stage_seconds.items()},
        "warnings": list(report.warnings),
        "verified": None if verdict is None else verdict.plain(),
    }
