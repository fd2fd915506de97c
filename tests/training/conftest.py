"""A dataset to train on."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.annotated_files import disk_image, write_image, write_table
from tracker_blur.core.box import Box

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def dataset(tmp_path: Path) -> Path:
    """Return a folder with labels.csv: 10 images with a disk to train on, 2 to validate on."""
    rows = []
    for i in range(12):
        box = Box(20 + i, 16, 48 + i, 44)
        write_image(tmp_path / "data" / "disks" / f"{i}.png", disk_image(i, (box,)))
        sides = " ".join(map(str, box.as_tuple()))
        rows.append((f"disks/{i}.png", "val" if i > 9 else "train", "disk", sides, ""))
    return write_table(tmp_path / "data", rows)


@pytest.fixture
def seeded_torch() -> None:
    """Seed PyTorch, and let it use one thread."""
    import torch

    torch.manual_seed(0)
    torch.set_num_threads(1)
