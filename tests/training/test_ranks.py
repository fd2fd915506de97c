"""Several processes train one network."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

torch = pytest.importorskip("torch", reason="PyTorch (the extra 'train') is not installed")

from tracker_blur.training import checkpoints  # noqa: E402  # it imports PyTorch itself

START = ["-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2"]
pytestmark = pytest.mark.skipif(
    sys.platform == "win32", reason="PyTorch has no gloo over files there"
)


def test_two_processes_train_together(dataset: Path, tmp_path: Path) -> None:
    words = ["-m", "tracker_blur", "train", str(dataset), "--name", "disk", "--out", str(tmp_path)]
    words += ["--batch", "2", "--side", "64", "--workers", "0", "--device", "cpu", "--steps", "3"]
    words += ["--teachers", "haar", "--width", "0.3", "--threads", "1"]
    done = subprocess.run(
        [sys.executable, *START, *words],
        capture_output=True,
        text=True,
        timeout=300,
        env=os.environ | {"OMP_NUM_THREADS": "1"},
    )
    assert done.returncode == 0, done.stderr
    assert len(re.findall("^3 batches,", done.stdout, re.MULTILINE)) == 1
    assert len(re.findall("^train: 10 pictures", done.stdout, re.MULTILINE)) == 1
    assert (tmp_path / "disk.onnx").is_file()
    card = (tmp_path / "disk.md").read_text(encoding="utf-8")
    assert "- batch: 2 in each of 2 processes\n" in card
    made_from = checkpoints.load(tmp_path / "disk.training" / "checkpoint.pt").made_from
    assert made_from["processes"] == "2"


def test_the_first_may_keep_the_others_waiting_for_hours(tmp_path: Path) -> None:
    script = tmp_path / "waits.py"
    script.write_text(
        "import torch\n"
        "from tracker_blur.training.loop import Ranks\n"
        "ranks = Ranks.joined('cpu')\n"
        "with ranks.first_before_others():\n"
        "    print(f'process {ranks.number}', flush=True)\n"
        "group = torch.distributed.group.WORLD._get_backend(ranks.device)\n"
        "assert group.options._timeout.total_seconds() >= 12 * 3600, group.options._timeout\n"
        "del group\n"
        "ranks.leave()\n"
    )
    done = subprocess.run(
        [sys.executable, *START, str(script)],
        capture_output=True,
        text=True,
        timeout=300,
        env=os.environ | {"OMP_NUM_THREADS": "1"},
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines() == ["process 0", "process 1"]
