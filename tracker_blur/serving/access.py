"""Lets only requests through that come from this machine's user: Host, Origin and token."""

from __future__ import annotations

from http import HTTPStatus
from typing import TYPE_CHECKING
from urllib.parse import quote

from starlette.datastructures import Headers
from starlette.responses import Response

from tracker_blur.serving.authorization import token_in
from tracker_blur.serving.bounds import refuse
from tracker_blur.serving.protocol import connection_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from starlette.types import ASGIApp, Receive, Scope, Send

    from tracker_blur.serving.authorization import RequestAuthorization


class AuthorizedRequests:
    """Passes on what is allowed, and moves the token from a page's address into a cookie.

    Args:
        app: Answers the requests.
        authorization: Decides which requests are answered.
        cookie: Name of the cookie that holds the token.
        is_page: Returns whether a path is that of a page, which people open.
    """

    def __init__(
        self,
        app: ASGIApp,
        authorization: RequestAuthorization,
        cookie: str,
        is_page: Callable[[str], bool],
    ) -> None:
        self._app = app
        self._authorization = authorization
        self._cookie = cookie
        self._is_page = is_page

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request."""
        headers = Headers(scope=scope)
        opens_page = scope["method"] == "GET" and self._is_page(scope["path"])
        # Only there: other addresses with a token would end up in logs, histories and links.
        token = token_in(scope["query_string"].decode("latin-1")) if opens_page else ""
        reason = self._why_not(token, headers)
        if reason is not None:
            await refuse(scope, send, HTTPStatus.FORBIDDEN, reason)
            return
        connection_of(scope).authenticate()
        if token:
            await self._stored(token, scope["path"])(scope, receive, send)
        else:
            await self._app(scope, receive, send)

    def _why_not(self, token: str, headers: Headers) -> str | None:
        """Return why a request is refused; None if it is not."""
        authorization = self._authorization
        if not authorization.has_allowed_host(headers):
            return "this page is served at 127.0.0.1 only"
        if not authorization.is_same_origin(headers):
            return "requests from other sites are refused"
        if not authorization.has_token(token, headers, self._cookie):
            return (
                "this address is not whole, or an old one (its token is missing or wrong): open "
                "the address that trackblur printed when it was last started"
            )
        return None

    def _stored(self, token: str, path: str) -> Response:
        """Return an answer that stores the token out of the address, which others may see.

        One that is wrong, in an old address, does not replace the cookie that let it in.
        """
        response = Response(status_code=HTTPStatus.SEE_OTHER, headers={"location": path})
        if self._authorization.is_token(token):
            cookie = f"{self._cookie}={quote(token)}; HttpOnly; SameSite=Strict; Path=/"
            response.headers["set-cookie"] = cookie
        return response
