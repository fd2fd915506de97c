"""Readers take files and nothing else."""

from __future__ import annotations

from pathlib import Path

import pytest

from tracker_blur.errors import SourceError
from tracker_blur.images.reader import ImageReader
from tracker_blur.video.reader import VideoReader


@pytest.mark.parametrize("source", [VideoReader, ImageReader])
@pytest.mark.parametrize("name", ["/dev/null", "-", "http://host/a.mp4"])
def test_readers_refuse_what_is_no_file(source: type[VideoReader | ImageReader], name: str) -> None:
    with pytest.raises(SourceError, match="is no file"):
        source(Path(name))
