"""Standard output: read by a program that may leave or stall."""

from __future__ import annotations

import os
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from tests.realtime.targets.decoding import check_images, check_sync, decode
from tests.realtime.targets.deliveries import COUNT
from tests.waiting import PATIENCE_SECONDS

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.slow

WRITER = """
import sys, time
from tests.realtime.targets.deliveries import *
from tracker_blur.errors import TrackerBlurError
from tracker_blur.realtime.targets import open_target
settings = Settings(one_pass=True, quality=float(sys.argv[2]))
began = time.monotonic()
try:
    target = open_target("-", make_context(settings, timeout_seconds=float(sys.argv[3])))
    for turn in range(int(sys.argv[1])):
        if not turn:
            target.open(FORMAT)
        begin = turn * COUNT / float(RATE)
        send(target, make_deliveries(begin=begin), make_audio(begin=begin), speed=2 if turn else 0)
except TrackerBlurError as error:
    print(error, file=sys.stderr)
    began = time.monotonic()
target.close()
print(f"closed in {time.monotonic() - began:.1f}", file=sys.stderr)
"""


def start_writer(
    turns: int, quality: int = 23, timeout_seconds: float = PATIENCE_SECONDS
) -> subprocess.Popen[bytes]:
    """Start a program that writes the sample this many times to standard output."""
    return subprocess.Popen(
        [sys.executable, "-c", WRITER, str(turns), str(quality), str(timeout_seconds)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )


def is_closed_soon(line: str) -> bool:
    """Return whether the writer closed without waiting for its reader."""
    return float(line.removeprefix("closed in ")) < PATIENCE_SECONDS / 4


def test_program_reads_everything_in_sync(tmp_path: Path) -> None:
    path = tmp_path / "out.ts"
    with start_writer(1) as writer:
        data, stderr = writer.communicate()
    path.write_bytes(data)
    assert b"closed in" in stderr
    decoded = decode(path)
    assert len(decoded.images) == COUNT
    assert decoded.intervals == pytest.approx([n / 25 for n in range(COUNT)], abs=0.001)
    check_images(decoded)
    check_sync(decoded)


def test_reader_that_leaves_is_reported() -> None:
    with start_writer(50) as writer:
        assert writer.stdout is not None
        assert writer.stderr is not None
        writer.stdout.read(20_000)
        writer.stdout.close()
        lines = writer.stderr.read().decode().splitlines()
    assert lines[0] == "-: no one reads standard output: start both programs again"
    assert len(lines) == 2
    assert is_closed_soon(lines[1])


def test_reader_that_stalls_is_reported_and_does_not_delay_the_end() -> None:
    with start_writer(50, quality=0, timeout_seconds=1) as writer:
        assert writer.stderr is not None
        lines = writer.stderr.read().decode().splitlines()
    assert lines[0] == "-: the reader of standard output has stalled: resume or restart it"
    assert len(lines) == 2
    assert is_closed_soon(lines[1])


def test_terminal_is_refused() -> None:
    pty = pytest.importorskip("pty", reason="needs a pseudo-terminal")
    ours, theirs = pty.openpty()
    done = subprocess.run(
        [sys.executable, "-c", WRITER.replace("target.close()", ""), "1", "23", "1"],
        stdout=theirs,
        stderr=subprocess.PIPE,
        text=True,
        check=False,
    )
    os.close(theirs)
    os.close(ours)
    assert "-: standard output is a terminal: pipe it to a program or file" in done.stderr
