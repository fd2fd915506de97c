"""Fetching from hosts that are allowed, and all the ways to get at others."""

from __future__ import annotations

import io
import socket
import ssl
import subprocess
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any

import pytest

from tests.waiting import PATIENCE_SECONDS, until
from tracker_blur.service import fetching
from tracker_blur.service.addresses import AllowedHost
from tracker_blur.service.fetching import Fetcher
from tracker_blur.service.problems import Problem

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

VIDEO = b"0123456789" * 1000
asked: list[tuple[str, str]] = []


class Handler(BaseHTTPRequestHandler):
    """Answers as its path says."""

    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        asked.append((self.path, self.headers["Host"]))
        name = self.path.partition("?")[0]
        if name.startswith("/to/"):
            self._head(302, {"Location": self.path[len("/to/") :], "Content-Length": "0"})
        elif name == "/chunked":
            self._head(200, {"Transfer-Encoding": "chunked"})
            for _ in range(10):
                self.wfile.write(b"3e8\r\n" + VIDEO[:1000] + b"\r\n")
            self.wfile.write(b"0\r\n\r\n")
        elif name == "/unending":
            self._head(200, {"Transfer-Encoding": "chunked"})
            with suppress(OSError):
                while True:
                    self.wfile.write(b"3e8\r\n" + VIDEO[:1000] + b"\r\n")
        elif name == "/cut":
            self._head(200, {"Content-Length": "99999"})
            self.wfile.write(VIDEO)
            self.close_connection = True
        elif name == "/huge":
            self._head(200, {"Content-Length": str(1 << 60)})
            self.close_connection = True
        elif name == "/drip":
            self._drip(b"")
        elif name == "/drip-body":
            self._drip(b"HTTP/1.1 200 OK\r\nContent-Length: 9999\r\n\r\n")
        elif name == "/zip":
            self._head(200, {"Content-Encoding": "gzip", "Content-Length": "0"})
        elif name == "/video":
            self._head(200, {"Content-Length": str(len(VIDEO))})
            self.wfile.write(VIDEO)
        else:
            self._head(404, {"Content-Length": "0"})

    def _head(self, status: int, headers: dict[str, str]) -> None:
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.end_headers()

    def _drip(self, first: bytes) -> None:
        self.close_connection = True
        with suppress(OSError):
            self.wfile.write(first)
            while True:
                self.wfile.write(b"H")
                time.sleep(0.02)

    def log_message(self, *_: Any) -> None:
        pass


class Server(ThreadingHTTPServer):
    def handle_error(self, *_: Any) -> None:
        pass  # clients that hang up are what is tested


@contextmanager
def serving(context: ssl.SSLContext | None = None) -> Iterator[int]:
    server = Server(("127.0.0.1", 0), Handler)
    if context is not None:
        server.socket = context.wrap_socket(
            server.socket, server_side=True, do_handshake_on_connect=False
        )
    thread = threading.Thread(target=server.serve_forever, args=(0.02,))
    thread.start()
    yield int(server.server_address[1])
    server.shutdown()
    server.server_close()
    thread.join()


@pytest.fixture(scope="module")
def port() -> Iterator[int]:
    with serving() as port:
        yield port


def in_time() -> list[tuple[str, str]]:
    """Return what was asked for, but not by those that hang up at once: that may be served late."""
    return [one for one in asked if not one[0].startswith("/drip")]


def fetch(url: str, *allowed: str, seconds: float = 30.0, most: int = 1 << 20) -> bytes:
    into = io.BytesIO()
    Fetcher([AllowedHost.parse(each) for each in allowed], seconds).fetch(url, into, most)
    return into.getvalue()


def refused(url: str, *allowed: str, **limits: Any) -> tuple[int, str]:
    with pytest.raises(Problem) as problem:
        fetch(url, *allowed, **limits)
    return problem.value.status, problem.value.detail


@pytest.mark.parametrize("path", ["/video", "/chunked", "/video?a=1&b=%20", "/to//video"])
def test_a_file_of_an_allowed_host_is_fetched(port: int, path: str) -> None:
    asked.clear()
    assert fetch(f"http://127.0.0.1:{port}{path}", f"127.0.0.1:{port}") == VIDEO
    assert in_time()[0] == (path, f"127.0.0.1:{port}")


@pytest.mark.parametrize(
    "url",
    [
        "http://localhost:{port}/video",
        "http://127.1:{port}/video",
        "http://2130706433:{port}/video",
        "http://0x7f.0.0.1:{port}/video",
        "http://[::ffff:127.0.0.1]:{port}/video",
        "http://127.0.0.2:{port}/video",
        "http://127.0.0.1/video",
        "http://169.254.169.254/latest/meta-data/",
        "http://127.0.0.1.evil.example:{port}/video",
    ],
)
def test_other_hosts_are_refused(port: int, url: str) -> None:
    asked.clear()
    status, _ = refused(url.format(port=port), f"127.0.0.1:{port}")
    assert status == HTTPStatus.FORBIDDEN
    assert refused(f"http://127.0.0.1:{port}/video")[0] == HTTPStatus.FORBIDDEN  # none is allowed
    assert in_time() == []


@pytest.mark.parametrize(
    "url",
    [
        *("", "video", "//127.0.0.1/video", "file:///etc/passwd", "ftp://127.0.0.1/a"),
        *("gopher://127.0.0.1/", "http://", "http:///video", "http://127.0.0.1:x/", "http://[::1/"),
        *("http://user:secret@127.0.0.1/video", "http://evil.example@127.0.0.1/video"),
        *("http://127.0.0.1\\@evil.example/", "http://127.0.0.1/a b", "http://127.0.0.1/a\r\nX: y"),
        *("http://127.0.0.1/\u00e9", "http://127.0.0.1/" + "a" * 5000, "http://127.0.0.1:99999/"),
    ],
)
def test_what_is_no_url_of_a_file_is_refused(url: str) -> None:
    status, detail = refused(url, "127.0.0.1")
    assert status == HTTPStatus.UNPROCESSABLE_ENTITY
    assert detail.startswith("url: ")
    assert detail.isprintable()


@pytest.mark.parametrize(
    ("path", "status", "reason"),
    [
        ("/none", HTTPStatus.BAD_GATEWAY, "answered with the status 404"),
        ("/cut", HTTPStatus.BAD_GATEWAY, "broke off"),
        ("/zip", HTTPStatus.BAD_GATEWAY, "compressed"),
        ("/huge", HTTPStatus.REQUEST_ENTITY_TOO_LARGE, "longer than 1048576 bytes"),
        ("/unending", HTTPStatus.REQUEST_ENTITY_TOO_LARGE, "longer than 1048576 bytes"),
        ("/to//to//to//to//video", HTTPStatus.BAD_GATEWAY, "redirects too often"),
        ("/to/http://localhost:{port}/video", HTTPStatus.FORBIDDEN, "does not fetch from"),
        ("/to/http://169.254.169.254/", HTTPStatus.FORBIDDEN, "does not fetch from"),
        ("/to/http://127.0.0.1/video", HTTPStatus.BAD_GATEWAY, "redirects to another host"),
        ("/to/file:///etc/passwd", HTTPStatus.UNPROCESSABLE_ENTITY, "does not begin with"),
        ("/to/http://[", HTTPStatus.BAD_GATEWAY, "redirects to what is no URL"),
    ],
)
def test_what_a_server_may_not_do(port: int, path: str, status: int, reason: str) -> None:
    url = f"http://127.0.0.1:{port}{path}".format(port=port)
    problem = refused(url, f"127.0.0.1:{port}", "127.0.0.1")
    assert (problem[0], reason in problem[1]) == (status, True), problem


@pytest.mark.parametrize("path", ["/drip", "/drip-body"])
def test_a_server_that_drips_is_given_up(port: int, path: str) -> None:
    began = time.monotonic()
    status, detail = refused(f"http://127.0.0.1:{port}{path}", f"127.0.0.1:{port}", seconds=0.3)
    assert (status, "takes too long" in detail) == (HTTPStatus.GATEWAY_TIMEOUT, True)
    assert time.monotonic() - began < fetching._STALL_SECONDS


def test_what_is_being_fetched_ends_with_the_service(port: int) -> None:
    fetcher = Fetcher([AllowedHost.parse(f"127.0.0.1:{port}")], PATIENCE_SECONDS)
    url = f"http://127.0.0.1:{port}/drip-body"
    into = io.BytesIO()
    with ThreadPoolExecutor(1) as pool:
        fetching_one = pool.submit(fetcher.fetch, url, into, 1 << 20)
        until(lambda: fetcher._open)
        fetcher.close()
        problem = fetching_one.exception(PATIENCE_SECONDS)
    assert isinstance(problem, Problem)
    assert problem.status == HTTPStatus.GATEWAY_TIMEOUT
    with pytest.raises(Problem, match="takes too long"):
        fetcher.fetch(f"http://127.0.0.1:{port}/video", into, 1 << 20)


def test_a_missing_server_is_reported() -> None:
    with socket.socket() as closed:  # bound, and not listening
        closed.bind(("127.0.0.1", 0))
        port = closed.getsockname()[1]
        status, detail = refused(f"http://127.0.0.1:{port}/video", f"127.0.0.1:{port}")
    assert (status, "cannot be reached" in detail) == (HTTPStatus.BAD_GATEWAY, True)


def test_a_name_is_looked_up_once_and_the_connection_goes_where_it_led(
    port: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """DNS rebinding: the second answer would be an address of this machine."""
    lookups: list[str] = []
    connected: list[tuple[str, int]] = []

    def look_up(host: str, port: int, **_: Any) -> list[Any]:
        lookups.append(host)
        address = "8.8.8.8" if len(lookups) == 1 else "127.0.0.1"
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, port))]

    def connect(address: tuple[str, int], timeout: float) -> socket.socket:
        connected.append(address)
        opened = socket.socket()
        opened.connect(("127.0.0.1", port))
        return opened

    monkeypatch.setattr(socket, "getaddrinfo", look_up)
    monkeypatch.setattr(socket, "create_connection", connect)
    asked.clear()
    assert fetch("http://Media.Example.org./video", "media.example.org") == VIDEO
    assert (lookups, connected) == (["media.example.org"], [("8.8.8.8", 80)])
    assert in_time() == [("/video", "media.example.org")]
    status, detail = refused("http://media.example.org/video", "media.example.org")
    assert (status, "not public" in detail) == (HTTPStatus.FORBIDDEN, True)
    assert len(connected) == 1


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("tls") / "all.pem"
    subprocess.run(
        [
            *("openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256"),
            *("-nodes", "-subj", "/CN=test", "-addext", "subjectAltName=IP:127.0.0.1"),
            *("-keyout", str(path), "-out", f"{path}.crt"),
        ],
        check=True,
        capture_output=True,
    )
    path.write_bytes(path.read_bytes() + path.with_name("all.pem.crt").read_bytes())
    return path


def test_servers_with_tls_must_be_trusted(
    certificate: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    with serving(context) as port:
        url, allowed = f"https://127.0.0.1:{port}/video", f"127.0.0.1:{port}"
        status, detail = refused(url, allowed)
        assert (status, "cannot be trusted" in detail) == (HTTPStatus.BAD_GATEWAY, True)
        monkeypatch.setenv("SSL_CERT_FILE", f"{certificate}.crt")
        assert fetch(url, allowed) == VIDEO
        drip = url.replace("/video", "/drip-body")
        assert refused(drip, allowed, seconds=0.3)[0] == HTTPStatus.GATEWAY_TIMEOUT
        down = f"https://127.0.0.1:{port}/to/http://127.0.0.1:{port}/video"
        assert "redirects to another host" in refused(down, allowed)[1]


def test_a_server_that_never_shakes_hands_is_given_up() -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        port = silent.getsockname()[1]
        status, _ = refused(f"https://127.0.0.1:{port}/", f"127.0.0.1:{port}", seconds=0.3)
    assert status == HTTPStatus.GATEWAY_TIMEOUT
