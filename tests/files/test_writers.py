"""Whether a file is still being written."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import pytest

from tracker_blur.files.writers import is_being_written

if TYPE_CHECKING:
    from pathlib import Path


@pytest.mark.skipif(sys.platform != "linux", reason="no other system says it")
def test_a_file_that_is_open_to_be_written_is_being_written(tmp_path: Path) -> None:
    path = tmp_path / "a.mp4"
    with path.open("wb"):
        assert is_being_written(path)
    assert not is_being_written(path)
    with path.open("rb"):
        assert not is_being_written(path)
