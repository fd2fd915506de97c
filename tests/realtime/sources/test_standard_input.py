"""Standard input: containers and raw frames through a pipe, and files."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from contextlib import contextmanager
from types import SimpleNamespace
from typing import TYPE_CHECKING

import pytest

from tests.realtime.judging import Judge, run_session
from tests.realtime.sources.ffmpeg_sender import remuxed
from tests.realtime.sources.reading import read_into
from tracker_blur.errors import SettingsError, SourceError
from tracker_blur.realtime.settings import LiveSettings
from tracker_blur.realtime.sources import CapturedFrame, CapturedItem, LiveSource, open_source

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@contextmanager
def piped(path: Path) -> Iterator[int]:
    """Have another program write a file to a pipe; yield the descriptor to read from."""
    with subprocess.Popen(["cat", str(path)], stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        yield process.stdout.fileno()


def standard_input(
    monkeypatch: pytest.MonkeyPatch, descriptor: int, live: LiveSettings | None = None
) -> LiveSource:
    """Return a source that reads from a descriptor as its standard input."""
    monkeypatch.setattr(sys, "stdin", SimpleNamespace(fileno=lambda: descriptor))
    return open_source("-", live or LiveSettings())


@pytest.mark.parametrize("raw_format", ["64x48", "64x48:none", "0x48:bgr24", "axb:bgr24"])
def test_invalid_raw_format_is_refused(raw_format: str) -> None:
    with pytest.raises(SettingsError, match=f"`raw_format` is '{raw_format}': give WIDTHxHEIGHT"):
        open_source("-", LiveSettings(raw_format=raw_format, rate=25))


@pytest.mark.parametrize(
    "script",
    [
        "ffconcat version 1.0\nfile secret.mp4\n",
        "#EXTM3U\n#EXT-X-TARGETDURATION:2\n#EXTINF:2,\nsecret.ts\n#EXT-X-ENDLIST\n",
        "v=0\no=- 0 0 IN IP4 127.0.0.1\nm=video 5000 RTP/AVP 96\na=rtpmap:96 H264/90000\n",
    ],
)
def test_formats_that_refer_to_other_places_are_refused(
    script: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "script"
    path.write_text(script)
    with piped(path) as descriptor:
        source = standard_input(monkeypatch, descriptor)
        with pytest.raises(SourceError, match="standard input: is not a video"):
            source.open()


@pytest.mark.parametrize("raw_format", ["99999x99999:bgr24", "64x64:vaapi"])
def test_raw_frames_that_ffmpeg_refuses_are_explained(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, raw_format: str
) -> None:
    frames = tmp_path / "frames"
    frames.write_bytes(bytes(1000))
    with piped(frames) as descriptor:
        live = LiveSettings(raw_format=raw_format, rate=25)
        source = standard_input(monkeypatch, descriptor, live)
        with pytest.raises(SourceError, match="correct --raw-format"):
            source.open()


@pytest.mark.shared
def test_piped_mp4_with_its_index_at_the_end_is_explained(
    clip: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    items: list[CapturedItem] = []
    with (
        piped(remuxed(clip, tmp_path / "clip.mp4")) as descriptor,
        pytest.raises(SourceError, match=r"move its index to the front .* name the file"),
    ):
        read_into(items, standard_input(monkeypatch, descriptor))
    assert items == []


@pytest.mark.shared
def test_piped_mp4_with_its_index_at_the_front_is_read(
    clip: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    items: list[CapturedItem] = []
    with piped(remuxed(clip, tmp_path / "clip.mp4", "-movflags", "+faststart")) as descriptor:
        read_into(items, standard_input(monkeypatch, descriptor))
    assert len(items) == 56


@pytest.mark.slow
@pytest.mark.shared
def test_file_is_played_at_its_own_speed(
    clip: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    items: list[CapturedItem] = []
    began = time.monotonic()
    descriptor = os.open(remuxed(clip, tmp_path / "clip.mp4"), os.O_RDONLY)
    try:
        read_into(items, standard_input(monkeypatch, descriptor))
    finally:
        os.close(descriptor)
    timestamps = [item.timestamp or 0.0 for item in items if isinstance(item, CapturedFrame)]
    assert len(timestamps) == 56
    assert time.monotonic() - began >= timestamps[-1] - timestamps[0] - 0.01


@pytest.mark.slow
@pytest.mark.shared
def test_raw_frames_faster_than_realtime_are_all_counted(
    shared: Path, clip: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    raw = tmp_path / "frames"
    raw.write_bytes(bytes(64 * 48 * 3 * 75))
    live = LiveSettings(raw_format="64x48:bgr24", rate=25, watchdog_seconds=60)
    judge = Judge()
    with piped(raw) as descriptor:
        source = standard_input(monkeypatch, descriptor, live)
        status = run_session(clip, shared, judge, live, source=source)
    assert status.frames_in == 75
    assert judge.session is not None
    analyzed = len(judge.session._output.delays)
    assert analyzed + status.dropped == 75
    assert status.frames_out >= analyzed >= 1
