"""Serves the metrics of a session to Prometheus, on the loopback address."""

from __future__ import annotations

from http import HTTPStatus
from typing import TYPE_CHECKING, get_args

from prometheus_client import CollectorRegistry
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.exposition import choose_encoder
from prometheus_client.registry import Collector
from starlette.datastructures import Headers
from starlette.responses import Response

from tracker_blur.errors import SinkError, reason_of
from tracker_blur.realtime.settings import LiveTiming
from tracker_blur.realtime.status import State, Status
from tracker_blur.serving.authorization import RequestAuthorization
from tracker_blur.serving.bounds import refuse
from tracker_blur.serving.limits import ServingLimits
from tracker_blur.serving.server import HttpServer

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from starlette.types import Receive, Scope, Send

_HOST, _PATH = "127.0.0.1", "/metrics"
_TARGET_LABELS = ("target", "number")  # names without secrets may be the same


def exposition(status: Callable[[], Status], accept: str = "") -> tuple[bytes, str]:
    """Return the metrics and their content type, in the best format of an Accept header.

    Without one, or with one that makes no sense, that is Prometheus's text format 0.0.4.
    """
    registry = CollectorRegistry()  # not the global one: it has the process's metrics, too
    registry.register(_StatusCollector(status))
    try:
        encode, content_type = choose_encoder(accept)
    except TypeError:  # the client asks for version=x
        encode, content_type = choose_encoder("")
    return encode(registry), content_type


class _StatusCollector(Collector):
    """Reads all metrics from one status when they are requested."""

    def __init__(self, status: Callable[[], Status]) -> None:
        self._status = status

    def collect(self) -> Iterator[Metric]:
        status = self._status()
        yield _gauge("uptime_seconds", "Time since the start", status.seconds)
        yield _counter("frames_in", "Frames captured from the source", status.frames_in)
        yield _counter("frames_out", "Frames delivered to the targets", status.frames_out)
        yield _counter(
            "dropped",
            "Captured frames that were dropped: a newer one was there, or more came than --rate",
            status.dropped,
        )
        yield _counter("repeated", "Delivered frames that repeat the previous one", status.repeated)
        yield _counter("covers", "Delivered frames that were fully hidden", status.covers)
        yield _gauge("frames_per_second", "Frames delivered per second", status.rate)
        yield _gauge("delay_median_seconds", "Median delay", status.delay_median_ms / 1000)
        yield _gauge(
            "delay_p95_seconds", "95th percentile of the delay", status.delay_p95_ms / 1000
        )
        yield _gauge(
            "view_pixels", "Longest side of the view in which faces are detected", status.view_px
        )
        yield _gauge("faces", "Faces hidden now", status.faces)
        yield _counter("reconnects", "Times the source was opened again", status.reconnects)
        yield _counter(
            "restarts", "Times analysis or output failed and started again", status.restarts
        )
        states = GaugeMetricFamily("trackblur_state", "1 for the current state", labels=["state"])
        for state in get_args(State):
            states.add_metric([state], status.state == state)
        yield states
        yield from _target_counters(status)


def _gauge(name: str, text: str, value: float) -> Metric:
    return GaugeMetricFamily(f"trackblur_{name}", text, value=value)


def _counter(name: str, text: str, value: float) -> Metric:
    return CounterMetricFamily(f"trackblur_{name}", text, value=value)


def _target_counters(status: Status) -> Iterator[Metric]:
    for name, text in (
        ("shown", "Frames that a target took"),
        ("dropped", "Frames that a target was too slow for"),
        ("failures", "Times a target failed"),
    ):
        counter = CounterMetricFamily(f"trackblur_target_{name}", text, labels=_TARGET_LABELS)
        for number, target in enumerate(status.targets, 1):
            counter.add_metric([target.name, str(number)], getattr(target, name))
        yield counter


class Metrics:
    """Answers `GET /metrics` while it is in its `with` block.

    Args:
        port: 0: any free port.
        status: Returns the status of the session.
        timing: How long a client may keep a connection without a request.
        warn: Called with a line when a request fails, from its thread.

    Raises:
        SinkError: When the port cannot be listened on.
    """

    def __init__(
        self,
        port: int,
        status: Callable[[], Status],
        timing: LiveTiming | None = None,
        warn: Callable[[str], None] = lambda _: None,
    ) -> None:
        timeout_seconds = (timing or LiveTiming()).client_timeout_seconds
        self._status = status
        self._authorization = RequestAuthorization(_HOST, None)
        try:
            self._server = HttpServer(
                (_HOST, port),
                lambda text: warn(f"metrics: {text}"),
                limits=ServingLimits(client_timeout_seconds=timeout_seconds),
            )
        except OSError as error:
            raise SinkError(
                f"port {port}: cannot be listened on ({reason_of(error)}): choose another "
                "(--metrics-port)"
            ) from error

    @property
    def port(self) -> int:
        """The port that it listens on."""
        return self._server.port

    @property
    def url(self) -> str:
        """The address of the metrics."""
        return f"http://{_HOST}:{self.port}{_PATH}"

    def __enter__(self) -> Metrics:
        self._server.start(self._answer, "metrics")
        return self

    def __exit__(self, *_: object) -> None:
        self._server.stop()

    async def _answer(self, scope: Scope, receive: Receive, send: Send) -> None:
        headers = Headers(scope=scope)
        if not self._authorization.has_allowed_host(headers):
            await refuse(scope, send, HTTPStatus.FORBIDDEN, "metrics are served on 127.0.0.1 only")
        elif scope["method"] not in {"GET", "HEAD"} or scope["path"] != _PATH:
            await refuse(scope, send, HTTPStatus.NOT_FOUND, f"metrics are at {_PATH}")
        else:
            accept = " ".join(headers.get("accept", "").split())
            data, content_type = exposition(self._status, accept)
            await Response(data, headers={"content-type": content_type})(scope, receive, send)
