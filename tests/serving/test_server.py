"""What clients that are slow, many or broken can do to a server: nothing to the others."""

from __future__ import annotations

import http.client
import socket
import threading
import time
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING

import pytest
from starlette.requests import Request
from starlette.responses import PlainTextResponse, StreamingResponse

from tests.waiting import PATIENCE_SECONDS, until
from tracker_blur.serving.limits import ServingLimits
from tracker_blur.serving.protocol import connection_of
from tracker_blur.serving.server import HttpServer

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator

    from starlette.types import Receive, Scope, Send

PATIENT = ServingLimits(client_timeout_seconds=PATIENCE_SECONDS)
HASTY = ServingLimits(client_timeout_seconds=0.5, body_bytes=10_000, linger_seconds=5.0)
HOST = "Host: 127.0.0.1\r\n"


async def app(scope: Scope, receive: Receive, send: Send) -> None:
    """Answer with the length of the body; some paths do otherwise."""
    connection = connection_of(scope)
    opened = connection.transport.get_extra_info("socket")
    assert opened.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY), "each answer takes 40 ms"
    if scope["path"] == "/broken":
        raise ValueError("no such thing")
    if scope["path"] == "/late":
        await PlainTextResponse("part of an answer")(scope, receive, send)
        raise ValueError("too late")
    if scope["path"] != "/unauthenticated":
        connection.authenticate()
    if scope["path"] == "/endless":
        assert connection.begin_stream()
        await StreamingResponse(_endless())(scope, receive, send)
    else:
        length = len(await Request(scope, receive).body()) if scope["method"] == "POST" else 0
        await PlainTextResponse(f"{length} bytes")(scope, receive, send)


async def _endless() -> AsyncIterator[bytes]:
    while True:
        yield bytes(100_000)


@contextmanager
def serving(limits: ServingLimits) -> Iterator[tuple[HttpServer, list[str]]]:
    messages: list[str] = []
    server = HttpServer(("127.0.0.1", 0), messages.append, limits=limits)
    server.start(app)
    try:
        yield server, messages
    finally:
        server.stop()


@pytest.fixture(scope="module")
def patient() -> Iterator[tuple[HttpServer, list[str]]]:
    with serving(PATIENT) as given:
        yield given


@pytest.fixture(scope="module")
def hasty() -> Iterator[tuple[HttpServer, list[str]]]:
    with serving(HASTY) as given:
        yield given


def connect(server: HttpServer) -> socket.socket:
    return socket.create_connection(("127.0.0.1", server.port), PATIENCE_SECONDS)


def ask(server: HttpServer, path: str = "/", body: bytes | None = None) -> tuple[int, bytes]:
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=PATIENCE_SECONDS)
    connection.request("GET" if body is None else "POST", path, body)
    answer = connection.getresponse()
    data = answer.read()
    connection.close()
    return answer.status, data


def rest(client: socket.socket) -> bytes:
    """Return what the server sends until it closes the connection."""
    answer = b""
    with suppress(ConnectionResetError):
        while data := client.recv(1 << 16):
            answer += data
    return answer


def test_a_hundred_half_open_connections_keep_no_one_waiting(
    patient: tuple[HttpServer, list[str]],
) -> None:
    server, _ = patient
    half_open = [connect(server) for _ in range(100)]
    for number, client in enumerate(half_open):
        if number % 2:
            client.sendall(b"GET / HTTP/1.1\r\nHost: 127")
    began = time.monotonic()
    assert ask(server) == (200, b"0 bytes")
    assert time.monotonic() - began < PATIENCE_SECONDS / 4
    assert rest(half_open[0]) == b""  # the oldest made room
    for client in half_open:
        client.close()


def test_a_connection_without_a_request_is_ended(hasty: tuple[HttpServer, list[str]]) -> None:
    server, messages = hasty
    for sent in (b"", b"GET / HTTP/1.1\r\n", b"GET / HTTP/1.1\r\nHost: 127.0.0.1\r\nX: "):
        with connect(server) as client:
            client.sendall(sent)
            assert rest(client) == b""
    with connect(server) as client:  # a second request on the same connection
        client.sendall(f"GET / HTTP/1.1\r\n{HOST}\r\n".encode())
        until(lambda: client.recv(1 << 16).endswith(b"0 bytes"))
        client.sendall(b"GET / HTTP/1.1\r\n")
        assert rest(client) == b""
    assert messages == []


@pytest.mark.parametrize("length", ["Content-Length: 100", "Transfer-Encoding: chunked"])
def test_a_slow_body_is_given_up(hasty: tuple[HttpServer, list[str]], length: str) -> None:
    server, messages = hasty
    with connect(server) as client:
        client.sendall(f"POST / HTTP/1.1\r\n{HOST}{length}\r\n\r\n".encode())
        ended = threading.Event()

        def drip() -> None:
            with suppress(OSError):
                while not ended.wait(0.1):
                    client.sendall(b"1\r\nx\r\n" if "chunked" in length else b"x")

        thread = threading.Thread(target=drip)
        thread.start()
        assert rest(client) == b""
        ended.set()
        thread.join()
    assert ask(server, body=b"quick") == (200, b"5 bytes")
    assert messages == []


def test_a_client_that_does_not_read_is_given_up(hasty: tuple[HttpServer, list[str]]) -> None:
    server, messages = hasty
    with connect(server) as client:
        client.sendall(f"GET /endless HTTP/1.1\r\n{HOST}\r\n".encode())
        until(lambda: len(server.connections._streams) == 1)
        until(lambda: len(server.connections._streams) == 0)
    assert messages == []


@pytest.mark.parametrize("has_length", [True, False])
def test_a_long_body_is_refused(hasty: tuple[HttpServer, list[str]], has_length: bool) -> None:
    server, _ = hasty
    body = bytes(10_001)
    if has_length:
        head, sent = f"Content-Length: {len(body)}", body
    else:
        head, sent = "Transfer-Encoding: chunked", b"%x\r\n%s\r\n0\r\n\r\n" % (len(body), body)
    with connect(server) as client:
        client.sendall(f"POST / HTTP/1.1\r\n{HOST}{head}\r\n\r\n".encode() + sent)
        answer = rest(client)
    assert answer.startswith(b"HTTP/1.1 413")
    assert answer.endswith(b"the request is longer than 10000 bytes\n")
    assert ask(server, body=body[1:]) == (200, b"10000 bytes")


@pytest.mark.parametrize("path", ["/broken", "/late"])
def test_what_fails_is_reported_in_one_line(path: str) -> None:
    with serving(PATIENT) as (server, messages):
        code, data = ask(server, path)
        expected = {"/broken": (500, b"this is a bug: please report it\n")}
        assert (code, data) == expected.get(path, (200, b"part of an answer"))
        until(lambda: len(messages) == 1)
        assert messages[0].startswith("a request failed (ValueError: ")
        assert ask(server) == (200, b"0 bytes")


def test_the_server_stops_with_endless_answers() -> None:
    before = set(threading.enumerate())
    with serving(PATIENT) as (server, _):
        clients = [connect(server) for _ in range(3)]
        for client in clients[:2]:
            client.sendall(f"GET /endless HTTP/1.1\r\n{HOST}\r\n".encode())
            client.recv(1)
        began = time.monotonic()
        server.stop()
        assert time.monotonic() - began < PATIENCE_SECONDS / 4
        for client in clients:
            client.close()
    until(lambda: set(threading.enumerate()) <= before)
    with pytest.raises(ConnectionRefusedError):
        connect(server)


def test_a_taken_port_is_refused(patient: tuple[HttpServer, list[str]]) -> None:
    with pytest.raises(OSError, match="in use"):
        HttpServer(("127.0.0.1", patient[0].port))
