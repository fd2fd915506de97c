"""Files that are played as if they came live, by name and on standard input."""

from __future__ import annotations

import subprocess
import threading
from pathlib import Path

import pytest

from tests.realtime.peers import ffmpeg
from tracker_blur.errors import SourceError
from tracker_blur.realtime.live_settings import LiveSettings
from tracker_blur.realtime.sources import Item, Source, open_source

pytestmark = pytest.mark.shared


@pytest.fixture
def clip(shared: Path) -> Path:
    return shared / "videos" / "two_heads.mp4"


def remuxed(clip: Path, target: Path, *options: str) -> Path:
    command = [ffmpeg(), "-loglevel", "error", "-nostdin", "-i", str(clip), "-c", "copy"]
    subprocess.run([*command, *options, str(target)], check=True)
    return target


def given(source: Source, items: list[Item]) -> None:
    """Put into the list all that a source gives."""
    source.open()
    try:
        items.extend(source.read(threading.Event()))
    finally:
        source.close()


@pytest.mark.parametrize("suffix", [".mp4", ".mkv"])
def test_a_file_that_was_cut_short_is_played_and_then_told_of(
    clip: Path, tmp_path: Path, suffix: str
) -> None:
    whole = remuxed(clip, tmp_path / f"whole{suffix}", "-movflags", "+faststart")
    cut = tmp_path / f"cut{suffix}"
    data = whole.read_bytes()
    cut.write_bytes(data[: len(data) // 2])
    items: list[Item] = []
    with pytest.raises(SourceError, match=rf"cut{suffix}: breaks off, \d+ bytes are missing"):
        given(open_source(str(cut), LiveSettings(), realtime=True), items)
    assert 10 < len(items) < 50


def test_a_whole_file_ends_without_a_word(clip: Path) -> None:
    items: list[Item] = []
    given(open_source(str(clip), LiveSettings(), realtime=True), items)
    assert len(items) == 56
