"""Child processes find what this process finds, and say how they ended."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

from tracker_blur.processes import WorkerProcess, python_environment

if TYPE_CHECKING:
    from multiprocessing.connection import Connection


def test_a_child_finds_our_packages_and_none_of_the_folder_it_runs_in(tmp_path: Path) -> None:
    (tmp_path / "numpy.py").write_text("raise SystemExit(3)\n")
    code = "import os, numpy, tracker_blur; print(tracker_blur.__file__, os.environ['NEW'])"
    ended = subprocess.run(
        [sys.executable, "-c", code],
        env=python_environment(NEW="x"),
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=True,
    )
    path, added = ended.stdout.split()
    assert Path(path).name == "__init__.py"
    assert added == "x"


def echo(pipe: Connection, prefix: str) -> None:
    """Answer until asked to end, or to hang."""
    while (said := pipe.recv()) != "end":
        if said == "hang":
            time.sleep(60)
        pipe.send(prefix + said)
    os._exit(3)


def test_the_end_of_a_process_is_the_end_of_its_pipe() -> None:
    worker = WorkerProcess(echo, "you said ")
    worker.send("this")
    assert worker.receive() == "you said this"
    worker.send("end")
    assert worker.receive() is None
    assert worker.how_it_ended == "exit code 3"
    assert worker.wait(time.monotonic())
    worker.send("no one hears this")


def test_a_process_that_does_not_end_is_killed() -> None:
    worker = WorkerProcess(echo, "")
    worker.send("hang")
    assert not worker.wait(time.monotonic() + 0.1)
    assert worker.how_it_ended == "SIGKILL"
    worker.pipe.close()
