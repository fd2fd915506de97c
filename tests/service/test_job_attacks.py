"""What clients that are slow, many or broken can do to jobs: nothing to the others."""

from __future__ import annotations

import errno
import os
import socket
import time
from concurrent.futures import ThreadPoolExecutor, as_completed
from typing import TYPE_CHECKING

import pytest

from tests.service.job_service import TOKEN, JobService, opened
from tests.waiting import PATIENCE_SECONDS, until
from tracker_blur.service import job_routes, room
from tracker_blur.service.job_settings import JobLimits, JobSettings

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

MOST = 1 << 20
HEAD = f"POST /v1/jobs?name=a.mp4 HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Bearer {TOKEN}\r\n"


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[JobService]:
    limits = JobLimits(upload_bytes=MOST, upload_seconds=0.6, transfers=2)
    state = tmp_path_factory.mktemp("state")
    with opened(
        JobSettings(limits=limits),
        state,
        client_timeout_seconds=0.3,
        linger_seconds=0.1,
        upload_bytes=2 * MOST,
        streams=2,
    ) as service:
        yield service
        service.delete_all()


def connect(service: JobService, length: int | None) -> socket.socket:
    """Begin an upload of this length; None: in chunks."""
    port = service.client.base_url.port
    client = socket.create_connection(("127.0.0.1", port or 0), PATIENCE_SECONDS)
    said = "Transfer-Encoding: chunked" if length is None else f"Content-Length: {length}"
    client.sendall(f"{HEAD}Content-Type: video/mp4\r\n{said}\r\n\r\n".encode())
    return client


def answer(client: socket.socket) -> bytes:
    """Return what the server sends until it closes the connection."""
    received = b""
    try:
        while data := client.recv(1 << 16):
            received += data
    except ConnectionResetError:
        pass
    client.close()
    return received


def arriving(service: JobService) -> list[Path]:
    return list((service.jobs._state.folder / "arriving").iterdir())


def test_an_upload_that_stalls_is_ended(service: JobService) -> None:
    assert answer(connect(service, 1000)).startswith(b"HTTP/1.1 408 ")
    until(lambda: not arriving(service))


def test_no_more_files_arrive_at_once_than_may(tmp_path: Path) -> None:
    settings = JobSettings(limits=JobLimits(transfers=2))
    with opened(settings, tmp_path, client_timeout_seconds=PATIENCE_SECONDS) as service:
        arriving_ones = [connect(service, 1000) for _ in range(2)]
        until(lambda: len(arriving(service)) == 2)
        refused = service.send("b.mp4")
        assert (refused.status_code, refused.headers["retry-after"]) == (503, "10")
        assert service.client.get("/v1/jobs").status_code == 200
        for client in arriving_ones:
            client.close()
        until(lambda: not arriving(service))
        assert service.send("b.mp4").status_code == 201
        service.delete_all()


def test_a_full_disk_is_no_fault_of_the_service(
    service: JobService, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(_: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", full)
        refused = service.send("b.mp4")
        assert (refused.status_code, "no room" in refused.text) == (503, True)
    with monkeypatch.context() as patch:
        patch.setattr(room, "_SPARE_BYTES", 1 << 60)
        assert service.send("b.mp4").status_code == 503
    assert arriving(service) == []


def test_room_is_promised_to_those_who_began(tmp_path: Path) -> None:
    """Uploads at the same time would each see the room that is left, and fill it together."""
    limits = JobLimits(upload_bytes=MOST, stored_bytes=2 * MOST + 100)
    with opened(
        JobSettings(limits=limits), tmp_path, client_timeout_seconds=PATIENCE_SECONDS
    ) as service:
        clients = [connect(service, MOST) for _ in range(2)]
        until(lambda: len(service.jobs.transfers._room._open) == 2)
        until(lambda: all(one.size == MOST for one in service.jobs.transfers._room._open))
        assert answer(connect(service, MOST)).startswith(b"HTTP/1.1 503 ")
        dripping = connect(service, None)
        dripping.sendall(b"c8\r\n" + bytes(200) + b"\r\n")
        assert answer(dripping).startswith(b"HTTP/1.1 503 ")
        for client in clients:
            client.sendall(bytes(MOST))
            assert client.recv(12) == b"HTTP/1.1 201"
            client.close()
        until(lambda: not service.jobs.transfers._room._open)
        service.delete_all()


def test_an_upload_that_drips_is_ended(service: JobService) -> None:
    client = connect(service, None)
    with pytest.raises(OSError):  # noqa: PT011  # reset, or a broken pipe
        for _ in range(round(PATIENCE_SECONDS / 0.05)):
            client.sendall(b"1\r\nx\r\n")
            time.sleep(0.05)
    client.close()
    until(lambda: not arriving(service))


def test_an_upload_that_breaks_off_leaves_nothing(service: JobService) -> None:
    before = service.client.get("/v1/jobs").json()
    for length in (1000, None):
        client = connect(service, length)
        client.sendall(b"5\r\nvideo\r\n")
        until(lambda: arriving(service))
        client.close()
        until(lambda: not arriving(service))
    assert service.client.get("/v1/jobs").json() == before


@pytest.mark.parametrize("length", [MOST + 1, 1 << 60, None])
def test_an_upload_that_is_too_long_is_refused(service: JobService, length: int | None) -> None:
    client = connect(service, length)
    if length is None:
        client.sendall(f"{MOST + 1:x}\r\n".encode() + bytes(MOST + 1))
    assert answer(client).startswith(b"HTTP/1.1 413 ")
    assert arriving(service) == []


def test_json_is_no_upload(service: JobService) -> None:
    """It is read into memory."""
    with opened_client(service) as client:
        client.sendall(
            f"{HEAD}Content-Type: application/json\r\nContent-Length: {2 << 20}".encode()
        )
        client.sendall(b"\r\n\r\n{")
        assert answer(client).startswith(b"HTTP/1.1 413 ")


def opened_client(service: JobService) -> socket.socket:
    port = service.client.base_url.port
    return socket.create_connection(("127.0.0.1", port or 0), PATIENCE_SECONDS)


def test_streams_of_events_are_limited(service: JobService) -> None:
    job = service.add("wait.mp4")
    url = job["links"]["events"]
    with service.client.stream("GET", url) as one, service.client.stream("GET", url) as two:
        assert (one.status_code, two.status_code) == (200, 200)
        assert service.client.get(url).status_code == 503
        assert service.client.get("/v1/jobs").status_code == 200
    until(lambda: _opens(service, url))


def _opens(service: JobService, url: str) -> bool:
    with service.client.stream("GET", url) as events:
        return events.status_code == 200


def test_jobs_that_take_long_to_end_leave_threads_to_others(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(job_routes, "_DELETED_AT_ONCE", 1)
    with ThreadPoolExecutor() as clients, opened(JobSettings(), tmp_path) as service:
        urls = [service.add(name)["links"]["self"] for name in ("a.mp4", "b.mp4")]
        until(lambda: not service.jobs.queue.unfinished())
        with service.jobs.queue._changed:  # none ends
            asked = [clients.submit(service.client.delete, url) for url in urls]
            first = next(as_completed(asked, PATIENCE_SECONDS))
            assert first.result().status_code == 503
        assert sorted(one.result().status_code for one in asked) == [204, 503]
        service.delete_all()


def test_streams_end_with_the_service(tmp_path: Path) -> None:
    events_seen: list[str] = []
    with ThreadPoolExecutor(1) as pool, opened(JobSettings(), tmp_path) as service:
        job = service.add("wait.mp4")

        def read() -> None:
            with service.client.stream("GET", job["links"]["events"]) as events:
                events_seen.extend(events.iter_lines())

        reading = pool.submit(read)
        service.reach(job, "running")
        service.jobs.close()
        reading.result(PATIENCE_SECONDS)
        (service.folder_of(job) / "go").touch()  # its process continues
    assert "event: job" in events_seen
