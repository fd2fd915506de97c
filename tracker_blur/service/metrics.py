"""The figures of the service for Prometheus, and the middleware that counts requests."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram
from prometheus_client.exposition import choose_encoder

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from starlette.types import ASGIApp, Message, Receive, Scope, Send

_SECONDS = (0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0)
_METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS", "PATCH"})
_OTHER = "other"


class Metrics:
    """What happened since the start; metrics of other parts are added to its registry.

    Attributes:
        registry: All metrics.
    """

    def __init__(self) -> None:
        self.registry = CollectorRegistry()  # not the global one: it has the process's, too
        self._requests = Counter(
            "trackblur_requests",
            "Requests that were answered, by route, method and status",
            ("route", "method", "status"),
            registry=self.registry,
        )
        self._seconds = Histogram(
            "trackblur_request_seconds",
            "Time from the head of a request to the end of its answer",
            ("route",),
            buckets=_SECONDS,
            registry=self.registry,
        )
        self._hidden = Counter(
            "trackblur_hidden",
            "Places hidden in images, by class",
            ("label",),
            registry=self.registry,
        )

    def count_request(self, route: str, method: str, status: int, seconds: float) -> None:
        """Count an answered request; what is not in the application counts as "other"."""
        known = method if method in _METHODS else _OTHER
        self._requests.labels(route, known, str(status)).inc()
        self._seconds.labels(route).observe(seconds)

    def count_hidden(self, counts: Mapping[str, int]) -> None:
        """Count hidden places, by their class."""
        for label, count in counts.items():
            self._hidden.labels(label).inc(count)

    def show(self, name: str, meaning: str, value: Callable[[], float]) -> None:
        """Add a figure that is read when the metrics are."""
        Gauge(f"trackblur_{name}", meaning, registry=self.registry).set_function(value)

    def exposition(self, accept: str) -> tuple[bytes, str]:
        """Return all metrics and their content type, in the best format of an Accept header."""
        try:
            encode, content_type = choose_encoder(accept)
        except TypeError:  # the client asks for version=x
            encode, content_type = choose_encoder("")
        return encode(self.registry), content_type


class CountedRequests:
    """Counts the requests that it passes on.

    Args:
        app: Answers them.
        metrics: Count them.
    """

    def __init__(self, app: ASGIApp, metrics: Metrics) -> None:
        self._app = app
        self._metrics = metrics

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request."""
        began, status = time.monotonic(), 500

        async def counted(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        try:
            await self._app(scope, receive, counted)
        finally:
            # The path itself would let clients make labels without end.
            route = getattr(scope.get("route"), "path", _OTHER)
            self._metrics.count_request(route, scope["method"], status, time.monotonic() - began)
