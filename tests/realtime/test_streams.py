"""Sources that come over the network or in a bad state, from real senders."""

from __future__ import annotations

import errno
import functools
import http.server
import socket
import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import av
import numpy as np
import pytest
from av.container import InputContainer

from tests.clips import swinging
from tests.ports import free_port
from tests.realtime.judging import Judge, watched
from tests.realtime.peers import ffmpeg, playing, transport_stream
from tests.waiting import PATIENCE_SECONDS
from tracker_blur import Settings
from tracker_blur.errors import SourceError
from tracker_blur.realtime.settings import LiveSettings
from tracker_blur.realtime.sources import LiveSource, open_source
from tracker_blur.realtime.sources._container import Streams
from tracker_blur.tracking.detector_bundle import DetectorBundle

pytestmark = pytest.mark.shared

TS = ("-c", "copy", "-f", "mpegts")  # encoded before: a busy machine must keep up
FLV = ("-c", "copy", "-f", "flv")
PATIENT = LiveSettings(watchdog_seconds=60, timeout_seconds=PATIENCE_SECONDS / 2)


@pytest.fixture(scope="module")
def long(shared: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a file in which that clip swings: sent over and over, it has no jump."""
    folder = tmp_path_factory.mktemp("long")
    return swinging(shared / "videos" / "two_heads.mp4", folder / "long.mkv")


def visible_faces(judge: Judge, shared: Path) -> list[float]:
    """Return the scores of faces that a detector still finds in pictures that left."""
    (eye, *_) = DetectorBundle.of(Settings(models_folder=shared / "models")).each
    frames = {id(d.redacted.frame): d.redacted.frame for d in judge.deliveries if not d.is_cover}
    return [
        find.score
        for frame in frames.values()
        for find in eye.detector.detect(frame.view(frame.size), 0.8)
    ]


def opened_patiently(source: LiveSource) -> LiveSource:
    """Have the first opening wait for a server that is still starting."""
    real, end = source.open, time.monotonic() + PATIENCE_SECONDS

    def patient() -> None:
        while True:
            try:
                return real()
            except SourceError:
                if time.monotonic() > end:
                    raise
                time.sleep(0.1)

    source.open = patient  # type: ignore[method-assign]  # on purpose
    return source


@pytest.mark.parametrize("protocol", ["http", "rtmp", "udp", "srt"])
def test_streams_are_hidden(shared: Path, long: Path, protocol: str) -> None:
    port = free_port(socket.SOCK_DGRAM if protocol in ("udp", "srt") else socket.SOCK_STREAM)
    address = f"{protocol}://127.0.0.1:{port}"
    sent, read = {
        "http": ((*TS, "-listen", "1", f"{address}/live.ts"), f"{address}/live.ts"),
        "rtmp": ((*FLV, "-listen", "1", f"{address}/live/key"), f"{address}/live/key"),
        "udp": ((*TS, f"{address}?pkt_size=1316"), address),
        "srt": ((*TS, f"{address}?mode=listener"), address),
    }[protocol]
    judge = Judge(until=lambda judge: judge.open_frames >= 8)
    with playing(long, *sent):
        source = opened_patiently(open_source(read, PATIENT))
        status = watched(long, shared, judge, PATIENT, source=source)
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
    assert source._process is None  # type: ignore[attr-defined]  # an SRT source's


def test_a_source_that_is_cut_comes_back_and_is_covered_meanwhile(shared: Path, long: Path) -> None:
    address = f"udp://127.0.0.1:{free_port(socket.SOCK_DGRAM)}"
    live = LiveSettings(timeout_seconds=2, watchdog_seconds=0.5)
    told: list[str] = []
    seen = threading.Event()
    covered = threading.Event()
    back = threading.Event()

    def has_come_back(judge: Judge) -> bool:
        newest = [delivery.is_cover for delivery in judge.deliveries[-6:]]
        if judge.open_frames >= 5:
            seen.set()
        if seen.is_set() and all(newest) and any("connecting anew" in text for text in told):
            covered.set()
        if covered.is_set() and not newest[-1] and any("is back" in text for text in told):
            back.set()
        return back.is_set()

    def send() -> None:
        for ended in (seen, back):
            with playing(long, *TS, f"{address}?pkt_size=1316"):
                ended.wait(PATIENCE_SECONDS)
            if ended is seen:
                covered.wait(PATIENCE_SECONDS)

    sender = threading.Thread(target=send)
    sender.start()
    judge = Judge(has_come_back)
    source = opened_patiently(open_source(address, live))
    try:
        status = watched(long, shared, judge, live, told.append, source)
    finally:
        has_ended_well = back.is_set()
        for event in (seen, covered, back):
            event.set()
        sender.join()
    assert has_ended_well
    assert status.reconnects >= 1
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
    status = watched(both, shared, judge, PATIENT)
    assert status.frames_in >= 40
    sizes = {delivery.redacted.frame.size for delivery in judge.deliveries}
    assert sizes == {(480, 270)}
    times = [delivery.seconds for delivery in judge.deliveries]
    assert times == sorted(set(times))
    assert times[-1] < 1000
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
    status = watched(stream, shared, judge, PATIENT)
    assert status.frames_in > 5
    assert judge.open_frames > 5
    assert visible_faces(judge, shared) == []


class Faltering:
    """A container that once in between gives an error in a packet's place."""

    def __init__(self, container: InputContainer) -> None:
        self._container = container
        self._packets = 0
        self.streams = container.streams

    def demux(self, *tracks: av.VideoStream) -> Iterator[av.Packet]:
        for packet in self._container.demux(*tracks):
            self._packets += 1
            if self._packets == 20:
                raise av.InvalidDataError(errno.EINVAL, "a packet")
            yield packet


def test_a_packet_that_cannot_be_read_is_not_the_end(clip: Path) -> None:
    with av.open(str(clip)) as container:
        streams = Streams(Faltering(container), "clip")  # type: ignore[arg-type]  # acts as one
        stamps = [item.stamp for item in streams.read(threading.Event())]
    assert stamps[-1] is not None
    assert stamps[-1] > 4  # of 4.7 seconds


@contextmanager
def served(folder: Path, *, tells_length: bool = True) -> Iterator[str]:
    """Serve a folder by HTTP, without byte ranges, and give its address."""

    class Quiet(http.server.SimpleHTTPRequestHandler):
        def send_header(self, keyword: str, value: str) -> None:
            if tells_length or keyword != "Content-Length":
                super().send_header(keyword, value)

        def log_message(self, *_: object) -> None:
            pass

    handler = functools.partial(Quiet, directory=str(folder))
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        serving = threading.Thread(target=server.serve_forever)
        serving.start()
        try:
            yield f"http://127.0.0.1:{server.server_address[1]}"
        finally:
            server.shutdown()
            serving.join()


@pytest.mark.parametrize("tells_length", [True, False])
def test_a_video_on_a_server_ends_as_a_file_does(
    shared: Path, clip: Path, tmp_path: Path, tells_length: bool
) -> None:
    command = [ffmpeg(), "-loglevel", "error", "-nostdin", "-i", str(clip), "-c", "copy"]
    subprocess.run([*command, "-movflags", "+faststart", str(tmp_path / "clip.mp4")], check=True)
    judge = Judge()
    with served(tmp_path) as server:
        source = open_source(f"{server}/clip.mp4", PATIENT)
        status = watched(clip, shared, judge, PATIENT, source=source)
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
        source = open_source(f"{server}/clip.mp4", PATIENT)
        with pytest.raises(SourceError, match=r"index lies at its end, .* download it"):
            watched(clip, shared, judge, source=source)
    assert judge.deliveries == []


def comes_one_by_one(judge: Judge) -> bool:
    """Return whether the newest pictures came at their own speed, and not each part at once.

    Of parts that come at once the newest picture leaves, and perhaps one more; of pictures at their
    own speed, those that a busy machine has time for.
    """
    new = sorted({d.redacted.frame.index for d in judge.deliveries if not d.is_cover})[-10:]
    return len(new) == 10 and new[-1] - new[0] < 40  # a part holds twelve


def test_a_playlist_is_played_at_its_own_speed(shared: Path, long: Path, tmp_path: Path) -> None:
    hls = ("-c", "copy", "-f", "hls", "-hls_time", "1", "-hls_list_size", "4")
    judge = Judge(until=comes_one_by_one)
    with served(tmp_path) as server, playing(long, *hls, str(tmp_path / "live.m3u8")):
        source = opened_patiently(open_source(f"{server}/live.m3u8", PATIENT))
        watched(long, shared, judge, PATIENT, source=source)
    assert comes_one_by_one(judge)
    assert visible_faces(judge, shared) == []
