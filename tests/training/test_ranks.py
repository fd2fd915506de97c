"""Several processes train one network."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

torch = pytest.importorskip("torch", reason="PyTorch (the extra 'train') is not installed")


@pytest.mark.skipif(sys.platform == "win32", reason="PyTorch has no gloo over files there")
def test_two_processes_train_together(dataset: Path, tmp_path: Path) -> None:
    start = ["-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2"]
    words = ["-m", "tracker_blur", "train", str(dataset), "--name", "disk", "--out", str(tmp_path)]
    words += ["--batch", "2", "--side", "64", "--workers", "0", "--device", "cpu", "--steps", "3"]
    words += ["--teachers", "haar", "--width", "0.3", "--threads", "1"]
    done = subprocess.run(
        [sys.executable, *start, *words],
        capture_output=True,
        text=True,
        timeout=300,
        env=os.environ | {"OMP_NUM_THREADS": "1"},
    )
    assert done.returncode == 0, done.stderr
    assert len(re.findall("^3 batches,", done.stdout, re.MULTILINE)) == 1
    assert len(re.findall("^train: 10 pictures", done.stdout, re.MULTILINE)) == 1
    assert (tmp_path / "disk.onnx").is_file()
    assert (tmp_path / "disk.md").is_file()
