"""Who gets an answer, and what is said about it: a real server, and clients that may not ask."""

from __future__ import annotations

import socket
import stat
from typing import TYPE_CHECKING

import pytest

from tests.waiting import PATIENCE_SECONDS
from tests.web.pages import opened
from tracker_blur.errors import SinkError
from tracker_blur.version import __version__

if TYPE_CHECKING:
    from pathlib import Path

    from tests.web.pages import Page

PATHS = ("/", "/review/0123456789abcdef", "/static/style.css", "/api/app", "/api/files")


def ask(page: Page, request: str) -> bytes:
    """Return the beginning of the answer to a request as it is, byte for byte."""
    with socket.create_connection(("127.0.0.1", page.port), PATIENCE_SECONDS) as client:
        client.sendall(request.encode())
        return client.recv(1 << 16)


def test_nothing_is_answered_without_the_token(page: Page) -> None:
    for path in PATHS:
        for headers in ({}, {"Authorization": "Bearer wrong"}, {"Cookie": "trackblur-1=wrong"}):
            answer = page.unauthenticated.get(path, headers=headers)
            assert answer.status_code == 403, path
            assert page.token not in answer.text
            assert "set-cookie" not in answer.headers
    refused = page.unauthenticated.get("/api/app").json()
    assert refused == {
        "error": "this address is not whole, or an old one (its token is missing or wrong): open "
        "the address that trackblur printed when it was last started"
    }


def test_foreign_hosts_and_origins_are_refused(page: Page) -> None:
    here = f"127.0.0.1:{page.port}"
    for headers, code in (
        ({"Host": here}, 200),
        ({"Host": f"localhost:{page.port}"}, 200),
        ({"Host": "evil.example"}, 403),
        ({"Host": f"evil.example:{page.port}"}, 403),
        ({"Origin": f"http://{here}"}, 200),
        ({"Origin": "http://evil.example"}, 403),
        ({"Origin": "null"}, 403),
        ({"Origin": f"http://127.0.0.1:{page.port + 1}"}, 403),
        ({"Sec-Fetch-Site": "cross-site"}, 403),
    ):
        assert page.get("/api/app", headers=headers).status_code == code, headers


@pytest.mark.parametrize("path", ["/", "/review/0123456789abcdef"])
def test_the_token_moves_from_the_address_into_a_cookie(page: Page, path: str) -> None:
    answer = page.unauthenticated.get(f"{path}?token={page.token}")
    assert (answer.status_code, answer.headers["location"]) == (303, path)
    stored = answer.headers["set-cookie"]
    assert stored == f"trackblur-{page.port}={page.token}; HttpOnly; SameSite=Strict; Path=/"
    assert page.unauthenticated.get("/api/app").status_code == 200  # with the cookie


def test_the_token_in_an_address_opens_pages_only(page: Page) -> None:
    query = f"?token={page.token}"
    page.unauthenticated.cookies.clear()
    for method, path in (
        *(("GET", "/api/app"), ("GET", "/api/jobs"), ("GET", "/static/style.css")),
        *(("POST", "/api/jobs"), ("POST", "/"), ("DELETE", "/api/watches"), ("HEAD", "/")),
    ):
        answer = page.unauthenticated.request(method, f"{path}{query}")
        assert answer.status_code == 403, path
    refused = page.unauthenticated.get("/").text
    assert "open the address that trackblur printed when it was last started" in refused


def test_no_address_redirects_elsewhere(page: Page) -> None:
    for path in ("//evil.example/", "//evil.example", "/review/../x", "/x/", "/api/app/"):
        answer = ask(page, f"GET {path}?token={page.token} HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n")
        assert b" 403 " in answer.partition(b"\r\n")[0]
        assert b"location" not in answer


def test_every_answer_has_the_security_headers(page: Page) -> None:
    for path in ("/api/app", "/api/files", "/nothing", "/api/nothing"):
        headers = page.get(path).headers
        assert headers["cache-control"] == "no-store", path
        policy = headers["content-security-policy"]
        assert policy.startswith("default-src 'self'; img-src 'self' blob:;")
        assert "unsafe" not in policy
        assert headers["x-content-type-options"] == "nosniff"
        assert headers["referrer-policy"] == "no-referrer"


def test_scripts_are_sent_once_and_then_only_compared(page: Page) -> None:
    first = page.get("/static/dom.js")
    assert (first.status_code, first.headers["cache-control"]) == (200, "private, no-cache")
    again = page.get("/static/dom.js", headers={"If-None-Match": first.headers["etag"]})
    assert (again.status_code, again.content) == (304, b"")
    assert again.headers["content-security-policy"]
    assert page.get("/static/api.js", headers={"If-None-Match": first.headers["etag"]}).content


def test_errors_are_one_sentence_in_json(page: Page) -> None:
    answer = page.get("/api/nothing")
    assert (answer.status_code, answer.json()) == (404, {"error": "Not Found"})


def test_the_page_says_what_it_can_hide(page: Page) -> None:
    known = page.get("/api/app").json()
    assert (known["version"], known["folder"]) == (__version__, str(page.folder))
    assert {"name": "mosaic", "class": "destructive"} in known["methods"]
    assert {"name": "gaussian", "class": "cosmetic"} in known["methods"]
    assert known["classes"] == ["faces", "plates"]
    assert known["care"] == ["quick", "normal", "careful"]
    assert "yunet" in known["detectors"]


def test_the_state_is_its_owners_alone(page: Page, tmp_path: Path) -> None:
    state = page.site._state.folder
    assert stat.S_IMODE(state.stat().st_mode) == 0o700
    for file in state.rglob("*"):
        if file.is_file():
            assert stat.S_IMODE(file.stat().st_mode) == 0o600, file


def test_a_folder_has_one_page_at_a_time(page: Page) -> None:
    state, address = page.site._state.folder.parent, page.site.url()
    with pytest.raises(SinkError) as refused, opened(page.folder, state):
        pytest.fail("a second one was opened")
    assert f"is open in another trackblur: use {address}, or end it first" in str(refused.value)
    assert page.get("/api/app").status_code == 200
