"""Serves the page of the service's folder next to the service: the same jobs, on one port."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from tracker_blur.serving.access import AuthorizedRequests
from tracker_blur.serving.authorization import RequestAuthorization
from tracker_blur.web.application import create_application, is_page

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Receive, Scope, Send

    from tracker_blur.web.services import Services

_OF_PAGE = re.compile(r"/(api|static)/.*", re.DOTALL)


class WithPage:
    """Answers requests of the page, and passes the others on.

    Browsers have the token in a cookie, which pages of other sites cannot use: the page checks
    where requests come from. Routes of the service take no cookies.

    Args:
        app: Answers the others.
        services: The parts behind the page.
        host: The address that the server listens on.
        token: Of the service.
        cookie: Name of the cookie that holds it.

    Attributes:
        query: What the address of the page ends in, so that a browser gets the token.
    """

    def __init__(
        self, app: ASGIApp, services: Services, host: str, token: str, cookie: str
    ) -> None:
        self._app = app
        authorization = RequestAuthorization(host, token)
        self.query = authorization.query
        self._page = AuthorizedRequests(
            create_application(services), authorization, cookie, is_page
        )

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request."""
        path: str = scope["path"]
        is_of_page = is_page(path) or _OF_PAGE.fullmatch(path) is not None
        await (self._page if is_of_page else self._app)(scope, receive, send)
