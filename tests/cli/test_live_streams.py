"""The standard streams of `trackblur live`: closed ones, and lines that cannot be written."""

from __future__ import annotations

import subprocess
import sys
from typing import TYPE_CHECKING

import av
import pytest

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(sys.platform == "win32", reason="needs a POSIX shell and its devices"),
]

PROGRAM = [sys.executable, "-m", "tracker_blur", "live"]


def run(redirection: str, *arguments: str, folder: Path) -> subprocess.CompletedProcess[str]:
    """Run the program with its streams redirected as in a shell, such as `>&-`."""
    return subprocess.run(
        ["sh", "-c", f'"$@" {redirection}', "sh", *PROGRAM, *arguments],
        capture_output=True,
        text=True,
        cwd=folder,
        timeout=120,
    )


@pytest.mark.parametrize(
    ("redirection", "arguments", "message"),
    [
        ("<&-", ["-", "--to", "out.mkv"], "standard input is closed"),
        (">&-", ["0", "--to", "-"], "-: standard output is closed"),
        (">&-", ["0", "--to", "out.mkv", "--json"], "--json: standard output is closed"),
    ],
)
def test_a_closed_stream_is_one_line(
    tmp_path: Path, redirection: str, arguments: list[str], message: str
) -> None:
    result = run(redirection, *arguments, folder=tmp_path)
    assert result.returncode == 2
    assert f"trackblur: error: {message}" in result.stderr
    assert len(result.stderr.splitlines()) == 1
    assert list(tmp_path.iterdir()) == []


@pytest.mark.shared
@pytest.mark.parametrize(
    ("redirection", "json", "code", "message"),
    [
        ("2>&-", [], 0, ""),
        ("2>/dev/full", [], 0, ""),
        (">/dev/full", ["--json"], 1, "--json: cannot write the status (no space left on device)"),
    ],
)
def test_lines_that_cannot_be_written_stop_nothing_else(
    shared: Path, tmp_path: Path, redirection: str, json: list[str], code: int, message: str
) -> None:
    clip = shared / "videos" / "two_heads.mp4"
    arguments = [str(clip), "--realtime", "--to", "out.mkv", "--face", str(shared / "models")]
    arguments += ["--watchdog", "60"]  # a busy machine is not a detector that hangs
    result = run(redirection, *arguments, *json, folder=tmp_path)
    assert result.returncode == code, result.stderr
    assert message in result.stderr
    with av.open(str(tmp_path / "out.mkv")) as container:
        # Of 4.7 seconds, less what a target takes to open; lines fail after one second.
        assert float(list(container.decode(video=0))[-1].time or 0) > 2
