"""The session's figures for Prometheus, on the loopback address.

Its text format (https://prometheus.io/docs/instrumenting/exposition_formats/) is a line a figure:
the standard library does it, without another package and its global registry.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from tracker_blur.errors import SinkError, reason_of
from tracker_blur.realtime.access import RequestAuthorization
from tracker_blur.realtime.status import Status

_HOST, _PATH = "127.0.0.1", "/metrics"
_PATIENCE_SECONDS = 10.0  # with who asks for nothing
_FIGURES = {  # field of Status: kind, help
    "seconds": ("counter", "Seconds since the start"),
    "frames_in": ("counter", "Frames that came from the source"),
    "frames_out": ("counter", "Frames that went to the targets"),
    "dropped": ("counter", "Frames dropped: a newer one was there, or more came than --rate"),
    "repeated": ("counter", "Frames that went once more"),
    "covers": ("counter", "Frames wholly hidden"),
    "rate": ("gauge", "Frames out a second"),
    "delay_median_ms": ("gauge", "Median delay in milliseconds"),
    "delay_p95_ms": ("gauge", "95th percentile of the delay in milliseconds"),
    "view_px": ("gauge", "Longest side of the picture that is looked at"),
    "faces": ("gauge", "Faces that are hidden now"),
    "reconnects": ("counter", "Times the source was opened again"),
    "restarts": ("counter", "Times a stage was started anew"),
}
_STATES = ("live", "covered", "reconnecting", "ended")
_TARGET_FIGURES = {
    "shown": "Frames that a target took",
    "dropped": "Frames that a target was too slow for",
    "failures": "Times a target failed",
}


def exposition(status: Status) -> str:
    """Return the figures as Prometheus reads them."""
    return "\n".join(_lines(status)) + "\n"


def _lines(status: Status) -> Iterator[str]:
    for name, (kind, text) in _FIGURES.items():
        metric = f"trackblur_{name}{'_total' if kind == 'counter' else ''}"
        yield f"# HELP {metric} {text}"
        yield f"# TYPE {metric} {kind}"
        yield f"{metric} {getattr(status, name)}"
    yield "# HELP trackblur_state 1 for the state that it is in"
    yield "# TYPE trackblur_state gauge"
    for state in _STATES:
        yield f'trackblur_state{{state="{state}"}} {int(status.state == state)}'
    for name, text in _TARGET_FIGURES.items():
        metric = f"trackblur_target_{name}_total"
        yield f"# HELP {metric} {text}"
        yield f"# TYPE {metric} counter"
        for number, target in enumerate(status.targets, 1):  # masked names may be the same
            labels = f'target="{_escaped(target.name)}",number="{number}"'
            yield f"{metric}{{{labels}}} {getattr(target, name)}"


def _escaped(text: str) -> str:
    return text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")


class Metrics:
    """Answers `GET /metrics` while it is in its `with` block.

    port    0: any that is free
    status  returns how the session fares

    Raises SinkError when the port is taken.
    """

    def __init__(self, port: int, status: Callable[[], Status]) -> None:
        visitors = RequestAuthorization(_HOST, None)

        class Handler(BaseHTTPRequestHandler):
            timeout = _PATIENCE_SECONDS

            def do_GET(self) -> None:
                if not visitors.is_named_rightly(self.headers):
                    self._answer(HTTPStatus.FORBIDDEN, "the figures are at 127.0.0.1 only\n")
                elif self.path != _PATH:
                    self._answer(HTTPStatus.NOT_FOUND, f"the figures are at {_PATH}\n")
                else:
                    self._answer(HTTPStatus.OK, exposition(status()))

            def _answer(self, code: HTTPStatus, text: str) -> None:
                self.send_response(code)
                self.send_header("Content-Type", "text/plain; version=0.0.4; charset=utf-8")
                self.end_headers()
                self.wfile.write(text.encode())

            def log_message(self, *_: object) -> None:
                pass

        try:
            self._server = ThreadingHTTPServer((_HOST, port), Handler)
        except OSError as error:
            raise SinkError(
                f"port {port}: cannot be listened on ({reason_of(error)}): choose another "
                "(--metrics-port)"
            ) from error
        self._thread = threading.Thread(
            target=self._server.serve_forever, name="metrics", daemon=True
        )

    @property
    def port(self) -> int:
        """The port that it listens on."""
        return int(self._server.server_address[1])

    @property
    def url(self) -> str:
        """Where the figures are."""
        return f"http://{_HOST}:{self.port}{_PATH}"

    def __enter__(self) -> Metrics:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()
