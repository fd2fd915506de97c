"""The kept output of child processes."""

from __future__ import annotations

import os
import subprocess

from tracker_blur.realtime.child_process import StderrTail


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
