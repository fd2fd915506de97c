"""Streams to real servers: in step, refused, cut, stalled, back again."""

from __future__ import annotations

import itertools
import os
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.ports import free_port
from tests.realtime.targets.deliveries import (
    BEGIN,
    COUNT,
    FORMAT,
    RATE,
    SILENT,
    context,
    deliveries,
    send,
    sounds,
)
from tests.realtime.targets.peers import PROTOCOLS, peer
from tests.realtime.targets.received import check_pictures, check_step, read
from tests.waiting import PATIENCE_SECONDS, until
from tracker_blur.errors import SettingsError, SinkError
from tracker_blur.realtime import child_process
from tracker_blur.realtime.access import without_secrets
from tracker_blur.realtime.targets import Target, open_target
from tracker_blur.realtime.targets import address as address_module
from tracker_blur.settings import Settings

PROMISE_NOTHING = ("srt", "udp")  # what is on its way when the sender leaves may be lost
SOON_SECONDS = PATIENCE_SECONDS / 4  # on the slowest machine; what waits for a server takes longer


@pytest.fixture
def patient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Have the sender's process take its time to start, send and end, as on a busy machine."""
    for module in (child_process, address_module):
        monkeypatch.setattr(module, "_ENDING_SECONDS", PATIENCE_SECONDS)


def send_until_it_fails(target: Target) -> str:
    """Show pictures at their pace, and return the error that comes."""
    end = time.monotonic() + PATIENCE_SECONDS
    begin = 0.0
    while time.monotonic() < end:
        try:
            send(target, deliveries(5, begin=begin), pace=4)
        except SinkError as error:
            return str(error)
        begin += 0.2
    raise AssertionError("it never failed")


@pytest.mark.usefixtures("patient")
@pytest.mark.parametrize("protocol", sorted({*PROTOCOLS} - {*PROMISE_NOTHING}))
def test_server_gets_all_in_step(tmp_path: Path, protocol: str) -> None:
    path = tmp_path / "got.mkv"
    with peer(protocol, path) as server:
        target = open_target(server.address, context())
        target.open(FORMAT)
        send(target, deliveries(), sounds(), pace=1)
        target.close()
        assert target.is_reached
        server.stop()
    got = read(path)
    assert len(got.pictures) == COUNT
    assert got.intervals == pytest.approx([n / 25 for n in range(COUNT)], abs=0.003)
    check_pictures(got)
    check_step(got)


@pytest.mark.parametrize("protocol", PROMISE_NOTHING)
def test_server_gets_in_step_what_is_not_lost_at_the_end(tmp_path: Path, protocol: str) -> None:
    path = tmp_path / "got.mkv"
    turns = itertools.count()
    with peer(protocol, path) as server:
        target = open_target(server.address, context())
        target.open(FORMAT)

        def has_all_of_a_turn() -> bool:
            begin = BEGIN + next(turns) * COUNT / float(RATE)
            send(target, deliveries(begin=begin), sounds(begin=begin), pace=1)
            return server.frames >= COUNT

        until(has_all_of_a_turn)
        server.end()
        target.close()
    got = read(path)
    assert len(got.pictures) >= COUNT
    assert got.intervals == pytest.approx([n / 25 for n in range(len(got.times))], abs=0.003)
    check_pictures(got)
    check_step(got)


@pytest.mark.usefixtures("patient")
def test_without_sound(tmp_path: Path) -> None:
    path = tmp_path / "got.mkv"
    with peer("tcp", path) as server:
        target = open_target(server.address, context())
        target.open(SILENT)
        send(target, deliveries(), sounds())
        target.close()
        server.stop()
    got = read(path)
    assert len(got.pictures) == COUNT
    assert got.sound_seconds == 0


@pytest.mark.usefixtures("patient")
@pytest.mark.parametrize("protocol", ["rtmp", "rtsp", "tcp", "http"])
def test_no_server_is_told_soon(protocol: str) -> None:
    address = PROTOCOLS[protocol][0].format(port=free_port())
    target = open_target(address, context())
    target.open(SILENT)
    message = send_until_it_fails(target)
    assert message.startswith(f"{without_secrets(address)}: is not reached (")
    assert message.endswith("): check the server and the address")
    assert not target.is_reached
    began = time.monotonic()
    target.close()
    target.close()
    assert time.monotonic() - began < SOON_SECONDS


@pytest.mark.usefixtures("patient")
@pytest.mark.parametrize("protocol", ["rtmp", "rtsp", "tcp"])
def test_server_gone_and_back(tmp_path: Path, protocol: str) -> None:
    with peer(protocol, tmp_path / "first.mkv") as server:
        target = open_target(server.address, context())
        target.open(FORMAT)
        send(target, deliveries(), sounds(), pace=2)
        port = int(server.address.rpartition(":")[2].split("/")[0])
        server.kill()
        assert send_until_it_fails(target).startswith(f"{without_secrets(server.address)}: is ")
        target.close()
    path = tmp_path / "again.mkv"
    with peer(protocol, path, port) as server:
        target.open(FORMAT)
        send(target, deliveries(begin=100), sounds(begin=100), pace=1)
        target.close()
        server.stop()
    got = read(path)
    assert len(got.pictures) == COUNT
    check_step(got)


def test_no_srt_server_is_told_in_time(tmp_path: Path) -> None:
    with peer("srt", tmp_path / "got.mkv") as server:  # skips without the ffmpeg program
        server.kill()
        target = open_target(server.address, context(timeout_seconds=1))
        target.open(SILENT)
        # What comes first: it gives up connecting, or there is no more room for what it is given.
        message = send_until_it_fails(target)
        assert re.search(r"(took nothing for 1 seconds|is not reached \(.*\)): check", message)
        target.close()
        assert not target.is_reached


@pytest.fixture
def deaf() -> Iterator[str]:
    """Give the address of a server that takes connections and reads nothing."""
    with socket.socket() as server:
        server.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        server.bind(("127.0.0.1", 0))
        server.listen(1)
        yield f"127.0.0.1:{server.getsockname()[1]}"


@pytest.mark.parametrize("address", ["rtmp://{}/live/key", "rtsp://{}/live", "tcp://{}"])
def test_a_stalled_server_holds_up_nothing(deaf: str, address: str) -> None:
    best = Settings(one_pass=True, quality=0)  # much to send
    target = open_target(address.format(deaf), context(best, timeout_seconds=1))
    target.open(SILENT)
    message = send_until_it_fails(target)
    assert "took nothing for 1 seconds: check the server and the address" in message
    if not address.startswith("tcp"):  # the others want an answer
        assert not target.is_reached
    began = time.monotonic()
    target.close()
    assert time.monotonic() - began < SOON_SECONDS


def test_nobody_needs_to_listen_to_udp() -> None:
    target = open_target(f"udp://127.0.0.1:{free_port(socket.SOCK_DGRAM)}", context())
    target.open(FORMAT)
    send(target, deliveries(), sounds(), pace=4)
    target.close()


def test_closes_before_the_first_picture() -> None:
    target = open_target("udp://127.0.0.1:9", context())
    target.open(FORMAT)
    target.close()
    target.open(FORMAT)
    target.close()


def test_an_unknown_protocol_is_told() -> None:
    with pytest.raises(SettingsError, match="'gopher' is no protocol known here: choose one of r"):
        open_target("gopher://example.org", context())


def test_srt_needs_a_program(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "")
    target = open_target("srt://127.0.0.1:9", context())
    with pytest.raises(SinkError, match=r"^srt://127\.0\.0\.1:9: needs the program ffmpeg: inst"):
        target.open(FORMAT)
    target.close()


SENDER = """
import sys
from tests.realtime.targets.deliveries import *
from tracker_blur.realtime.targets import open_target
target = open_target(sys.argv[1], context())
target.open(SILENT)
send(target, deliveries(), pace=4)
print(target._sender.pid, flush=True)
send(target, deliveries(begin=100), pace=0.01)
"""


def has_ended(number: int) -> bool:
    try:
        return not Path(f"/proc/{number}/cmdline").read_bytes()  # nobody has asked how it ended
    except (FileNotFoundError, ProcessLookupError):
        return True


@pytest.mark.skipif(sys.platform != "linux", reason="looks at /proc")
def test_the_sender_ends_when_the_session_is_killed(tmp_path: Path) -> None:
    with peer("tcp", tmp_path / "got.mkv") as server:
        session = subprocess.Popen(
            [sys.executable, "-c", SENDER, server.address], stdout=subprocess.PIPE, text=True
        )
        assert session.stdout is not None
        sender = int(session.stdout.readline())
        assert Path(f"/proc/{sender}").exists()
        os.kill(session.pid, signal.SIGKILL)
        session.wait()
        session.stdout.close()
        until(lambda: has_ended(sender))
        server.stop()
    assert len(read(tmp_path / "got.mkv").pictures) >= COUNT
