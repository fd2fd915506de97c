"""What the tests of formats share."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.track_samples import two_tracks
from tracker_blur.annotations import formats

if TYPE_CHECKING:
    from pathlib import Path

    from tests.annotations.formats.reading import ReadAs
    from tracker_blur.core.tracks import Tracks


@pytest.fixture
def read_as(tmp_path: Path) -> ReadAs:
    """Return a function that reads a text in a format, about the video of `two_tracks`."""

    def read(name: str, text: str) -> Tracks:
        (tmp_path / "text").write_text(text, encoding="utf-8")
        return formats.load(name).read(tmp_path / "text", two_tracks())

    return read
