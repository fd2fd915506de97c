"""Standard output: read by a program, left by it, not read at all."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.realtime.targets.deliveries import COUNT
from tests.realtime.targets.received import check_pictures, check_step, read
from tests.waiting import PATIENCE_SECONDS

WRITER = """
import sys, time
from tests.realtime.targets.deliveries import *
from tracker_blur.errors import TrackerBlurError
from tracker_blur.realtime.targets import open_target
best = Settings(one_pass=True, quality=float(sys.argv[2]))
began = time.monotonic()
try:
    target = open_target("-", context(best, timeout_seconds=float(sys.argv[3])))
    for turn in range(int(sys.argv[1])):
        if not turn:
            target.open(FORMAT)
        begin = turn * COUNT / float(RATE)
        send(target, deliveries(begin=begin), sounds(begin=begin), pace=2 if turn else 0)
except TrackerBlurError as error:
    print(error, file=sys.stderr)
    began = time.monotonic()
target.close()
print(f"closed in {time.monotonic() - began:.1f}", file=sys.stderr)
"""


def start(
    turns: int, quality: int = 23, timeout_seconds: float = PATIENCE_SECONDS
) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        [sys.executable, "-c", WRITER, str(turns), str(quality), str(timeout_seconds)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )


def is_closed_soon(line: str) -> bool:
    """Return whether a writer that says this has not waited for its reader any more."""
    return float(line.removeprefix("closed in ")) < PATIENCE_SECONDS / 4


def test_a_program_reads_all_in_step(tmp_path: Path) -> None:
    path = tmp_path / "out.ts"
    with start(1) as writer:
        data, said = writer.communicate()
    path.write_bytes(data)
    assert b"closed in" in said
    got = read(path)
    assert len(got.pictures) == COUNT
    assert got.intervals == pytest.approx([n / 25 for n in range(COUNT)], abs=0.001)
    check_pictures(got)
    check_step(got)


def test_a_reader_that_leaves_is_told() -> None:
    with start(50) as writer:
        assert writer.stdout is not None
        assert writer.stderr is not None
        writer.stdout.read(20_000)
        writer.stdout.close()
        said = writer.stderr.read().decode().splitlines()
    assert said[0] == "-: nobody reads standard output: start both again"
    assert len(said) == 2
    assert is_closed_soon(said[1])


def test_a_reader_that_sleeps_is_told_and_holds_up_nothing() -> None:
    with start(50, quality=0, timeout_seconds=1) as writer:
        assert writer.stderr is not None
        said = writer.stderr.read().decode().splitlines()
    assert said[0] == "-: the reader of standard output reads nothing: wake it"
    assert len(said) == 2
    assert is_closed_soon(said[1])


def test_a_terminal_is_refused() -> None:
    pty = pytest.importorskip("pty", reason="terminals of one's own are POSIX's")
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
    assert "-: standard output is a terminal: send it to a program or a file" in done.stderr
