"""Serves the service until it is stopped."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tracker_blur.service import job_routes
from tracker_blur.service.access import AuthorizedRequests
from tracker_blur.service.admission import AdmittedRequests
from tracker_blur.service.application import create_application
from tracker_blur.service.metrics import CountedRequests
from tracker_blur.service.page import WithPage
from tracker_blur.service.problems import refuse
from tracker_blur.service.roboflow_routes import checks_token
from tracker_blur.service.service import Service
from tracker_blur.serving import bounds
from tracker_blur.serving.limits import ServingLimits
from tracker_blur.serving.server import HttpServer, refusal_of
from tracker_blur.web.application import is_upload as is_page_upload

if TYPE_CHECKING:
    from collections.abc import Callable

    from starlette.types import ASGIApp, Scope, Send

    from tracker_blur.service.settings import ServiceSettings


_OF_IMAGES = frozenset({"/v1/predict", "/v1/redact"})
_FORM_BYTES = 1 << 20  # what a form takes besides its file


class ServiceServer:
    """The service, served while it is in its `with` block.

    At its end, no new work is taken, and running requests end.

    Args:
        settings: The settings of the service.
        report: Called with a line when something fails that is no fault of a client.

    Attributes:
        service: The parts behind it.
        page_url: The address of the folder's page, with the token; None: there is none, for lack of
            a folder or a token.

    Raises:
        SinkError: It cannot listen there.
        TrackerBlurError: Its detector cannot be loaded.
    """

    page_url: str | None = None

    def __init__(self, settings: ServiceSettings, report: Callable[[str], None]) -> None:
        self.service = Service(settings, report)
        limits = settings.limits
        address = settings.host, settings.port
        try:
            self._server = HttpServer(
                address,
                report,
                limits=ServingLimits(
                    image_bytes=limits.body_bytes,
                    upload_bytes=settings.jobs.limits.upload_bytes + _FORM_BYTES,
                    body_seconds=limits.image_seconds,
                    stop_seconds=limits.stop_seconds,
                    unauthenticated=limits.unauthenticated,
                    requests=2 * limits.requests,
                ),
                is_upload=_is_upload,
                refusal=self._refuse,
                is_image=_is_image,
            )
        except OSError as error:
            self.service.close()
            raise refusal_of(address, error) from error
        try:
            self.service.start()
        except BaseException:
            self.service.close()
            self._server.stop()
            raise
        app: ASGIApp = AdmittedRequests(create_application(self.service), limits.requests)
        app = AuthorizedRequests(app, self.service.access, checks_token)
        if settings.jobs.root is not None and settings.token is not None:
            app = WithPage(
                app, self.service.jobs.services, settings.host, settings.token, self._server.cookie
            )
            self.page_url = f"{self.url}{app.query}"
        self._app = app

    @property
    def url(self) -> str:
        """The address of the service, ending in a slash."""
        return self._server.url

    def __enter__(self) -> ServiceServer:
        self.service.jobs.start(self.page_url or self.url)
        self._server.start(CountedRequests(self._app, self.service.metrics), "trackblur service")
        return self

    def __exit__(self, *_: object) -> None:
        self.service.close()
        self._server.stop()
        self.service.pool.end()

    async def _refuse(self, scope: Scope, send: Send, code: int, reason: str) -> None:
        """Refuse a request as its reader expects: the page has errors of its own."""
        is_of_page = self.page_url is not None and scope["path"].startswith("/api/")
        await (bounds.refuse if is_of_page else refuse)(scope, send, code, reason)


def _is_upload(scope: Scope) -> bool:
    return job_routes.is_upload(scope) or is_page_upload(scope)


def _is_image(scope: Scope) -> bool:
    """Return whether the body of a request may hold an image; `Bodies` counts these."""
    return scope["path"] in _OF_IMAGES or checks_token(scope)
