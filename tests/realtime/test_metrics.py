"""Metrics: names and values as Prometheus reads them, and who may ask for them."""

from __future__ import annotations

import http.client
import socket
import struct
import urllib.error
import urllib.request
from contextlib import suppress

import pytest
from prometheus_client.openmetrics import parser as openmetrics
from prometheus_client.parser import text_string_to_metric_families

from tests.waiting import PATIENCE_SECONDS, until
from tracker_blur.realtime.metrics import Metrics, exposition
from tracker_blur.realtime.status import Status, TargetStatus

STATUS = Status(
    state="live",
    seconds=12.5,
    frames_in=7,
    frames_out=12_345_678,
    rate=29.97,
    delay_median_ms=31.0,
    delay_p95_ms=58.0,
    view_px=640,
    targets=(
        TargetStatus('a"b', "open", shown=5, dropped=1),
        TargetStatus("rtmp://host/live/***", "open", shown=3),
        TargetStatus("rtmp://host/live/***", "failed", failures=2),
    ),
)

TEXT_FORMAT = "text/plain; version=0.0.4; charset=utf-8"


def values() -> dict[tuple[str, ...], float]:
    """Return all values by name and label values, read as Prometheus reads them."""
    return {
        (sample.name, *sample.labels.values()): sample.value
        for family in text_string_to_metric_families(exposition(lambda: STATUS)[0].decode())
        for sample in family.samples
    }


def test_the_status_is_exposed() -> None:
    exposed = values()
    assert exposed["trackblur_uptime_seconds",] == 12.5
    assert exposed["trackblur_frames_in_total",] == 7
    assert exposed["trackblur_frames_out_total",] == 12_345_678  # rounded, rates would have steps
    assert exposed["trackblur_frames_per_second",] == 29.97
    assert exposed["trackblur_delay_median_seconds",] == pytest.approx(0.031)
    assert exposed["trackblur_delay_p95_seconds",] == pytest.approx(0.058)
    assert exposed["trackblur_view_pixels",] == 640
    assert exposed["trackblur_state", "live"] == 1
    assert exposed["trackblur_state", "covered"] == 0


def test_targets_are_distinguished_by_number() -> None:
    exposed = {frozenset(key): value for key, value in values().items()}
    assert exposed[frozenset({"trackblur_target_shown_total", 'a"b', "1"})] == 5
    assert exposed[frozenset({"trackblur_target_shown_total", "rtmp://host/live/***", "2"})] == 3
    failures = {"trackblur_target_failures_total", "rtmp://host/live/***", "3"}
    assert exposed[frozenset(failures)] == 2


def test_names_follow_prometheus_rules() -> None:
    for family in text_string_to_metric_families(exposition(lambda: STATUS)[0].decode()):
        assert family.name.startswith("trackblur_")  # nothing of the process or of Python
        assert family.documentation
        for sample in family.samples:
            assert sample.name.endswith("_total") == (family.type == "counter")
            assert not sample.name.endswith(("_ms", "_px"))  # base units


def test_metrics_are_served_on_the_loopback_address() -> None:
    with Metrics(0, lambda: STATUS) as metrics:
        assert metrics.url == f"http://127.0.0.1:{metrics.port}/metrics"
        with urllib.request.urlopen(metrics.url, timeout=PATIENCE_SECONDS) as answer:
            assert answer.read() == exposition(lambda: STATUS)[0]
            assert answer.headers["Content-Type"] == TEXT_FORMAT
        named = urllib.request.Request(f"http://localhost:{metrics.port}/metrics")
        with urllib.request.urlopen(named, timeout=PATIENCE_SECONDS) as answer:
            assert answer.status == 200
        with pytest.raises(urllib.error.HTTPError, match="404") as refused:
            urllib.request.urlopen(f"http://127.0.0.1:{metrics.port}/", timeout=PATIENCE_SECONDS)
        refused.value.close()


@pytest.mark.parametrize(
    "accept", ["*/*", "text/plain;version=0.0.4", "application/openmetrics-text;version=x"]
)
def test_the_format_is_text_unless_another_is_accepted(accept: str) -> None:
    assert exposition(lambda: STATUS, accept) == (exposition(lambda: STATUS)[0], TEXT_FORMAT)


def test_openmetrics_is_served_to_those_who_accept_it() -> None:
    accept = "application/openmetrics-text;version=1.0.0,text/plain;version=0.0.4;q=0.5"
    with Metrics(0, lambda: STATUS) as metrics:
        request = urllib.request.Request(metrics.url, headers={"Accept": accept})
        with urllib.request.urlopen(request, timeout=PATIENCE_SECONDS) as answer:
            assert answer.headers["Content-Type"].startswith("application/openmetrics-text")
            families = list(openmetrics.text_string_to_metric_families(answer.read().decode()))
    assert {"trackblur_frames_in", "trackblur_state"} <= {family.name for family in families}


def test_requests_for_another_host_are_refused() -> None:
    with Metrics(0, lambda: STATUS) as metrics:
        foreign = urllib.request.Request(metrics.url, headers={"Host": "evil.example"})
        with pytest.raises(urllib.error.HTTPError, match="403") as refused:  # DNS rebinding
            urllib.request.urlopen(foreign, timeout=PATIENCE_SECONDS)
        refused.value.close()
        for hosts, code in ((["localhost"], 200), (["localhost", "localhost"], 400)):
            client = http.client.HTTPConnection("127.0.0.1", metrics.port, timeout=PATIENCE_SECONDS)
            client.putrequest("GET", "/metrics", skip_host=True)
            for host in hosts:
                client.putheader("host", host)
            client.endheaders()
            assert client.getresponse().status == code
            client.close()


def test_a_request_with_a_body_is_answered_and_its_connection_closed() -> None:
    body = b"x" * 300_000
    head = f"GET /metrics HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: {len(body)}\r\n\r\n"
    with (
        Metrics(0, lambda: STATUS) as metrics,
        socket.create_connection(("127.0.0.1", metrics.port), PATIENCE_SECONDS) as client,
    ):
        client.sendall(head.encode() + body)
        answer = b""
        while data := client.recv(1 << 16):
            answer += data
    assert answer.startswith(b"HTTP/1.1 200")
    assert b"trackblur_faces" in answer


def test_the_oldest_of_many_unfinished_requests_is_ended() -> None:
    with Metrics(0, lambda: STATUS) as metrics:
        address = "127.0.0.1", metrics.port
        clients = [socket.create_connection(address, PATIENCE_SECONDS) for _ in range(70)]
        for client in clients:
            client.sendall(b"GET /metrics HTTP/1.1\r\n")  # and never an end
        with urllib.request.urlopen(metrics.url, timeout=PATIENCE_SECONDS) as answer:
            assert answer.status == 200
        with suppress(ConnectionResetError):
            assert clients[0].recv(1) == b""
        clients[-1].settimeout(0.2)
        with pytest.raises(TimeoutError):
            clients[-1].recv(1)
        for client in clients:
            client.close()


def test_a_client_that_disconnects_is_no_error(capsys: pytest.CaptureFixture[str]) -> None:
    messages: list[str] = []
    with Metrics(0, lambda: STATUS, warn=messages.append) as metrics:
        with socket.create_connection(("127.0.0.1", metrics.port), PATIENCE_SECONDS) as client:
            client.sendall(b"GET /metrics HTTP/1.1\r\n")
            linger = struct.pack("ii", 1, 0)  # the connection is reset
            client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
        with urllib.request.urlopen(metrics.url, timeout=PATIENCE_SECONDS) as answer:
            assert answer.status == 200
        until(lambda: not metrics._server.connections._unauthenticated)
    assert messages == []
    assert capsys.readouterr().err == ""


def test_a_request_that_fails_is_reported_in_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    def status() -> Status:
        raise ValueError("no status")

    messages: list[str] = []
    with Metrics(0, status, warn=messages.append) as metrics:
        with pytest.raises(urllib.error.HTTPError, match="500") as failed:
            urllib.request.urlopen(metrics.url, timeout=PATIENCE_SECONDS)
        assert b"this is a bug" in failed.value.read()
        failed.value.close()
        until(lambda: bool(messages))
    assert messages == ["metrics: a request failed (ValueError: no status)"]
    assert capsys.readouterr().err == ""
