"""Child processes find what this process finds."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from tracker_blur.processes import python_environment


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
