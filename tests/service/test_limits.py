"""What clients that send too much, too many, too slowly or the wrong thing get: a clear status."""

from __future__ import annotations

import http.client
import io
import socket
import struct
import threading
import zlib
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import TYPE_CHECKING
from unittest import mock

import pytest
from PIL import Image

from tests.image_files import png_chunk
from tests.service.services import TOKEN, Served, serving
from tests.waiting import PATIENCE_SECONDS, until
from tracker_blur.errors import SettingsError
from tracker_blur.service.settings import ServiceLimits, ServiceSettings

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    import httpx

    from tracker_blur.pipeline import FrameEngine
    from tracker_blur.service.pool import Choice

URL = "/v1/predict"
TIGHT = ServiceLimits(
    image_bytes=100_000,
    waiting_bytes=400_000,
    megapixels=1.0,
    image_seconds=1.0,
    at_once=1,
    queue=1,
    queue_seconds=PATIENCE_SECONDS,
)


@pytest.fixture(scope="module")
def tight() -> Iterator[Served]:
    with serving(token=TOKEN, limits=TIGHT) as served:
        yield served
        assert served.messages == []
        assert served.service.bodies.held_bytes == 0


def small_png() -> bytes:
    file = io.BytesIO()
    Image.new("RGB", (64, 64)).save(file, "PNG")
    return file.getvalue()


def png_bomb(width: int, height: int) -> bytes:
    """Return a PNG that claims to be large, and has a megabyte of zeros in a kilobyte."""
    head = struct.pack(">IIBBBBB", width, height, 1, 0, 0, 0, 0)
    chunks = (b"IHDR", head), (b"IDAT", zlib.compress(bytes(1 << 20), 9)), (b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + b"".join(png_chunk(*chunk) for chunk in chunks)


def check(answer: httpx.Response, status: int, part: str) -> None:
    document = answer.json()
    assert answer.status_code == status, document
    assert answer.headers["content-type"] == "application/problem+json"
    assert document["status"] == status
    assert part in document["detail"]
    assert {"type", "title", "instance"} <= document.keys()


@pytest.mark.parametrize("header", [None, "Bearer", "Bearer wrong", f"Basic {TOKEN}", TOKEN])
def test_without_the_token_there_is_no_answer(served: Served, header: str | None) -> None:
    headers = {} if header is None else {"authorization": header}
    for method, path in (("GET", "/metrics"), ("POST", URL), ("GET", "/v1/jobs"), ("GET", "/no")):
        answer = served.unauthenticated.request(method, path, headers=headers)
        check(answer, 401, "send it as 'Authorization: Bearer TOKEN'")
        assert answer.headers["www-authenticate"].startswith("Bearer")


def test_the_token_in_an_address_or_a_cookie_does_not_count(served: Served) -> None:
    assert served.unauthenticated.get(f"/metrics?token={TOKEN}").status_code == 401
    cookie = f"trackblur-{served.port}={TOKEN}"
    assert served.unauthenticated.get("/metrics", headers={"cookie": cookie}).status_code == 401


def test_health_needs_no_token(served: Served) -> None:
    for path in ("/healthz", "/readyz"):
        assert served.unauthenticated.get(path).json()["status"] == "ok"
        assert served.unauthenticated.head(path).status_code == 200


def test_pages_of_other_sites_are_refused(served: Served) -> None:
    check(served.client.get("/healthz", headers={"origin": "http://evil.example"}), 403, "sites")
    check(served.client.get("/healthz", headers={"host": "evil.example"}), 421, "127.0.0.1 only")


@pytest.mark.parametrize("path", ["/no", "/v1/predict/x", "/V1/predict", "/v1//predict"])
def test_what_is_not_there_is_a_problem_too(served: Served, path: str) -> None:
    check(served.client.get(path), 404, "/docs")


def test_a_wrong_method_is_a_problem_too(served: Served) -> None:
    answer = served.client.get(URL)
    check(answer, 405, "method")
    assert answer.headers["allow"] == "POST"


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ("confidence=2", "confidence"),
        ("confidence=nan", "confidence"),
        ("confidence=", "confidence"),
        ("overlap=-1", "overlap"),
        ("max_size=1e3", "max_size"),
        ("max_size=99999999999999999999", "max_size"),
        (f"detector={'x' * 300}", "detector"),
        ("confidance=0.5", "confidance"),
        (f"classes={','.join(map(str, range(200)))}", "classes"),
    ],
)
def test_parameters_that_make_no_sense_are_named(served: Served, query: str, field: str) -> None:
    answer = served.client.post(f"{URL}?{query}", content=small_png())
    check(answer, 422, field)
    assert answer.json()["errors"][0]["field"] == field


def test_a_field_of_a_form_is_checked_as_one_of_the_query(served: Served) -> None:
    for fields in ({"confidence": "2"}, {"detector": "x" * 300}, {"no such field": "1"}):
        answer = served.client.post(URL, files={"file": small_png()}, data=fields)
        check(answer, 422, next(iter(fields)))


@pytest.mark.parametrize("name", ["/etc/passwd.onnx", "../face.onnx", "models/face.onnx:top_k=3"])
def test_no_request_names_a_file_of_the_server(served: Served, name: str) -> None:
    answer = served.client.post(URL, content=small_png(), params={"detector": name})
    check(answer, 422, "names a file: choose one of auto, ")


@pytest.mark.parametrize(
    "name",
    [
        *("no such", "yunet:threshold=1", "lbp:min_size=-1", "auto:x=1"),
        *("lbp:scale_factor=1.01", "ssd:tile_size=100", "hog:upsample=2"),  # takes minutes
    ],
)
def test_a_detector_that_there_is_not_is_named(served: Served, name: str) -> None:
    answer = served.client.post(URL, content=small_png(), params={"detector": name})
    check(answer, 422, "detector")


def test_weights_that_are_missing_are_named_with_what_gets_them_and_their_place_stays_here() -> (
    None
):
    with serving() as served:
        answer = served.client.post(URL, content=small_png(), params={"detector": "yunet"})
        check(answer, 422, "'trackblur models pull yunet'")
        assert "/" not in answer.json()["detail"]
        assert served.messages == []


@pytest.mark.parametrize(
    "token", ["a+token-of-base64=", "a token of words", "a%2Ftoken-of-16", "#" * 16]
)
def test_a_token_that_changes_in_urls_is_refused(token: str) -> None:
    with pytest.raises(SettingsError, match="not every client can send"):
        ServiceSettings(token=token)


@pytest.mark.parametrize(
    ("content", "status", "part"),
    [
        (b"", 422, "there is no image"),
        (b"hello", 415, "no image"),
        (b"<svg xmlns='http://www.w3.org/2000/svg'/>", 415, "no image"),
        (b"\0\0\0\x18ftypisom" + bytes(100), 415, "no image"),
        (b"\x89PNG\r\n\x1a\n" + bytes(100), 422, "readable"),
        (small_png()[:-30], 422, "truncated"),
        (b"GIF89a" + bytes(7), 422, "image"),
        (b"\xff\xd8\xff", 422, "image"),
        (b"BM" + b"\xff" * 60, 422, "image"),
        (b"II*\0\xff\xff\xff\xff", 422, "image"),
    ],
)
def test_what_is_no_image_is_refused(
    served: Served, content: bytes, status: int, part: str
) -> None:
    check(served.client.post(URL, content=content), status, part)
    check(served.client.post("/v1/redact", files={"file": content}), status, part)


@pytest.mark.parametrize(
    ("kind", "content"),
    [
        ("multipart/form-data", b"x"),
        ("multipart/form-data; boundary=", b"x"),
        ("multipart/form-data; boundary=b", b""),
        ("multipart/form-data; boundary=b", b"--c\r\n\r\n"),
        ("multipart/form-data; boundary=b", b"--b\r\nContent-Disposition: form-data\r\n\r\nx"),
        (
            "multipart/form-data; boundary=b",
            b'--b\r\nContent-Disposition: form-data; name="file"; filename="f"\r\n\r\nx',
        ),
        (f"multipart/form-data; boundary={'b' * 9000}", b"x"),
        (f"multipart/form-data{';' * 100_000}", b"x"),  # took minutes to read
        ("multipart/form-data; boundary=b", b"--b\r\nX: " + b"y" * 20_000),
    ],
)
def test_a_form_that_cannot_be_read_is_refused(served: Served, kind: str, content: bytes) -> None:
    answer = served.client.post(URL, content=content, headers={"content-type": kind})
    check(answer, 400, "the form cannot be read")


@pytest.mark.parametrize("path", ["/v1/jobs", "/model/remove", "/no/such"])
def test_only_images_and_uploads_may_be_long(served: Served, path: str) -> None:
    answer = served.client.post(path, json={"path": "x" * (2 << 20)})
    check(answer, 413, "longer than 1048576 bytes")


def test_a_job_has_no_fields_without_end(served: Served) -> None:
    answer = served.client.post("/v1/jobs", json=dict.fromkeys(map(str, range(20_000)), 0))
    check(answer, 422, "too many values")


def test_a_form_with_too_many_parts_or_files_is_refused(served: Served) -> None:
    many = {f"field {number}": "x" for number in range(40)}
    check(served.client.post(URL, files={"a": b"x"}, data=many), 400, "more than 32 parts")
    twice = [("file", small_png()), ("file", small_png())]
    check(served.client.post(URL, files=twice), 422, "several files")
    long = {"confidence": "0" * 5000}
    check(served.client.post(URL, files={"a": small_png()}, data=long), 413, "confidence")


def test_an_image_of_too_many_bytes_is_refused(tight: Served) -> None:
    long = small_png() + bytes(TIGHT.image_bytes)
    check(tight.client.post(URL, content=long), 413, "longer than")
    check(tight.client.post(URL, files={"file": long}), 413, "longer than")
    longer = long + bytes(300_000)  # than any request may be
    check(tight.client.post(URL, content=longer), 413, "longer than")
    check(tight.client.post(URL, content=(longer[:1000] for _ in range(1000))), 413, "longer than")


@pytest.mark.parametrize("size", [(1001, 1000), (60_000, 60_000), (2**31 - 1, 2**31 - 1)])
def test_a_bomb_of_pixels_is_refused_before_it_is_unpacked(
    tight: Served, size: tuple[int, int]
) -> None:
    bomb = png_bomb(*size)
    check(tight.client.post(URL, content=bomb), 413, "more than the limit of 1 million")


def test_a_slow_body_is_given_up(tight: Served) -> None:
    with socket.create_connection(("127.0.0.1", tight.port), PATIENCE_SECONDS) as client:
        head = f"POST {URL} HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Bearer {TOKEN}\r\n"
        client.sendall(f"{head}Content-Length: 1000\r\n\r\nabc".encode())
        answer = b""
        while data := client.recv(1 << 16):
            answer += data
    assert answer == b"" or b" 408 " in answer.splitlines()[0]
    until(lambda: tight.service.bodies.held_bytes == 0)


@contextmanager
def busy(served: Served) -> Iterator[None]:
    """Let nothing that is worked on end before the block does."""
    go_on = threading.Event()
    served.service.pool._threads.submit(go_on.wait, PATIENCE_SECONDS)
    try:
        yield
    finally:
        go_on.set()


def test_requests_wait_as_long_as_the_queue_has_room_and_are_then_refused(tight: Served) -> None:
    pool = tight.service.pool
    with ThreadPoolExecutor() as clients, busy(tight):
        asked = [clients.submit(tight.client.post, URL, content=small_png())]
        until(lambda: pool.running == 1)
        asked.append(clients.submit(tight.client.post, URL, content=small_png()))
        until(lambda: pool.waiting == 1)
        refused = tight.client.post(URL, content=small_png())
        check(refused, 503, "too many requests wait")
        assert refused.headers["retry-after"] == "1"
        figures = tight.client.get("/metrics").text
        assert "trackblur_running 1.0" in figures
        assert "trackblur_waiting 1.0" in figures
        assert tight.client.get("/healthz").status_code == 200  # nothing blocks the others
    assert [one.result().status_code for one in asked] == [200, 200]


def test_more_requests_than_may_be_answered_are_refused_but_not_health() -> None:
    limits = ServiceLimits(requests=2, at_once=1)
    with (
        serving(limits=limits) as served,
        ThreadPoolExecutor() as clients,
        busy(served),
    ):
        pool = served.service.pool
        asked = [clients.submit(served.client.post, URL, content=small_png()) for _ in range(2)]
        until(lambda: (pool.running, pool.waiting) == (1, 1))
        check(served.unauthenticated.get("/metrics"), 503, "too many requests are answered now")
        assert served.unauthenticated.get("/healthz").status_code == 200
    assert [one.result().status_code for one in asked] == [200, 200]


def test_bodies_take_only_the_memory_there_is_for_them(served: Served, tight: Served) -> None:
    bodies = tight.service.bodies
    bodies.hold(TIGHT.waiting_bytes - 50)
    try:
        refused = tight.client.post(URL, content=small_png())
        check(refused, 503, "memory")
    finally:
        bodies._held_bytes -= TIGHT.waiting_bytes - 50
    assert tight.client.post(URL, content=small_png()).status_code == 200


def test_a_request_whose_client_has_gone_is_not_worked_on(tight: Served) -> None:
    pool, worked = tight.service.pool, tight.service.pool._work
    calls = []

    def work_and_note(choice: Choice, work: Callable[[FrameEngine], object]) -> object:
        calls.append(choice)
        return worked(choice, work)

    with ThreadPoolExecutor() as clients, mock.patch.object(pool, "_work") as work:
        work.side_effect = work_and_note
        with busy(tight):
            first = clients.submit(tight.client.post, URL, content=small_png())
            until(lambda: pool.running == 1)
            gone = http.client.HTTPConnection("127.0.0.1", tight.port)
            gone.request("POST", URL, small_png(), {"authorization": f"Bearer {TOKEN}"})
            until(lambda: pool.waiting == 1)
            gone.close()
        assert first.result().status_code == 200
        until(lambda: pool.running == pool.waiting == 0)
    assert len(calls) == 1


def test_figures_have_no_label_that_clients_choose(served: Served) -> None:
    served.client.get("/healthz")
    for number in range(3):
        served.client.get(f"/no/such/{number}")
        served.client.request(f"METHOD{number}", "/healthz")
    figures = served.client.get("/metrics")
    assert figures.headers["content-type"].startswith("text/plain; version=")
    assert "/no/such" not in figures.text
    assert "METHOD" not in figures.text
    assert 'method="GET",route="/healthz",status="200"' in figures.text
    assert served.client.get("/metrics", headers={"accept": "a;version=x"}).status_code == 200
