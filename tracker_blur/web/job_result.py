"""What a job's run said about its result, without the paths of this machine."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tracker_blur.web.job_events import MOST_WARNINGS
from tracker_blur.web.state import read_json

if TYPE_CHECKING:
    from tracker_blur.web.job import Action

RESULT = "result.json"
"""In the folder of a job: what its run wrote with `--json`."""

WARNINGS, WARNING_COUNT = "warnings", "warning_count"
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


def passed_over(path: Path) -> list[str] | None:
    """Return the inputs that a run passed over, as they had outputs; None: it does not say.

    Args:
        path: What it wrote with `--json`; it may be missing.
    """
    skipped = read_json(path, {}).get("skipped")
    if skipped is None:
        return None
    # A search says in words why it left a file out; that is not for an output.
    return [file["input"] for file in skipped if isinstance(file, dict) and "output" in file]


def with_earlier(
    result: dict[str, Any] | None, earlier: dict[str, Any] | None, files: list[str] | None
) -> dict[str, Any] | None:
    """Return a result with what an attempt before said of files that are not written again.

    Args:
        result: That of the last attempt.
        earlier: What the attempt before it said.
        files: These files, named as in both; None: all of which it spoke.
    """
    known = None if files is None else set(files)
    for name in (WARNINGS, NOTHING_FOUND):
        said = [text for text in (earlier or {}).get(name, []) if _is_about(text, known)]
        if said:
            now = (result or {}).get(name, [])
            more = [text for text in said if text not in now]
            result = {**(result or {}), name: [*more, *now]}
            if name == WARNINGS:
                result[name] = result[name][:MOST_WARNINGS]
                result[WARNING_COUNT] = len(more) + result.get(WARNING_COUNT, len(now))
    return result


def _is_about(text: str, files: set[str] | None) -> bool:
    """Return whether a text is the name of one of these files, or begins with it and a colon."""
    parts = text.split(": ")
    return files is None or any(
        ": ".join(parts[:count]) in files for count in range(1, len(parts) + 1)
    )


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
