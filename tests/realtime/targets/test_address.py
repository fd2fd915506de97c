"""Streams to real servers: in sync, refused, interrupted, stalled, reconnected."""

from __future__ import annotations

import itertools
import os
import re
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.ports import free_port
from tests.realtime.sources.ffmpeg_sender import ffmpeg_program
from tests.realtime.targets.decoding import check_images, check_sync, decode
from tests.realtime.targets.deliveries import (
    BEGIN,
    COUNT,
    FORMAT,
    RATE,
    SILENT,
    make_audio,
    make_context,
    make_deliveries,
    send,
)
from tests.realtime.targets.ffmpeg_server import PROTOCOLS, ffmpeg_server
from tests.waiting import PATIENCE_SECONDS, until
from tracker_blur.errors import SettingsError, SinkError
from tracker_blur.realtime.addresses import without_secrets
from tracker_blur.realtime.settings import LiveTiming
from tracker_blur.realtime.targets import Target, open_target
from tracker_blur.realtime.targets.address import NetworkTarget
from tracker_blur.settings import Settings

if TYPE_CHECKING:
    from collections.abc import Iterator

LOSSY_AT_THE_END = ("srt", "udp")  # what is in transit when the sender leaves may be lost
SOON_SECONDS = PATIENCE_SECONDS / 4  # on the slowest machine; waiting for a server takes longer

# For a sender process that starts, sends and ends slowly, as on a busy machine.
TIMING = LiveTiming(end_process_seconds=PATIENCE_SECONDS)


def send_until_it_fails(target: Target) -> str:
    """Send frames at four times their speed until that fails, and return the message."""
    end = time.monotonic() + PATIENCE_SECONDS
    begin = 0.0
    while time.monotonic() < end:
        try:
            send(target, make_deliveries(5, begin=begin), speed=4)
        except SinkError as error:
            return str(error)
        begin += 0.2
    raise AssertionError("it never failed")


@pytest.mark.slow
@pytest.mark.parametrize("protocol", sorted({*PROTOCOLS} - {*LOSSY_AT_THE_END}))
def test_server_receives_everything_in_sync(tmp_path: Path, protocol: str) -> None:
    path = tmp_path / "received.mkv"
    with ffmpeg_server(protocol, path) as server:
        target = open_target(server.address, make_context(timing=TIMING))
        target.open(FORMAT)
        send(target, make_deliveries(), make_audio(), speed=1)
        target.close()
        assert target.is_reached
        server.finish()
    decoded = decode(path)
    assert len(decoded.images) == COUNT
    assert decoded.intervals == pytest.approx([n / 25 for n in range(COUNT)], abs=0.003)
    check_images(decoded)
    check_sync(decoded)


@pytest.mark.slow
@pytest.mark.parametrize("protocol", LOSSY_AT_THE_END)
def test_server_receives_in_sync_what_is_not_lost_at_the_end(tmp_path: Path, protocol: str) -> None:
    path = tmp_path / "received.mkv"
    turns = itertools.count()
    with ffmpeg_server(protocol, path) as server:
        target = open_target(server.address, make_context())
        target.open(FORMAT)

        def has_received_one_turn() -> bool:
            begin = BEGIN + next(turns) * COUNT / float(RATE)
            send(target, make_deliveries(begin=begin), make_audio(begin=begin), speed=1)
            return server.frame_count >= COUNT

        until(has_received_one_turn)
        server.interrupt()
        target.close()
    decoded = decode(path)
    assert len(decoded.images) >= COUNT
    expected = [n / 25 for n in range(len(decoded.times))]
    assert decoded.intervals == pytest.approx(expected, abs=0.003)
    check_images(decoded)
    check_sync(decoded)


@pytest.mark.slow
def test_server_receives_video_without_audio(tmp_path: Path) -> None:
    path = tmp_path / "received.mkv"
    with ffmpeg_server("tcp", path) as server:
        target = open_target(server.address, make_context(timing=TIMING))
        target.open(SILENT)
        send(target, make_deliveries(), make_audio())
        target.close()
        server.finish()
    decoded = decode(path)
    assert len(decoded.images) == COUNT
    assert decoded.audio_seconds == 0


@pytest.mark.slow
@pytest.mark.parametrize("protocol", ["rtmp", "rtsp", "tcp", "http"])
def test_missing_server_is_reported_soon(protocol: str) -> None:
    address = PROTOCOLS[protocol][0].format(port=free_port())
    target = open_target(address, make_context(timing=TIMING))
    target.open(SILENT)
    message = send_until_it_fails(target)
    assert message.startswith(f"{without_secrets(address)}: cannot be reached (")
    assert message.endswith("): check the server and the address")
    assert not target.is_reached
    began = time.monotonic()
    target.close()
    target.close()
    assert time.monotonic() - began < SOON_SECONDS


@pytest.mark.slow
@pytest.mark.parametrize("protocol", ["rtmp", "rtsp", "tcp"])
def test_server_that_disappears_can_be_reconnected(tmp_path: Path, protocol: str) -> None:
    with ffmpeg_server(protocol, tmp_path / "first.mkv") as server:
        target = open_target(server.address, make_context(timing=TIMING))
        target.open(FORMAT)
        send(target, make_deliveries(), make_audio(), speed=2)
        server.kill()
        name = re.escape(without_secrets(server.address))
        reasons = "cannot be reached|the connection was closed"
        assert re.match(rf"{name}: ({reasons})", send_until_it_fails(target))
        target.close()
    path = tmp_path / "second.mkv"
    with ffmpeg_server(protocol, path, server.port) as server:
        target.open(FORMAT)
        send(target, make_deliveries(begin=100), make_audio(begin=100), speed=1)
        target.close()
        server.finish()
    decoded = decode(path)
    assert len(decoded.images) == COUNT
    check_sync(decoded)


@pytest.mark.slow
def test_missing_srt_server_is_reported_in_time(tmp_path: Path) -> None:
    with ffmpeg_server("srt", tmp_path / "received.mkv") as server:  # skips without ffmpeg
        server.kill()
        target = open_target(server.address, make_context(timeout_seconds=1))
        target.open(SILENT)
        # Whichever comes first: it gives up connecting, or its pipe is full.
        message = send_until_it_fails(target)
        reasons = r"accepted no data for 1 seconds|cannot be reached \(.*\)"
        assert re.search(rf"({reasons}): check", message)
        target.close()
        assert not target.is_reached


@pytest.fixture
def stalled() -> Iterator[str]:
    """Give the address of a server that accepts connections and reads nothing."""
    with socket.socket() as server:
        server.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        server.bind(("127.0.0.1", 0))
        server.listen(1)
        yield f"127.0.0.1:{server.getsockname()[1]}"


@pytest.mark.slow
@pytest.mark.parametrize("address", ["rtmp://{}/live/key", "rtsp://{}/live", "tcp://{}"])
def test_stalled_server_is_reported_and_does_not_delay_the_end(stalled: str, address: str) -> None:
    best = Settings(one_pass=True, quality=0)  # much to send
    target = open_target(address.format(stalled), make_context(best, timeout_seconds=1))
    target.open(SILENT)
    message = send_until_it_fails(target)
    assert "accepted no data for 1 seconds: check the server and the address" in message
    if not address.startswith("tcp"):  # the other protocols wait for a response
        assert not target.is_reached
    began = time.monotonic()
    target.close()
    assert time.monotonic() - began < SOON_SECONDS


@pytest.mark.parametrize(
    ("address", "secrets"),
    [
        ("rtmp://127.0.0.1:9/live/a-stream-key", ("a-stream-key",)),
        ("rtsp://ann:a-word@127.0.0.1:9/live", ("ann", "a-word")),
        ("srt://127.0.0.1:9?passphrase=a-long-passphrase&streamid=an-id", ("a-long", "an-id")),
    ],
)
def test_no_argument_of_the_sender_holds_a_secret(address: str, secrets: tuple[str, ...]) -> None:
    ffmpeg_program()
    target = open_target(address, make_context())
    assert isinstance(target, NetworkTarget)
    target.open(SILENT)
    assert target._sender is not None
    arguments = str(target._sender.args)
    assert len(arguments) > 40
    target.close()
    for secret in secrets:
        assert secret not in arguments
        assert secret not in target.name


@pytest.mark.slow
def test_a_passphrase_reaches_its_server(tmp_path: Path) -> None:
    secret = "passphrase=a-long-passphrase"
    path = tmp_path / "received.mkv"
    with ffmpeg_server("srt", path, options=f"&{secret}") as server:
        target = open_target(f"{server.address}?{secret}", make_context(timing=TIMING))
        target.open(SILENT)
        send(target, make_deliveries(), speed=1)
        target.close()
        assert target.is_reached
        until(path.exists)  # a busy machine's ffmpeg still finds out what it is sent
        server.interrupt()
    assert len(decode(path).images) > COUNT / 2


@pytest.mark.slow
def test_a_wrong_passphrase_is_reported_without_it(tmp_path: Path) -> None:
    with ffmpeg_server("srt", tmp_path / "out.mkv", options="&passphrase=the-right-one") as server:
        target = open_target(f"{server.address}?passphrase=a-wrong-one", make_context())
        target.open(SILENT)
        message = send_until_it_fails(target)
        target.close()
        assert "cannot be reached" in message
        assert "wrong-one" not in message


@pytest.mark.slow
def test_no_one_needs_to_listen_to_udp() -> None:
    target = open_target(f"udp://127.0.0.1:{free_port(socket.SOCK_DGRAM)}", make_context())
    target.open(FORMAT)
    send(target, make_deliveries(), make_audio(), speed=4)
    target.close()


@pytest.mark.slow
def test_closes_before_the_first_frame() -> None:
    target = open_target("udp://127.0.0.1:9", make_context())
    target.open(FORMAT)
    target.close()
    target.open(FORMAT)
    target.close()


def test_unsupported_protocol_is_refused() -> None:
    with pytest.raises(
        SettingsError, match="'gopher' is not a supported protocol: choose one of rtmp"
    ):
        open_target("gopher://example.org", make_context())


def test_srt_needs_a_program(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "")
    target = open_target("srt://127.0.0.1:9", make_context())
    with pytest.raises(SinkError, match=r"^srt://127\.0\.0\.1:9: needs the program ffmpeg: inst"):
        target.open(FORMAT)
    target.close()


SESSION = """
import sys
from tests.realtime.targets.deliveries import *
from tracker_blur.realtime.targets import open_target
target = open_target(sys.argv[1], make_context())
target.open(SILENT)
send(target, make_deliveries(), speed=4)
print(target._sender.pid, flush=True)
send(target, make_deliveries(begin=100), speed=0.01)
"""


def has_ended(pid: int) -> bool:
    """Return whether a process has ended; it may be a zombie."""
    try:
        return not Path(f"/proc/{pid}/cmdline").read_bytes()
    except (FileNotFoundError, ProcessLookupError):
        return True


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
def test_sender_ends_when_the_session_is_killed(tmp_path: Path) -> None:
    path = tmp_path / "received.mkv"
    with ffmpeg_server("tcp", path) as server:
        session = subprocess.Popen(
            [sys.executable, "-c", SESSION, server.address], stdout=subprocess.PIPE, text=True
        )
        assert session.stdout is not None
        sender = int(session.stdout.readline())
        assert Path(f"/proc/{sender}").exists()
        os.kill(session.pid, signal.SIGKILL)
        session.wait()
        session.stdout.close()
        until(lambda: has_ended(sender))
        server.finish()
    assert len(decode(path).images) >= COUNT
