"""Sources that come over the network or in a bad state, from real senders."""

from __future__ import annotations

import functools
import http.server
import socket
import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest

from tests.realtime.judging import Judge, watched
from tests.realtime.peers import ffmpeg, free_port, playing, transport_stream
from tracker_blur import Settings
from tracker_blur.errors import SourceError
from tracker_blur.following.eyes import Eyes
from tracker_blur.realtime.live_settings import LiveSettings
from tracker_blur.realtime.sources import Source, open_source

pytestmark = pytest.mark.shared

TS = ("-c:v", "libx264", "-preset", "ultrafast", "-tune", "zerolatency", "-g", "6", "-f", "mpegts")
FLV = ("-c:v", "libx264", "-preset", "ultrafast", "-tune", "zerolatency", "-g", "6", "-f", "flv")


@pytest.fixture
def clip(shared: Path) -> Path:
    return shared / "videos" / "two_heads.mp4"


def visible_faces(judge: Judge, shared: Path) -> list[float]:
    """Return the scores of faces that a detector still finds in pictures that left."""
    (eye, *_) = Eyes.of(Settings(models_folder=shared / "models")).each
    frames = {id(d.redacted.frame): d.redacted.frame for d in judge.deliveries if not d.is_cover}
    return [
        find.score
        for frame in frames.values()
        for find in eye.detector.detect(frame.view(frame.size), 0.8)
    ]


def opened_patiently(source: Source) -> Source:
    """Have the first opening wait for a server that is still starting."""
    real, end = source.open, time.monotonic() + 15

    def patient() -> None:
        while True:
            try:
                return real()
            except SourceError:
                if time.monotonic() > end:
                    raise
                time.sleep(0.1)

    source.open = patient  # type: ignore[method-assign]
    return source


@pytest.mark.parametrize("protocol", ["http", "rtmp", "udp", "srt"])
def test_streams_are_hidden(shared: Path, clip: Path, protocol: str) -> None:
    port = free_port(socket.SOCK_DGRAM if protocol in ("udp", "srt") else socket.SOCK_STREAM)
    address = f"{protocol}://127.0.0.1:{port}"
    sent, read = {
        "http": ((*TS, "-listen", "1", f"{address}/live.ts"), f"{address}/live.ts"),
        "rtmp": ((*FLV, "-listen", "1", f"{address}/live/key"), f"{address}/live/key"),
        "udp": ((*TS, f"{address}?pkt_size=1316"), address),
        "srt": ((*TS, f"{address}?mode=listener"), address),
    }[protocol]
    live = LiveSettings(timeout_seconds=3)
    judge = Judge(until=lambda judge: judge.open_frames >= 8)
    with playing(clip, *sent):
        source = opened_patiently(open_source(read, live))
        status = watched(clip, shared, judge, live, source=source)
    assert judge.open_frames >= 8
    assert judge.format is not None
    assert judge.format.size == (480, 270)
    assert status.faces >= 1
    assert visible_faces(judge, shared) == []


def test_no_program_is_left_where_the_end_comes_while_it_starts() -> None:
    source = open_source("srt://127.0.0.1:9?mode=listener", LiveSettings())
    source.abort()
    with pytest.raises(SourceError, match="not opened any more"):
        source.open()
    assert source._process is None  # type: ignore[attr-defined]


def test_a_source_that_is_cut_comes_back_and_is_covered_meanwhile(shared: Path, clip: Path) -> None:
    port = free_port(socket.SOCK_DGRAM)
    address = f"udp://127.0.0.1:{port}"
    live = LiveSettings(timeout_seconds=1, watchdog_seconds=0.5)
    opened = threading.Semaphore(0)
    done = threading.Event()

    def until(judge: Judge) -> bool:
        if judge.open_frames == 5:
            opened.release()  # cut it
        is_back = judge.open_frames > 10 and judge.deliveries[-1].is_cover is False
        if is_back and cut.is_set():
            done.set()
        return done.is_set()

    cut = threading.Event()

    def send() -> None:
        with playing(clip, *TS, f"{address}?pkt_size=1316"):
            opened.acquire(timeout=15)
        time.sleep(2)
        cut.set()
        with playing(clip, *TS, f"{address}?pkt_size=1316"):
            done.wait(15)

    sender = threading.Thread(target=send)
    sender.start()
    told: list[str] = []
    judge = Judge(until)
    source = opened_patiently(open_source(address, live))
    status = watched(clip, shared, judge, live, told.append, source)
    done.set()
    sender.join()
    assert status.reconnects >= 1
    kinds = [delivery.is_cover for delivery in judge.deliveries]
    first = kinds.index(False)
    assert sum(kinds[first:]) > 5  # covers while it was away, at a steady rate
    assert kinds[-1] is False
    assert any("connecting anew" in text for text in told)
    assert any("is back" in text for text in told)
    assert visible_faces(judge, shared) == []


def test_a_change_of_size_and_a_jump_of_the_clock_change_nothing_that_leaves(
    shared: Path, clip: Path, tmp_path: Path
) -> None:
    first = transport_stream(clip, tmp_path / "a.ts")
    second = transport_stream(
        clip, tmp_path / "b.ts", "-vf", "scale=640:480", "-output_ts_offset", "5000"
    )
    both = tmp_path / "both.ts"
    both.write_bytes(first.read_bytes() + second.read_bytes())
    judge = Judge()
    status = watched(both, shared, judge)
    assert status.frames_in >= 40
    sizes = {delivery.redacted.frame.size for delivery in judge.deliveries}
    assert sizes == {(480, 270)}
    times = [delivery.seconds for delivery in judge.deliveries]
    assert times == sorted(set(times))
    assert times[-1] < 15
    assert judge.open_frames > 10
    assert visible_faces(judge, shared) == []


def test_broken_packets_are_skipped(shared: Path, clip: Path, tmp_path: Path) -> None:
    stream = transport_stream(clip, tmp_path / "a.ts")
    data = bytearray(stream.read_bytes())
    random = np.random.default_rng(4)
    for start in random.integers(len(data) // 4, len(data), 40):
        data[start : start + 30] = random.bytes(len(data[start : start + 30]))
    stream.write_bytes(bytes(data))
    judge = Judge()
    status = watched(stream, shared, judge)
    assert status.frames_in > 5
    assert judge.open_frames > 5
    assert visible_faces(judge, shared) == []


@contextmanager
def served(folder: Path) -> Iterator[str]:
    """Serve a folder by HTTP, and give its address."""

    class Quiet(http.server.SimpleHTTPRequestHandler):
        def log_message(self, *_: object) -> None:
            pass

    handler = functools.partial(Quiet, directory=str(folder))
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        serving = threading.Thread(target=server.serve_forever)
        serving.start()
        yield f"http://127.0.0.1:{server.server_address[1]}"
        server.shutdown()
        serving.join()


def test_a_video_on_a_server_ends_as_a_file_does(shared: Path, clip: Path, tmp_path: Path) -> None:
    command = [ffmpeg(), "-loglevel", "error", "-nostdin", "-i", str(clip), "-c", "copy"]
    subprocess.run([*command, "-movflags", "+faststart", str(tmp_path / "clip.mp4")], check=True)
    judge = Judge()
    with served(tmp_path) as server:
        source = open_source(f"{server}/clip.mp4", LiveSettings(timeout_seconds=3))
        status = watched(clip, shared, judge, source=source)
    assert (status.frames_in, status.reconnects) == (56, 0)
    assert judge.deliveries[-1].seconds > 2  # at its own speed
    assert visible_faces(judge, shared) == []


def test_a_video_that_its_server_cannot_give_in_parts_ends_with_a_word(
    shared: Path, clip: Path, tmp_path: Path
) -> None:
    command = [ffmpeg(), "-loglevel", "error", "-nostdin", "-i", str(clip), "-c", "copy"]
    subprocess.run([*command, str(tmp_path / "clip.mp4")], check=True)  # its index comes last
    judge = Judge()
    with served(tmp_path) as server:
        source = open_source(f"{server}/clip.mp4", LiveSettings(timeout_seconds=3))
        with pytest.raises(SourceError, match=r"index lies at its end, .* download it"):
            watched(clip, shared, judge, source=source)
    assert judge.deliveries == []


def test_a_playlist_is_played_at_its_own_speed(shared: Path, clip: Path, tmp_path: Path) -> None:
    hls = ("-g", "6", "-f", "hls", "-hls_time", "1", "-hls_list_size", "4")
    code = ("-c:v", "libx264", "-preset", "ultrafast")
    judge = Judge(until=lambda judge: judge.open_frames >= 15)
    live = LiveSettings(timeout_seconds=3)
    with served(tmp_path) as server, playing(clip, *code, *hls, str(tmp_path / "live.m3u8")):
        source = opened_patiently(open_source(f"{server}/live.m3u8", live))
        watched(clip, shared, judge, live, source=source)
    new = [d for d in judge.deliveries if not d.is_cover]
    frames = {delivery.redacted.frame.index for delivery in new}
    assert len(frames) > len(new) / 3  # not one of each part, again and again
    assert visible_faces(judge, shared) == []
