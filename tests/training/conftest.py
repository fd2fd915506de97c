"""Pictures to learn from."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.annotated_files import picture, write_picture, write_table
from tracker_blur.core.box import Box


@pytest.fixture
def dataset(tmp_path: Path) -> Path:
    rows = []
    for i in range(12):
        box = Box(20 + i, 16, 48 + i, 44)
        write_picture(tmp_path / "data" / "disks" / f"{i}.png", picture(i, (box,)))
        sides = " ".join(map(str, box.as_tuple()))
        rows.append((f"disks/{i}.png", "val" if i > 9 else "train", "disk", sides, ""))
    return write_table(tmp_path / "data", rows)
