"""The kept output of child processes."""

from __future__ import annotations

import os
import subprocess

from tests.waiting import PATIENCE_SECONDS
from tracker_blur.realtime.child_process import OutputReader, StderrTail


def test_output_is_waited_for_up_to_a_timeout() -> None:
    with subprocess.Popen(
        ["sh", "-c", "printf ready; read -r _; printf ab; printf c"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        bufsize=0,
    ) as program:
        assert program.stdout is not None
        assert program.stdin is not None
        reader = OutputReader(program.stdout)
        assert reader.read(PATIENCE_SECONDS) == b"ready"
        assert reader.read(0) == reader.read(0.05) == b""
        program.stdin.write(b"\n")
        output = b""
        while output != b"abc":
            output += reader.read(PATIENCE_SECONDS)
        assert reader.read(PATIENCE_SECONDS) == b""  # at once: it has ended


def test_endless_output_does_not_fill_the_disk() -> None:
    tail = StderrTail()
    script = "i=0; while [ $i -lt 300 ]; do printf '%08192d\\n' $i >&2; i=$((i+1)); read -r _; done"
    with subprocess.Popen(
        ["sh", "-c", script], stdin=subprocess.PIPE, stderr=tail.fileno(), bufsize=0
    ) as program:
        assert program.stdin is not None
        for _ in range(300):
            tail.trim()
            assert os.fstat(tail.fileno()).st_size < 1.1 * 2**20
            program.stdin.write(b"\n")
    assert tail.lines()[-1].endswith("0299")
    tail.close()
