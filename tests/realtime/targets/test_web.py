"""The web page as programs request it: video stream, status, controls and access."""

from __future__ import annotations

import http.client
import json
import socket
import threading
import time
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Any

import cv2
import numpy as np
import pytest

from tests.ports import free_port
from tests.realtime.targets.deliveries import (
    FORMAT,
    SIZE,
    make_audio,
    make_context,
    make_deliveries,
    psnr,
    redacted_frames,
    send,
)
from tests.waiting import PATIENCE_SECONDS, until
from tracker_blur.errors import SettingsError, SinkError
from tracker_blur.realtime.controls import Controls
from tracker_blur.realtime.metrics import Metrics
from tracker_blur.realtime.settings import LiveTiming
from tracker_blur.realtime.status import Status, TargetStatus
from tracker_blur.realtime.targets import open_target
from tracker_blur.realtime.targets.web import WebPageTarget
from tracker_blur.settings import Settings

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tracker_blur.core.frame import Image

TOKEN = "a-token-for-tests"
SOON_SECONDS = PATIENCE_SECONDS / 4  # on the slowest machine; waiting for a client takes longer
TIMING = LiveTiming(client_timeout_seconds=PATIENCE_SECONDS)  # for clients on a busy machine


@contextmanager
def opened(text: str = "web:0", **given: Any) -> Iterator[WebPageTarget]:
    target = open_target(text, make_context(timing=TIMING, **given))
    assert isinstance(target, WebPageTarget)
    target.open(FORMAT)
    try:
        yield target
    finally:
        target.close()


@pytest.fixture
def page() -> Iterator[WebPageTarget]:
    with opened() as target:
        yield target


def port(page: WebPageTarget) -> int:
    return int(page.url.split("/")[2].rpartition(":")[2])


def cookie(page: WebPageTarget) -> str:
    """Return the cookie that holds the token of the page's address."""
    return f"trackblur-{port(page)}={page.url.rpartition('?token=')[2]}"


def request(
    page: WebPageTarget, path: str, method: str = "GET", **headers: str
) -> tuple[int, dict[str, str], bytes]:
    """Return status code, headers and body of the response to a request with the cookie."""
    connection = http.client.HTTPConnection("127.0.0.1", port(page), timeout=PATIENCE_SECONDS)
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    named.setdefault("Cookie", cookie(page))
    connection.request(method, path, headers=named)
    response = connection.getresponse()
    data = response.read()
    connection.close()
    return response.status, {name.title(): value for name, value in response.getheaders()}, data


def status_code(page: WebPageTarget, path: str, method: str, *headers: tuple[str, str]) -> int:
    """Return the status code for a request with exactly these headers."""
    connection = http.client.HTTPConnection("127.0.0.1", port(page), timeout=PATIENCE_SECONDS)
    connection.putrequest(method, path, skip_host=True, skip_accept_encoding=True)
    for name, value in (*headers, ("Cookie", cookie(page))):
        connection.putheader(name, value)
    connection.endheaders()
    code = connection.getresponse().status
    connection.close()
    return code


class Viewer:
    """A client of the video stream."""

    def __init__(self, page: WebPageTarget) -> None:
        self._connection = http.client.HTTPConnection(
            "127.0.0.1", port(page), timeout=PATIENCE_SECONDS
        )
        self._connection.request("GET", "/picture", headers={"Cookie": cookie(page)})
        self.response = self._connection.getresponse()

    def next_image(self) -> Image | None:
        """Return the next frame; None at the end."""
        while line := self.response.readline():
            if line.lower().startswith(b"content-length:"):
                length = int(line.split(b":")[1])
                self.response.readline()
                data = np.frombuffer(self.response.read(length), np.uint8)
                image = cv2.imdecode(data, cv2.IMREAD_COLOR)
                assert image is not None
                return np.asarray(image, np.uint8)
        return None

    def close(self) -> None:
        self.response.close()
        self._connection.close()


def test_stream_delivers_every_frame(page: WebPageTarget) -> None:
    viewer = Viewer(page)
    assert viewer.response.getheader("Content-Type", "").startswith("multipart/x-mixed-replace")
    for delivery, frame in zip(make_deliveries(10), redacted_frames(), strict=False):
        page.show(delivery)
        image = viewer.next_image()
        assert image is not None
        assert psnr(image, frame.view(SIZE)) > 28
    page.close()
    assert viewer.next_image() is None
    viewer.close()


def test_slow_client_gets_the_newest_frame_and_delays_nothing(page: WebPageTarget) -> None:
    slow = Viewer(page)
    began = time.monotonic()
    for _ in range(20):
        send(page, make_deliveries(), make_audio())
    assert time.monotonic() - began < SOON_SECONDS
    page.show(make_deliveries()[7])
    for _ in range(100):  # of 600: those that were in the send buffer
        image = slow.next_image()
        assert image is not None
        if psnr(image, redacted_frames()[7].view(SIZE)) > 28:
            break
    else:
        pytest.fail("old frames were kept for it")
    slow.close()


def test_nothing_is_compressed_without_a_client(
    page: WebPageTarget, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cv2, "imencode", lambda *_: pytest.fail("compressed for no one"))
    send(page, make_deliveries())


def test_the_page_offers_a_snapshot(page: WebPageTarget) -> None:
    assert b"<span>Save a snapshot</span>" in request(page, "/")[2]


def test_still_has_full_size(page: WebPageTarget) -> None:
    assert request(page, "/still.jpg")[0] == 404
    send(page, make_deliveries(5))
    code, headers, data = request(page, "/still.jpg")
    assert code == 200
    assert headers["Content-Disposition"].startswith('attachment; filename="trackblur-')
    image = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR)
    assert psnr(np.asarray(image, np.uint8), redacted_frames()[4].view(SIZE)) > 32


def test_status_is_served() -> None:
    target = TargetStatus("out.mkv", "failed", error="no space left")
    status = Status(state="covered", reason="asked for", faces=3, targets=(target,))
    controls = Controls(("solid",), hide_all=True)
    with opened(status=lambda: status, controls=controls) as page:
        code, headers, data = request(page, "/status")
    assert (code, headers["Content-Type"]) == (200, "application/json")
    served = json.loads(data)
    assert (served["state"], served["reason"], served["faces"]) == ("covered", "asked for", 3)
    assert served["targets"][0]["error"] == "no space left"
    assert served["hide_all"] is True


def test_controls_act() -> None:
    controls = Controls(("pixelated", "solid"), timing=LiveTiming(repeat_press_seconds=0.0))
    with opened(controls=controls) as page:
        for name in ("hide", "method", "stronger", "stronger", "weaker"):
            assert request(page, f"/controls/{name}", "POST")[0] == 200
        state = controls.control_state
        assert (state.hide_all, state.method, state.strength) == (True, "solid", 1)
        assert not controls.is_over
        assert request(page, "/controls/quit", "POST")[0] == 200
        assert controls.is_over


def test_no_request_hides_less_than_at_the_start() -> None:
    controls = Controls(("mosaic", "pixelated", "gaussian", "fog", "solid"))
    settings = Settings(method="mosaic", blocks=3)
    with opened(controls=controls) as page:
        methods = set()
        for name in ("weaker", "method", "weaker", "method", "method", "weaker") * 3:
            assert request(page, f"/controls/{name}", "POST")[0] == 200
            applied = controls.control_state.applied(settings)
            methods.add(applied.method)
            assert (applied.blocks, applied.padding_ratio) == (3, settings.padding_ratio)
        assert methods == {"mosaic", "solid"}
        assert json.loads(request(page, "/status")[2])["can_weaken"] is False
        request(page, "/controls/stronger", "POST")
        assert json.loads(request(page, "/status")[2])["can_weaken"] is True


def test_double_click_does_not_unhide() -> None:
    controls = Controls(("solid",), timing=LiveTiming(repeat_press_seconds=PATIENCE_SECONDS))
    with opened(controls=controls) as page:
        for name in ("hide", "hide", "show", "show"):
            assert request(page, f"/controls/{name}", "POST")[0] == 200
            assert controls.control_state.hide_all
    controls = Controls(("solid",), hide_all=True, timing=LiveTiming(repeat_press_seconds=0.0))
    with opened(controls=controls) as page:
        for name, is_hidden in (("show", False), ("show", False), ("hide", True)):
            assert request(page, f"/controls/{name}", "POST")[0] == 200
            assert controls.control_state.hide_all is is_hidden
        assert request(page, "/controls/hide-all", "POST")[0] == 404


@pytest.mark.parametrize("path", ["/", "/page.js", "/page.css", "/icon.svg"])
def test_files_are_served_and_load_nothing_from_elsewhere(page: WebPageTarget, path: str) -> None:
    code, headers, data = request(page, path)
    assert code == 200
    assert data
    assert "default-src 'self'" in headers["Content-Security-Policy"]
    assert headers["X-Content-Type-Options"] == "nosniff"
    text = data.decode().replace("http://www.w3.org/2000/svg", "")
    assert "http:" not in text
    assert "https:" not in text


@pytest.mark.parametrize("path", ["/nothing", "/../web.py", "/%2e%2e/web.py", "/page/index.html"])
def test_nothing_else_is_served(page: WebPageTarget, path: str) -> None:
    assert request(page, path)[0] == 404


@pytest.mark.parametrize("path", ["/", "/picture", "/status", "/still.jpg"])
def test_foreign_host_names_are_refused(page: WebPageTarget, path: str) -> None:
    send(page, make_deliveries(2))
    for host in ("evil.example", f"evil.example:{port(page)}", "127.0.0.1.evil.example", "", "["):
        assert request(page, path, Host=host)[0] == 403
    if path != "/picture":  # the stream does not end
        for host in ("localhost", f"127.0.0.1:{port(page)}", f"[::1]:{port(page)}"):
            assert request(page, path, Host=host)[0] == 200


def test_requests_from_other_sites_are_refused(page: WebPageTarget) -> None:
    for headers in (
        {"Origin": "http://evil.example"},
        {"Origin": "null"},
        {"Origin": "http://127.0.0.1:1"},
        {"Origin": "http://["},
        {"Sec_Fetch_Site": "cross-site"},
        {"Sec_Fetch_Site": "same-site"},
    ):
        assert request(page, "/controls/quit", "POST", **headers)[0] == 403
        assert request(page, "/status", **headers)[0] == 403
    origin = f"http://127.0.0.1:{port(page)}"
    assert request(page, "/controls/method", "POST", Origin=origin)[0] == 200
    assert request(page, "/controls/quit")[0] == 404  # a GET changes nothing


@pytest.mark.parametrize("host", ["Host", "host", "HOST"])
@pytest.mark.parametrize("origin", ["Origin", "origin", "ORIGIN"])
def test_header_names_are_case_insensitive(page: WebPageTarget, host: str, origin: str) -> None:
    place = f"127.0.0.1:{port(page)}"
    here, ours = (host, place), (origin, f"http://{place}")
    foreign = (origin, "http://evil.example")
    for headers, code in (
        ([here], 200),
        ([here, ours], 200),
        ([here, foreign], 403),
        ([(host, "evil.example")], 403),
        ([here, ours, foreign], 403),
        ([here, foreign, ours], 403),
        ([here, ours, ours], 403),
        ([here, (host, "evil.example")], 400),
        ([here, ("hOsT", place)], 400),
        ([], 400),
    ):
        assert status_code(page, "/controls/hide", "POST", *headers) == code, headers
        assert status_code(page, "/status", "GET", *headers) == code, headers


def test_several_host_headers_are_refused_on_all_interfaces() -> None:
    with opened("web:0.0.0.0:0", token=TOKEN) as page:
        path = "/status"
        any_host, other_host = ("Host", "any.example"), ("host", "other.example")
        assert status_code(page, path, "GET", any_host) == 200
        assert status_code(page, path, "GET", any_host, other_host) == 400


@pytest.mark.parametrize("given", [{"token": TOKEN}, {"token": TOKEN, "text": "web:0.0.0.0:0"}])
def test_nothing_is_served_without_the_token(given: dict[str, str]) -> None:
    with opened(**given) as page:
        send(page, make_deliveries(2))
        assert page.url.endswith(f"/?token={TOKEN}")
        for path in (
            "/",
            "/page.js",
            "/picture",
            "/status",
            "/still.jpg",
            f"/status?token={TOKEN}",
            f"/picture?token={TOKEN}",
            "/?token=wrong",
            "/?token=",
        ):
            code, headers, data = request(page, path, Cookie="")
            assert code == 403, path
            assert TOKEN.encode() not in data
            assert "Set-Cookie" not in headers
        assert request(page, "/controls/quit", "POST", Cookie="")[0] == 403
        assert request(page, "/status", Cookie=f"trackblur-{port(page)}=wrong")[0] == 403
        assert request(page, f"/controls/hide?token={TOKEN}", "POST", Cookie="")[0] == 403
        assert request(page, "/status", Cookie="", Authorization=f"Bearer {TOKEN}")[0] == 200

        code, headers, _ = request(page, f"/?token={TOKEN}", Cookie="")
        assert (code, headers["Location"]) == (303, "/")
        stored = headers["Set-Cookie"]
        assert "HttpOnly" in stored
        assert "SameSite=Strict" in stored
        code, _, data = request(page, "/", Cookie=stored.partition(";")[0])
        assert code == 200
        assert b"<html" in data


def test_an_old_token_in_the_address_does_not_replace_the_cookie(page: WebPageTarget) -> None:
    code, headers, _ = request(page, "/?token=old")
    assert (code, headers["Location"]) == (303, "/")
    assert "Set-Cookie" not in headers


def test_a_cookie_of_another_server_does_not_hide_ours(page: WebPageTarget) -> None:
    foreign = f"trackblur-{port(page)}=foreign"  # for a longer path, so it comes first
    assert request(page, "/status", Cookie=f'{foreign}; a="b; {cookie(page)}')[0] == 200
    assert request(page, "/status", Cookie=foreign)[0] == 403


@pytest.mark.parametrize(
    ("query", "cookies"),
    [
        ("", '{name}="' + "\\1" * 32_000 + '"'),  # 53 seconds with http.cookies, in which
        ("", '{name}="' + "\\\\" * 32_000 + '"'),  # nothing else ran
        ("", "a=b;" * 16_000),
        ("token=%41&" * 6_000, ""),
    ],
)
def test_a_long_cookie_or_query_keeps_no_one_waiting(
    page: WebPageTarget, query: str, cookies: str
) -> None:
    value = cookies.format(name=f"trackblur-{port(page)}")
    began = time.monotonic()
    assert request(page, f"/status?{query}", Cookie=value)[0] == 403
    assert time.monotonic() - began < SOON_SECONDS


@pytest.mark.parametrize("host", ["evil@127.0.0.1", "evil:x@localhost", "@localhost"])
def test_a_host_with_a_user_is_refused(page: WebPageTarget, host: str) -> None:
    assert status_code(page, "/status", "GET", ("Host", host)) == 403


@pytest.mark.parametrize("text", ["web:0.0.0.0:0", "web:0"])
def test_token_is_generated(text: str) -> None:
    with opened(text) as one, opened(text) as other:
        tokens = [page.url.rpartition("?token=")[2] for page in (one, other)]
        assert len(set(tokens)) == 2
        assert all(len(token) >= 20 for token in tokens)
        assert request(one, "/status", Cookie="")[0] == 403
        assert request(one, "/status", Cookie="", Authorization=f"Bearer {tokens[0]}")[0] == 200


def test_address_is_reported() -> None:
    messages: list[str] = []
    with opened("web:0.0.0.0:0", announce=messages.append) as page:
        assert messages == [f"web:0.0.0.0:0: open {page.url} in a browser"]
        assert "/?token=" in page.url


def test_a_given_token_stays_out_of_messages() -> None:
    messages: list[str] = []
    given = {"inform": messages.append, "announce": messages.append, "token": TOKEN}
    with opened("web:0", **given) as page:
        assert messages == [
            f"web:0: open http://127.0.0.1:{port(page)}/?token=TOKEN with your token"
        ]


def test_loopback_is_for_this_machine(page: WebPageTarget) -> None:
    assert page.url.startswith(f"http://127.0.0.1:{port(page)}/?token=")
    with pytest.raises(ConnectionError), socket.create_connection(("127.0.0.2", port(page)), 1):
        pass


def test_listens_on_the_given_address() -> None:
    with opened("web", listen="127.0.0.1:0") as page:
        assert request(page, "/status")[0] == 200
    with opened("web:127.0.0.2:0") as page:
        assert page.url.startswith("http://127.0.0.2:")


@pytest.mark.parametrize("text", ["web:port", "web:127.0.0.1:70000", "web:127.0.0.1:"])
def test_invalid_address_is_refused(text: str) -> None:
    with pytest.raises(SettingsError, match="is not an address to listen on: write HOST:PORT or"):
        open_target(text, make_context())


def test_port_in_use_is_reported(page: WebPageTarget) -> None:
    second = open_target(f"web:{port(page)}", make_context())
    with pytest.raises(SinkError, match=r"cannot listen on 127\.0\.0\.1:\d+ \(address already in"):
        second.open(FORMAT)
    second.close()


@pytest.mark.slow
def test_closes_with_connected_clients_and_opens_again() -> None:
    before = set(threading.enumerate())
    text = f"web:{free_port()}"
    for _ in range(3):
        with opened(text) as page:
            viewers = [Viewer(page) for _ in range(3)]
            idle = socket.create_connection(("127.0.0.1", port(page)))
            send(page, make_deliveries(3))
            began = time.monotonic()
            page.close()
            assert time.monotonic() - began < SOON_SECONDS
            idle.close()
            for viewer in viewers:
                viewer.close()
    until(lambda: set(threading.enumerate()) <= before)


def test_too_many_viewers_are_refused_but_no_controls() -> None:
    controls = Controls(("solid",))
    with opened(controls=controls) as page:
        viewers = [Viewer(page) for _ in range(32)]
        assert request(page, "/picture")[0] == 503
        idle = [http.client.HTTPConnection("127.0.0.1", port(page)) for _ in range(70)]
        for connection in idle:  # kept open, as by browsers
            connection.request("GET", "/status", headers={"Cookie": cookie(page)})
            assert connection.getresponse().read()
        assert request(page, "/controls/hide", "POST")[0] == 200
        assert controls.control_state.hide_all
        assert request(page, "/status")[0] == 200
        assert all(viewer.response.status == 200 for viewer in viewers)
        for viewer in viewers:
            viewer.close()
        for connection in idle:
            connection.close()

        def has_room() -> bool:
            page.show(make_deliveries()[0])  # now the server notices that they are gone
            viewer = Viewer(page)
            viewer.close()
            return viewer.response.status == 200

        until(has_room)


@pytest.mark.parametrize("size", [5, 300_000])
@pytest.mark.parametrize("method", ["GET", "POST", "PUT"])
def test_a_request_with_a_body_is_answered_and_its_connection_closed(
    page: WebPageTarget, method: str, size: int
) -> None:
    path, code = {
        "GET": ("/status", b"200"),
        "POST": ("/controls/hide", b"200"),
        "PUT": ("/status", b"501"),
    }[method]
    head = f"{method} {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nCookie: {cookie(page)}\r\n"
    with socket.create_connection(("127.0.0.1", port(page)), PATIENCE_SECONDS) as client:
        client.sendall(f"{head}Content-Length: {size}\r\n\r\n".encode() + b"x" * size)
        answer = b""
        while data := client.recv(1 << 16):
            answer += data
    assert answer.startswith(b"HTTP/1.1 " + code)
    assert b"\r\nconnection: close\r\n" in answer.lower()
    assert answer.count(b"HTTP/1.1") == 1  # the body is no request


def test_no_request_is_read_from_a_body_of_two_lengths(page: WebPageTarget) -> None:
    first = f"POST /controls/hide HTTP/1.1\r\nHost: 127.0.0.1\r\nCookie: {cookie(page)}\r\n"
    second = f"GET /status HTTP/1.1\r\nHost: 127.0.0.1\r\nCookie: {cookie(page)}\r\n\r\n"
    lengths = f"Content-Length: 0\r\nContent-Length: {len(second)}\r\n\r\n"
    with socket.create_connection(("127.0.0.1", port(page)), PATIENCE_SECONDS) as client:
        client.sendall((first + lengths + second).encode())
        answer = b""
        while data := client.recv(1 << 16):
            answer += data
    assert answer.startswith(b"HTTP/1.1 400")
    assert answer.count(b"HTTP/1.1") == 1


def test_no_name_server_is_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("getfqdn", "gethostbyaddr", "getnameinfo", "gethostbyname"):
        monkeypatch.setattr(socket, name, lambda *_: pytest.fail("a name server is asked"))
    with opened() as page, Metrics(0, Status):
        assert request(page, "/status")[0] == 200


@pytest.mark.slow
def test_unauthenticated_clients_take_no_connections_from_authenticated_ones() -> None:
    with opened(token=TOKEN) as page:
        clients = [socket.create_connection(("127.0.0.1", port(page))) for _ in range(70)]
        for client in clients:
            client.sendall(b"GET /picture HTTP/1.1\r\n")  # and never an end
        assert request(page, "/status")[0] == 200
        clients[0].settimeout(PATIENCE_SECONDS)
        with suppress(ConnectionResetError):
            assert clients[0].recv(1) == b""  # the oldest was disconnected
        clients[-1].settimeout(0.2)
        with pytest.raises(TimeoutError):
            clients[-1].recv(1)
        for client in clients:
            client.close()
