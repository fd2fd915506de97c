"""Serves the service until it is stopped."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tracker_blur.errors import SinkError, reason_of
from tracker_blur.service.access import AuthorizedRequests
from tracker_blur.service.application import create_application
from tracker_blur.service.metrics import CountedRequests
from tracker_blur.service.problems import refuse
from tracker_blur.service.service import Service
from tracker_blur.serving.limits import ServingLimits
from tracker_blur.serving.server import HttpServer

if TYPE_CHECKING:
    from collections.abc import Callable

    from starlette.types import Scope

    from tracker_blur.service.settings import ServiceSettings


class ServiceServer:
    """The service, served while it is in its `with` block.

    At its end, no new work is taken, and running requests end.

    Args:
        settings: What the service is told.
        report: Called with a line when something fails that is no fault of a client.

    Attributes:
        service: The parts behind it.

    Raises:
        SinkError: It cannot listen there.
        TrackerBlurError: Its detector cannot be loaded.
    """

    def __init__(self, settings: ServiceSettings, report: Callable[[str], None]) -> None:
        self.service = Service(settings, report)
        limits = settings.limits
        address = settings.host, settings.port
        try:
            self._server = HttpServer(
                address,
                report,
                limits=ServingLimits(
                    body_bytes=limits.image_bytes,
                    body_seconds=limits.image_seconds,
                    stop_seconds=limits.stop_seconds,
                    unauthenticated=limits.connections,
                    requests=limits.connections,
                ),
                refusal=refuse,
            )
        except OSError as error:
            raise SinkError(
                f"port {address[1]}: cannot be listened on at {address[0]} ({reason_of(error)}): "
                "choose another one"
            ) from error
        try:
            self.service.start()
        except BaseException:
            self._server.stop()
            raise

    @property
    def url(self) -> str:
        """The address of the service, ending in a slash."""
        return self._server.url

    def __enter__(self) -> ServiceServer:
        service = self.service
        app = AuthorizedRequests(create_application(service), service.access, _checks_itself)
        self._server.start(CountedRequests(app, service.metrics), "trackblur service")
        return self

    def __exit__(self, *_: object) -> None:
        self.service.close()
        self._server.stop()


def _checks_itself(_scope: Scope) -> bool:
    return False
