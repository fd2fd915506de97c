"""Files that are played as if they came live, by name and on standard input."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import SimpleNamespace

import pytest

from tests.realtime.judging import Judge, watched
from tests.realtime.peers import ffmpeg
from tracker_blur.errors import SourceError
from tracker_blur.realtime.settings import LiveSettings
from tracker_blur.realtime.sources import CapturedFrame, Item, LiveSource, open_source

pytestmark = pytest.mark.shared


def remuxed(clip: Path, target: Path, *options: str) -> Path:
    command = [ffmpeg(), "-loglevel", "error", "-nostdin", "-i", str(clip), "-c", "copy"]
    subprocess.run([*command, *options, str(target)], check=True)
    return target


def given(source: LiveSource, items: list[Item]) -> None:
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


@contextmanager
def sent(path: Path) -> Iterator[int]:
    """Have another program send a file through a pipe; gives the pipe's end to read from."""
    with subprocess.Popen(["cat", str(path)], stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        yield process.stdout.fileno()


def on_standard_input(
    monkeypatch: pytest.MonkeyPatch, number: int, live: LiveSettings | None = None
) -> LiveSource:
    monkeypatch.setattr(sys, "stdin", SimpleNamespace(fileno=lambda: number))
    return open_source("-", live or LiveSettings())


def test_an_mp4_with_its_index_last_that_is_sent_says_what_to_do(
    clip: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    items: list[Item] = []
    with (
        sent(remuxed(clip, tmp_path / "clip.mp4")) as number,
        pytest.raises(SourceError, match=r"needs its index first .* name the file"),
    ):
        given(on_standard_input(monkeypatch, number), items)
    assert items == []


def test_an_mp4_with_its_index_first_can_be_sent(
    clip: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    items: list[Item] = []
    with sent(remuxed(clip, tmp_path / "clip.mp4", "-movflags", "+faststart")) as number:
        given(on_standard_input(monkeypatch, number), items)
    assert len(items) == 56


def test_a_file_on_standard_input_is_played_at_its_own_speed(
    clip: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    items: list[Item] = []
    began = time.monotonic()
    number = os.open(remuxed(clip, tmp_path / "clip.mp4"), os.O_RDONLY)
    try:
        given(on_standard_input(monkeypatch, number), items)
    finally:
        os.close(number)
    stamps = [item.stamp or 0.0 for item in items if isinstance(item, CapturedFrame)]
    assert len(stamps) == 56
    assert time.monotonic() - began >= stamps[-1] - stamps[0] - 0.01


def test_raw_pictures_sent_in_haste_are_all_counted(
    shared: Path, clip: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    raw = tmp_path / "pictures"
    raw.write_bytes(bytes(64 * 48 * 3 * 75))
    live = LiveSettings(raw_format="64x48:bgr24", rate=25, watchdog_seconds=60)
    judge = Judge()
    with sent(raw) as number:
        source = on_standard_input(monkeypatch, number, live)
        status = watched(clip, shared, judge, live, source=source)
    assert status.frames_in == 75
    assert judge.session is not None
    looked_at = len(judge.session._output.delays)
    assert looked_at + status.dropped == 75
    assert status.frames_out >= looked_at >= 1
