"""The learning rate, hard-negative mining, and several processes that train one network."""

from __future__ import annotations

import os
import re
import subprocess
import sys

import numpy as np
import pytest

pytest.importorskip("torch", reason="PyTorch (the extra 'train') is not installed")

from typing import TYPE_CHECKING

import torch

from tests.training.samples import disk_sample
from tests.training.tiny import QUICK, TINY
from tracker_blur.core.box import Box
from tracker_blur.training import checkpoints
from tracker_blur.training.data import MosaicDataset
from tracker_blur.training.loop import learning_rate
from tracker_blur.training.mining import HardNegativeMiner
from tracker_blur.training.network import Network
from tracker_blur.training.recipe import Augmentation, Recipe

if TYPE_CHECKING:
    from pathlib import Path

needs_gloo = pytest.mark.skipif(
    sys.platform == "win32", reason="PyTorch has no gloo over files there"
)


def test_short_trainings_have_a_short_warmup() -> None:
    assert learning_rate(Recipe(steps=60), 5, 0.0) == Recipe().rate
    assert learning_rate(Recipe(steps=60), 0, 0.0) == pytest.approx(Recipe().rate / 6)
    assert learning_rate(Recipe(steps=20_000), 149, 0.0) == pytest.approx(Recipe().rate / 2)
    assert learning_rate(Recipe(minutes=1.0), 149, 0.0) == pytest.approx(Recipe().rate / 2)


@pytest.mark.usefixtures("seeded_torch")
def test_false_alarms_in_empty_images_are_mined_and_shown() -> None:
    samples = [
        disk_sample(Box(60, 40, 100, 80)),
        disk_sample(seed=1, size=(100, 70)),
        disk_sample(seed=2),
    ]
    network = Network(TINY).eval()
    miner = HardNegativeMiner(samples)
    miner.search(network, torch.device("cpu"))
    assert not miner.boxes.any()  # every cell starts with a score of 0.01
    for head in network.heads:
        torch.nn.init.constant_(head[-1].bias[:1], 2.0)
    miner.search(network, torch.device("cpu"))
    assert not miner.boxes[0].any()  # people labeled something in it
    sides = miner.boxes[1:, 2:] - miner.boxes[1:, :2]
    assert (sides > 0).all()
    assert (miner.boxes[1, 2:] <= torch.tensor([100, 70])).all()
    augmentation = Augmentation(96, crowd_share=0, mined_share=1.0)
    dataset = MosaicDataset(samples, [1, 0, 0], augmentation, 3, miner.boxes)
    canvases = [dataset.make_canvas(np.random.default_rng(i)) for i in range(10)]
    assert not any(len(canvas.boxes) for canvas in canvases)


def run_in_two_processes(*arguments: str) -> str:
    """Let torchrun run a program in two processes; return what they print."""
    torchrun = ["-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2"]
    done = subprocess.run(
        [sys.executable, *torchrun, *arguments],
        capture_output=True,
        text=True,
        timeout=300,
        env=os.environ | {"OMP_NUM_THREADS": "1"},
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.mark.slow
@needs_gloo
def test_two_processes_train_together(dataset: Path, tmp_path: Path) -> None:
    arguments = [str(dataset), "--name", "disk", "--out", str(tmp_path), *QUICK]
    arguments += ["--steps", "3", "--teachers", "haar", "--threads", "1"]
    out = run_in_two_processes("-m", "tracker_blur", "train", *arguments)
    assert len(re.findall("^3 batches,", out, re.MULTILINE)) == 1
    assert len(re.findall("^train: 10 images", out, re.MULTILINE)) == 1
    assert (tmp_path / "disk.onnx").is_file()
    card = (tmp_path / "disk.md").read_text(encoding="utf-8")
    assert "- batch: 2 in each of 2 processes\n" in card
    made_from = checkpoints.load(tmp_path / "disk.training" / "checkpoint.pt").made_from
    assert made_from["processes"] == "2"


@pytest.mark.slow
@needs_gloo
def test_the_main_process_may_keep_the_others_waiting_for_hours(tmp_path: Path) -> None:
    script = tmp_path / "waits.py"
    script.write_text(
        "import torch\n"
        "from tracker_blur.training.loop import ProcessGroup\n"
        "group = ProcessGroup.join('cpu')\n"
        "with group.main_first():\n"
        "    print(f'process {group.rank}', flush=True)\n"
        "backend = torch.distributed.group.WORLD._get_backend(group.device)\n"
        "assert backend.options._timeout.total_seconds() >= 12 * 3600, backend.options._timeout\n"
        "del backend\n"
        "group.leave()\n"
    )
    assert run_in_two_processes(str(script)).splitlines() == ["process 0", "process 1"]
