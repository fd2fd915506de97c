"""Several processes train one network."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.annotated_files import picture, write_picture, write_table
from tracker_blur.boxes import Box

torch = pytest.importorskip("torch", reason="PyTorch (the extra 'train') is not installed")


@pytest.mark.skipif(sys.platform == "win32", reason="PyTorch has no gloo over files there")
def test_two_processes_train_together(tmp_path: Path) -> None:
    rows = []
    for i in range(12):
        box = Box(20 + i, 16, 48 + i, 44)
        write_picture(tmp_path / "data" / "disks" / f"{i}.png", picture(i, (box,)))
        sides = " ".join(map(str, box.as_tuple()))
        rows.append((f"disks/{i}.png", "val" if i > 9 else "train", "disk", sides, ""))
    folder = write_table(tmp_path / "data", rows)
    start = ["-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2"]
    words = ["-m", "tracker_blur", "train", str(folder), "--name", "disk", "--out", str(tmp_path)]
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
