"""The standard streams of `trackblur live`: lines that nobody gets, streams that are closed."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import av
import pytest

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="a POSIX shell and its devices")

PROGRAM = [sys.executable, "-m", "tracker_blur", "live"]


def run(shell: str, *words: str, folder: Path) -> subprocess.CompletedProcess[str]:
    """Run the program with its streams turned as a shell writes it, such as `>&-`."""
    return subprocess.run(
        ["sh", "-c", f'"$@" {shell}', "sh", *PROGRAM, *words],
        capture_output=True,
        text=True,
        cwd=folder,
        timeout=120,
    )


@pytest.mark.parametrize(
    ("shell", "words", "text"),
    [
        ("<&-", ["-", "--to", "out.mkv"], "standard input is closed"),
        (">&-", ["0", "--to", "-"], "-: standard output is closed"),
        (">&-", ["0", "--to", "out.mkv", "--json"], "--json: nothing is open to write lines to"),
    ],
)
def test_a_stream_that_is_closed_is_told(
    tmp_path: Path, shell: str, words: list[str], text: str
) -> None:
    result = run(shell, *words, folder=tmp_path)
    assert result.returncode == 2
    assert f"trackblur: error: {text}" in result.stderr
    assert len(result.stderr.splitlines()) == 1
    assert list(tmp_path.iterdir()) == []


@pytest.mark.shared
@pytest.mark.parametrize(
    ("shell", "json", "code", "text"),
    [
        ("2>&-", [], 0, ""),
        ("2>/dev/full", [], 0, ""),
        (">/dev/full", ["--json"], 1, "--json: lines cannot be written (no space left on device)"),
    ],
)
def test_lines_that_nobody_gets_stop_nothing_else(
    shared: Path, tmp_path: Path, shell: str, json: list[str], code: int, text: str
) -> None:
    clip = shared / "videos" / "two_heads.mp4"
    words = [str(clip), "--realtime", "--to", "out.mkv", "--face", str(shared / "models"), *json]
    words += ["--watchdog", "60"]  # a machine that stands still is no detector that hangs
    result = run(shell, *words, folder=tmp_path)
    assert result.returncode == code, result.stderr
    assert text in result.stderr
    with av.open(str(tmp_path / "out.mkv")) as container:
        # Of 4.7 seconds, less what a target takes to open; lines fail after one second.
        assert float(list(container.decode(video=0))[-1].time or 0) > 2
