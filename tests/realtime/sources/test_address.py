"""Network sources, read from real senders."""

from __future__ import annotations

import functools
import http.server
import socket
import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING

import pytest
from listening_ports import kind_of_socket

from tests.clips import swinging
from tests.ports import free_port
from tests.realtime.judging import Judge, run_session
from tests.realtime.sources.ffmpeg_sender import remuxed, sending
from tests.realtime.sources.reading import visible_faces
from tests.waiting import PATIENCE_SECONDS, until
from tracker_blur.errors import SettingsError, SourceError
from tracker_blur.realtime.settings import LiveSettings
from tracker_blur.realtime.sources import LiveSource, open_source

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

needs_clips = pytest.mark.shared

TS = ("-c", "copy", "-f", "mpegts")  # copied, not encoded: a busy machine must keep up
FLV = ("-c", "copy", "-f", "flv")
PATIENT = LiveSettings(watchdog_seconds=60, timeout_seconds=PATIENCE_SECONDS / 2)


@pytest.fixture(scope="module")
def long(shared: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a file that plays the clip back and forth: it can be sent in a loop without a jump."""
    folder = tmp_path_factory.mktemp("long")
    return swinging(shared / "videos" / "two_heads.mp4", folder / "long.mkv")


def wait_for_server(source: LiveSource) -> LiveSource:
    """Have `open` wait until the server has started."""
    open_once = source.open

    def is_open() -> bool:
        try:
            open_once()
        except SourceError:
            return False
        return True

    def open_patiently() -> None:
        until(is_open)

    source.open = open_patiently  # type: ignore[method-assign]  # on purpose
    return source


@pytest.mark.parametrize("address", ["gopher://example.org/in", "file:///etc/passwd"])
def test_unsupported_protocol_is_refused(address: str) -> None:
    with pytest.raises(
        SettingsError, match="is not a supported protocol: choose one of http, https"
    ):
        open_source(address, LiveSettings())


@pytest.mark.parametrize(
    "script",
    [
        b"ffconcat version 1.0\nfile http://127.0.0.1:9/other.ts\n",
        b";FFMETADATA1\ntitle=x\n",
        b"\x1b[31mtext for a terminal\n" * 50,
    ],
)
def test_a_server_that_sends_no_video_format_is_refused(script: bytes, tmp_path: Path) -> None:
    (tmp_path / "script").write_bytes(script)
    with serving(tmp_path) as server:
        source = open_source(f"{server}/script", LiveSettings())
        with pytest.raises(SourceError, match=r"cannot be opened \(it sends no video\)"):
            source.open()


@pytest.mark.slow
@needs_clips
@pytest.mark.parametrize("protocol", ["http", "rtmp", "udp", "srt"])
def test_faces_in_a_stream_are_hidden(shared: Path, long: Path, protocol: str) -> None:
    port = free_port(kind_of_socket(protocol))
    address = f"{protocol}://127.0.0.1:{port}"
    output, text = {
        "http": ((*TS, "-listen", "1", f"{address}/live.ts"), f"{address}/live.ts"),
        "rtmp": ((*FLV, "-listen", "1", f"{address}/live/key"), f"{address}/live/key"),
        "udp": ((*TS, f"{address}?pkt_size=1316"), address),
        "srt": (
            (*TS, f"{address}?mode=listener&passphrase=it's-a-secret"),
            f"{address}?passphrase=it's-a-secret",
        ),
    }[protocol]
    judge = Judge(until=lambda judge: judge.redacted_count >= 8)
    with sending(long, *output):
        source = wait_for_server(open_source(text, PATIENT))
        status = run_session(long, shared, judge, PATIENT, source=source)
    assert judge.redacted_count >= 8
    assert judge.format is not None
    assert judge.format.size == (480, 270)
    assert status.faces >= 1
    assert visible_faces(judge, shared) == []


@pytest.mark.slow
@needs_clips
def test_interrupted_stream_reconnects_and_is_fully_hidden_meanwhile(
    shared: Path, long: Path
) -> None:
    address = f"udp://127.0.0.1:{free_port(socket.SOCK_DGRAM)}"
    live = LiveSettings(timeout_seconds=2, watchdog_seconds=0.5)
    messages: list[str] = []
    seen = threading.Event()
    blanked = threading.Event()
    back = threading.Event()

    def has_come_back(judge: Judge) -> bool:
        newest = [delivery.is_blank for delivery in judge.deliveries[-6:]]
        if judge.redacted_count >= 5:
            seen.set()
        if seen.is_set() and all(newest) and any("reconnecting" in text for text in messages):
            blanked.set()
        if blanked.is_set() and not newest[-1] and any("reconnected" in text for text in messages):
            back.set()
        return back.is_set()

    def send_twice() -> None:
        for done in (seen, back):
            with sending(long, *TS, f"{address}?pkt_size=1316"):
                done.wait(PATIENCE_SECONDS)
            if done is seen:
                blanked.wait(PATIENCE_SECONDS)

    sender = threading.Thread(target=send_twice)
    sender.start()
    judge = Judge(has_come_back)
    source = wait_for_server(open_source(address, live))
    try:
        status = run_session(long, shared, judge, live, messages.append, source)
    finally:
        has_reconnected = back.is_set()
        for event in (seen, blanked, back):
            event.set()
        sender.join()
    assert has_reconnected
    assert status.reconnects >= 1
    assert visible_faces(judge, shared) == []


@contextmanager
def serving(folder: Path, *, has_length: bool = True) -> Iterator[str]:
    """Serve a folder by HTTP without byte ranges, and yield its address."""

    class Handler(http.server.SimpleHTTPRequestHandler):
        def send_header(self, keyword: str, value: str) -> None:
            if has_length or keyword != "Content-Length":
                super().send_header(keyword, value)

        def log_message(self, *_: object) -> None:
            pass

    handler = functools.partial(Handler, directory=str(folder))
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}"
        finally:
            server.shutdown()
            thread.join()


@pytest.mark.slow
@needs_clips
@pytest.mark.parametrize("has_length", [True, False])
def test_video_on_a_server_ends_like_a_file(
    shared: Path, clip: Path, tmp_path: Path, has_length: bool
) -> None:
    remuxed(clip, tmp_path / "clip.mp4", "-movflags", "+faststart")
    judge = Judge()
    with serving(tmp_path, has_length=has_length) as server:
        source = open_source(f"{server}/clip.mp4", PATIENT)
        status = run_session(clip, shared, judge, PATIENT, source=source)
    assert (status.frames_in, status.reconnects) == (56, 0)
    assert judge.deliveries[-1].seconds > 2  # at its own speed
    assert visible_faces(judge, shared) == []


@needs_clips
def test_video_that_its_server_cannot_seek_in_is_explained(
    shared: Path, clip: Path, tmp_path: Path
) -> None:
    remuxed(clip, tmp_path / "clip.mp4")  # its index is at the end
    judge = Judge()
    with serving(tmp_path) as server:
        source = open_source(f"{server}/clip.mp4", PATIENT)
        with pytest.raises(SourceError, match=r"index is at its end, .* download it"):
            run_session(clip, shared, judge, source=source)
    assert judge.deliveries == []


def is_paced(judge: Judge) -> bool:
    """Return whether the newest frames arrived at their own speed, not a segment at a time.

    Of a segment that arrives at once, one or two frames are delivered. Of frames at their own
    speed, as many as a busy machine has time for.
    """
    indexes = sorted({d.redacted.frame.index for d in judge.deliveries if not d.is_blank})[-10:]
    return len(indexes) == 10 and indexes[-1] - indexes[0] < 40  # a segment holds twelve


@pytest.mark.slow
@needs_clips
def test_playlist_is_played_at_its_own_speed(shared: Path, long: Path, tmp_path: Path) -> None:
    hls = ("-c", "copy", "-f", "hls", "-hls_time", "1", "-hls_list_size", "4")
    judge = Judge(until=is_paced)
    with serving(tmp_path) as server, sending(long, *hls, str(tmp_path / "live.m3u8")):
        source = wait_for_server(open_source(f"{server}/live.m3u8", PATIENT))
        run_session(long, shared, judge, PATIENT, source=source)
    assert is_paced(judge)
    assert visible_faces(judge, shared) == []
