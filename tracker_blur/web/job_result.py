"""What a job's run said about its result, without the paths of this machine."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tracker_blur.web.state import read_json

if TYPE_CHECKING:
    from tracker_blur.web.job import Action

RESULT = "result.json"
"""In the folder of a job: what its run wrote with `--json`."""

NOTHING_FOUND = "nothing_found"
"""In a result, if there are any: the inputs in which nothing to hide was found."""

_SUMMARY = (
    *("detector", "method_class", "frames", "faces", "tracks", "tracks_by_class", "left_visible"),
    *("careful", "seconds", "warnings", "input_sha256", "output_sha256", "verified"),
)
_VERDICT = (
    *("verdict", "clean", "evidence", "advice", "frames", "exposed", "exposed_frames", "look_here"),
    *("dismissed", "left_visible", "runs", "look_here_runs", "checks", "detectors", "looked"),
    "seconds",
)


def result_of(action: Action, path: Path) -> dict[str, Any] | None:
    """Return what the page shows of a result; None where the run wrote none.

    Args:
        action: What was run.
        path: What it wrote with `--json`.
    """
    written = read_json(path, {})
    if action == "verify":
        return {name: written[name] for name in _VERDICT if name in written} or None
    files = written.get("files", [])
    if not files:
        return None
    nothing_found = [file["input"] for file in files if file.get("tracks") == 0]
    warned = {NOTHING_FOUND: nothing_found} if nothing_found and action != "render" else {}
    if len(files) == 1:
        return {name: files[0][name] for name in _SUMMARY if name in files[0]} | warned
    return warned | {
        "files": len(files),
        "skipped": len(written["skipped"]),
        "failed": len(written["failed"]),
        "frames": sum(file["frames"] for file in files),
        "tracks": sum(file["tracks"] for file in files),
    }


def hashes_of(action: Action, path: Path) -> dict[Path, str]:
    """Return the hash of each file that a run has written, as it was when it ended.

    Args:
        action: What was run. A search has the hash of a file that it has only read.
        path: What it wrote with `--json`; it may be missing or damaged.
    """
    hashes = {}
    if action != "verify":
        with suppress(AttributeError, TypeError, KeyError):
            for file in read_json(path, {}).get("files", []):
                if isinstance(file["output_sha256"], str):
                    hashes[Path(file["output"])] = file["output_sha256"]
    return hashes
