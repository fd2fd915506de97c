"""The page as programs ask for it: pictures, figures, buttons, and who is kept out."""

from __future__ import annotations

import http.client
import json
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress

import cv2
import numpy as np
import pytest

from tests.ports import free_port
from tests.realtime.targets.deliveries import (
    FORMAT,
    SIZE,
    context,
    deliveries,
    frames,
    likeness,
    send,
    sounds,
)
from tests.waiting import PATIENCE_SECONDS, until
from tracker_blur.core.frame import Image
from tracker_blur.errors import SettingsError, SinkError
from tracker_blur.realtime import controls as deeds
from tracker_blur.realtime.controls import Controls
from tracker_blur.realtime.status import Status, TargetStatus
from tracker_blur.realtime.targets import _page_server, open_target
from tracker_blur.realtime.targets.web import Page

TOKEN = "a-token-for-tests"
SOON_SECONDS = PATIENCE_SECONDS / 4  # on the slowest machine; who waits for a visitor takes longer


@pytest.fixture(autouse=True)
def patient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Have the page keep visitors who are as slow as a busy machine makes them."""
    monkeypatch.setattr(_page_server, "_PATIENCE_SECONDS", PATIENCE_SECONDS)
    monkeypatch.setattr(_page_server._Handler, "timeout", PATIENCE_SECONDS)


@contextmanager
def opened(text: str = "web:0", **given: object) -> Iterator[Page]:
    target = open_target(text, context(**given))  # type: ignore[arg-type]  # any
    assert isinstance(target, Page)
    target.open(FORMAT)
    try:
        yield target
    finally:
        target.close()


@pytest.fixture
def page() -> Iterator[Page]:
    with opened() as target:
        yield target


def port(page: Page) -> int:
    return int(page.url.split("/")[2].rpartition(":")[2])


def ask(
    page: Page, path: str, method: str = "GET", **headers: str
) -> tuple[int, dict[str, str], bytes]:
    connection = http.client.HTTPConnection("127.0.0.1", port(page), timeout=PATIENCE_SECONDS)
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    connection.request(method, path, headers=named)
    answer = connection.getresponse()
    data = answer.read()
    connection.close()
    return answer.status, dict(answer.getheaders()), data


def ask_so(page: Page, path: str, method: str, *headers: tuple[str, str]) -> int:
    """Return the code that is answered to a request with these headers, as they are written."""
    connection = http.client.HTTPConnection("127.0.0.1", port(page), timeout=PATIENCE_SECONDS)
    connection.putrequest(method, path, skip_host=True, skip_accept_encoding=True)
    for name, value in headers:
        connection.putheader(name, value)
    connection.endheaders()
    code = connection.getresponse().status
    connection.close()
    return code


class Analyzer:
    """Reads the moving picture."""

    def __init__(self, page: Page) -> None:
        self._connection = http.client.HTTPConnection(
            "127.0.0.1", port(page), timeout=PATIENCE_SECONDS
        )
        self._connection.request("GET", "/picture")
        self.answer = self._connection.getresponse()

    def next(self) -> Image | None:
        while line := self.answer.readline():
            if line.lower().startswith(b"content-length:"):
                length = int(line.split(b":")[1])
                self.answer.readline()
                data = np.frombuffer(self.answer.read(length), np.uint8)
                image = cv2.imdecode(data, cv2.IMREAD_COLOR)
                assert image is not None
                return np.asarray(image, np.uint8)
        return None

    def close(self) -> None:
        self.answer.close()
        self._connection.close()


def test_the_picture_moves(page: Page) -> None:
    analyzer = Analyzer(page)
    assert analyzer.answer.getheader("Content-Type", "").startswith("multipart/x-mixed-replace")
    for delivery, frame in zip(deliveries(10), frames(), strict=False):
        page.show(delivery)
        picture = analyzer.next()
        assert picture is not None
        assert likeness(picture, frame.view(SIZE)) > 28
    page.close()
    assert analyzer.next() is None
    analyzer.close()


def test_a_slow_watcher_gets_the_newest_picture_and_holds_up_nothing(page: Page) -> None:
    slow = Analyzer(page)
    began = time.monotonic()
    for _ in range(20):
        send(page, deliveries(), sounds())
    assert time.monotonic() - began < SOON_SECONDS
    page.show(deliveries()[7])
    for _ in range(100):  # of 600: what had been on its way
        picture = slow.next()
        assert picture is not None
        if likeness(picture, frames()[7].view(SIZE)) > 28:
            break
    else:
        pytest.fail("old pictures were kept for it")
    slow.close()


def test_nothing_is_compressed_when_nobody_looks(
    page: Page, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cv2, "imencode", lambda *_: pytest.fail("compressed for nobody"))
    send(page, deliveries())


def test_a_still_is_the_whole_picture(page: Page) -> None:
    assert ask(page, "/still.jpg")[0] == 404
    send(page, deliveries(5))
    code, headers, data = ask(page, "/still.jpg")
    assert code == 200
    assert headers["Content-Disposition"].startswith('attachment; filename="trackblur-')
    picture = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR)
    assert likeness(np.asarray(picture, np.uint8), frames()[4].view(SIZE)) > 32


def test_tells_how_the_session_fares() -> None:
    target = TargetStatus("out.mkv", "failed", error="no space left")
    fares = Status(state="covered", reason="asked for", faces=3, targets=(target,))
    controls = Controls(("solid",), hide_all=True)
    with opened(status=lambda: fares, controls=controls) as page:
        code, headers, data = ask(page, "/status")
    assert (code, headers["Content-Type"]) == (200, "application/json")
    got = json.loads(data)
    assert (got["state"], got["reason"], got["faces"]) == ("covered", "asked for", 3)
    assert got["targets"][0]["error"] == "no space left"
    assert got["hide_all"] is True


def test_buttons_act() -> None:
    controls = Controls(("pixelated", "solid"))
    with opened(controls=controls) as page:
        for name in ("hide", "method", "stronger", "stronger", "weaker"):
            assert ask(page, f"/controls/{name}", "POST")[0] == 200
        control_state = controls.control_state
        assert (control_state.hide_all, control_state.method, control_state.strength) == (
            True,
            "solid",
            1,
        )
        assert not controls.is_over
        assert ask(page, "/controls/quit", "POST")[0] == 200
        assert controls.is_over


def test_a_double_click_or_two_who_hide_uncover_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    controls = Controls(("solid",))
    monkeypatch.setattr(deeds, "_REST_SECONDS", PATIENCE_SECONDS)
    with opened(controls=controls) as page:
        for name in ("hide", "hide", "show", "show"):
            assert ask(page, f"/controls/{name}", "POST")[0] == 200
            assert controls.control_state.hide_all
        monkeypatch.setattr(deeds, "_REST_SECONDS", 0.0)
        for name, is_hidden in (("show", False), ("show", False), ("hide", True)):
            assert ask(page, f"/controls/{name}", "POST")[0] == 200
            assert controls.control_state.hide_all is is_hidden
        assert ask(page, "/controls/hide-all", "POST")[0] == 404


@pytest.mark.parametrize("path", ["/", "/page.js", "/page.css", "/icon.svg"])
def test_files_are_there_and_need_nothing_from_elsewhere(page: Page, path: str) -> None:
    code, headers, data = ask(page, path)
    assert code == 200
    assert data
    assert "default-src 'self'" in headers["Content-Security-Policy"]
    assert headers["X-Content-Type-Options"] == "nosniff"
    text = data.decode().replace("http://www.w3.org/2000/svg", "")
    assert "http:" not in text
    assert "https:" not in text


@pytest.mark.parametrize("path", ["/nothing", "/../web.py", "/%2e%2e/web.py", "/page/index.html"])
def test_nothing_else_is_there(page: Page, path: str) -> None:
    assert ask(page, path)[0] == 404


@pytest.mark.parametrize("path", ["/", "/picture", "/status", "/still.jpg"])
def test_foreign_names_for_this_machine_are_kept_out(page: Page, path: str) -> None:
    send(page, deliveries(2))
    for host in ("evil.example", f"evil.example:{port(page)}", "127.0.0.1.evil.example", "", "["):
        assert ask(page, path, Host=host)[0] == 403
    if path != "/picture":  # that one has no end
        for host in ("localhost", f"127.0.0.1:{port(page)}", f"[::1]:{port(page)}"):
            assert ask(page, path, Host=host)[0] == 200


def test_other_sites_pages_press_no_button(page: Page) -> None:
    here = f"127.0.0.1:{port(page)}"
    for headers in (
        {"Origin": "http://evil.example"},
        {"Origin": "null"},
        {"Origin": "http://127.0.0.1:1"},
        {"Origin": "http://["},
        {"Sec_Fetch_Site": "cross-site"},
        {"Sec_Fetch_Site": "same-site"},
    ):
        assert ask(page, "/controls/quit", "POST", **headers)[0] == 403
        assert ask(page, "/status", **headers)[0] == 403
    assert ask(page, "/controls/method", "POST", Origin=f"http://{here}")[0] == 200
    assert ask(page, "/controls/quit")[0] == 404  # pressing is no matter of looking


@pytest.mark.parametrize("host", ["Host", "host", "HOST"])
@pytest.mark.parametrize("origin", ["Origin", "origin", "ORIGIN"])
def test_headers_may_be_spelled_in_any_case(page: Page, host: str, origin: str) -> None:
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
        ([here, (host, "evil.example")], 403),
        ([here, ("hOsT", place)], 403),
        ([], 403),
    ):
        assert ask_so(page, "/controls/hide", "POST", *headers) == code, headers
        assert ask_so(page, "/status", "GET", *headers) == code, headers


def test_several_names_are_none_where_others_may_come() -> None:
    with opened("web:0.0.0.0:0", token=TOKEN) as page:
        path = f"/status?token={TOKEN}"
        assert ask_so(page, path, "GET", ("Host", "any.example")) == 200
        assert ask_so(page, path, "GET", ("Host", "any.example"), ("host", "other.example")) == 403


@pytest.mark.parametrize("given", [{"token": TOKEN}, {"token": TOKEN, "text": "web:0.0.0.0:0"}])
def test_without_the_token_nothing_is_seen(given: dict[str, str]) -> None:
    with opened(**given) as page:
        send(page, deliveries(2))
        assert page.url.endswith(f"/?token={TOKEN}")
        for path in (
            "/",
            "/page.js",
            "/picture",
            "/status",
            "/still.jpg",
            "/?token=wrong",
            "/?token=",
        ):
            code, headers, data = ask(page, path)
            assert code == 403, path
            assert TOKEN.encode() not in data
            assert "Set-Cookie" not in headers
        assert ask(page, "/controls/quit", "POST")[0] == 403
        assert ask(page, "/status", Cookie=f"trackblur-{port(page)}=wrong")[0] == 403
        assert ask(page, f"/status?token={TOKEN}")[0] == 200

        code, headers, _ = ask(page, f"/?token={TOKEN}")
        assert (code, headers["Location"]) == (303, "/")
        cookie = headers["Set-Cookie"]
        assert "HttpOnly" in cookie
        assert "SameSite=Strict" in cookie
        code, _, data = ask(page, "/", Cookie=cookie.partition(";")[0])
        assert code == 200
        assert b"<html" in data


def test_a_token_is_made_up_where_others_may_come() -> None:
    with opened("web:0.0.0.0:0") as one, opened("web:0.0.0.0:0") as other:
        tokens = [page.url.rpartition("?token=")[2] for page in (one, other)]
        assert len(set(tokens)) == 2
        assert all(len(token) >= 20 for token in tokens)
        assert ask(one, "/status")[0] == 403
        assert ask(one, f"/status?token={tokens[0]}")[0] == 200


def test_tells_where_to_look() -> None:
    told: list[str] = []
    with opened("web:0.0.0.0:0", tell=told.append) as page:
        assert told == [f"web:0.0.0.0:0: look at {page.url}"]
        assert "/?token=" in page.url


def test_loopback_needs_no_token(page: Page) -> None:
    assert page.url == f"http://127.0.0.1:{port(page)}/"
    with pytest.raises(OSError), socket.create_connection(("127.0.0.2", port(page)), 1):
        pass


def test_listens_where_it_is_told() -> None:
    with opened("web", listen="127.0.0.1:0") as page:
        assert ask(page, "/status")[0] == 200
    with opened("web:127.0.0.2:0") as page:
        assert page.url.startswith("http://127.0.0.2:")
        assert "token" not in page.url


@pytest.mark.parametrize("text", ["web:port", "web:127.0.0.1:70000", "web:127.0.0.1:"])
def test_a_place_that_makes_no_sense_is_told(text: str) -> None:
    with pytest.raises(SettingsError, match="is no place to listen: write HOST:PORT or PORT"):
        open_target(text, context())


def test_a_port_that_is_taken_is_told(page: Page) -> None:
    second = open_target(f"web:{port(page)}", context())
    with pytest.raises(SinkError, match=r"cannot listen at 127\.0\.0\.1:\d+ \(address already in"):
        second.open(FORMAT)
    second.close()


def test_closes_with_visitors_there_and_opens_again() -> None:
    before = set(threading.enumerate())
    text = f"web:{free_port()}"
    for _ in range(3):
        with opened(text) as page:
            watchers = [Analyzer(page) for _ in range(3)]
            idle = socket.create_connection(("127.0.0.1", port(page)))
            send(page, deliveries(3))
            began = time.monotonic()
            page.close()
            assert time.monotonic() - began < SOON_SECONDS
            idle.close()
            for analyzer in watchers:
                analyzer.close()
    until(lambda: set(threading.enumerate()) <= before)


def test_too_many_visitors_are_turned_away(page: Page) -> None:
    watchers = [Analyzer(page) for _ in range(32)]
    assert ask(page, "/status")[0] == 503
    for analyzer in watchers:
        analyzer.close()

    def has_room() -> bool:
        page.show(deliveries()[0])  # now they are missed
        return ask(page, "/status")[0] == 200

    until(has_room)


def test_strangers_take_no_places_from_those_who_know_the_token() -> None:
    with opened(token=TOKEN) as page:
        strangers = [socket.create_connection(("127.0.0.1", port(page))) for _ in range(70)]
        for stranger in strangers:
            stranger.sendall(b"GET /picture HTTP/1.1\r\n")  # and never an end
        assert ask(page, f"/status?token={TOKEN}")[0] == 200
        strangers[0].settimeout(PATIENCE_SECONDS)
        with suppress(ConnectionResetError):
            assert strangers[0].recv(1) == b""  # the first ones had to make room
        strangers[-1].settimeout(0.2)
        with pytest.raises(TimeoutError):
            strangers[-1].recv(1)
        for stranger in strangers:
            stranger.close()
