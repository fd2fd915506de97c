"""Checkpoints that cannot be written or read."""

from __future__ import annotations

import sys

import pytest

pytest.importorskip("torch", reason="PyTorch (the extra 'train') is not installed")

from typing import TYPE_CHECKING

from tests.training.tiny import TINY
from tracker_blur.errors import SettingsError, SinkError
from tracker_blur.training import checkpoints
from tracker_blur.training.checkpoints import TrainingState

if TYPE_CHECKING:
    from pathlib import Path


def test_a_checkpoint_of_another_version_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "checkpoint.pt"
    with monkeypatch.context() as earlier:
        earlier.setattr(checkpoints, "_VERSION", 1)
        checkpoints.save(TrainingState(TINY, ("disk",)), path)
    with pytest.raises(SettingsError, match="by another version of trackblur: delete it"):
        checkpoints.load(path)


def test_a_damaged_checkpoint_is_refused(tmp_path: Path) -> None:
    (tmp_path / "checkpoint.pt").write_bytes(b"nothing")
    with pytest.raises(SettingsError, match="not a checkpoint"):
        checkpoints.load(tmp_path / "checkpoint.pt")


@pytest.mark.skipif(sys.platform == "win32", reason="limits are of POSIX")
def test_a_full_disk_leaves_the_previous_checkpoint(tmp_path: Path) -> None:
    import resource

    path = tmp_path / "checkpoint.pt"
    checkpoints.save(TrainingState(TINY, ("disk",)), path)
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (path.stat().st_size // 2, limits[1]))
    try:
        with pytest.raises(SinkError, match=r"checkpoint\.pt: cannot be written"):
            checkpoints.save(TrainingState(TINY, ("disk",), step=1), path)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert checkpoints.load(path).step == 0
    assert [file.name for file in tmp_path.iterdir()] == ["checkpoint.pt"]
