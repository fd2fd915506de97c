"""Lets only requests through that may use the service: Host, Origin and token.

Answers to the wrong token come as fast as others: a token has at least 16 characters, so guesses
are hopeless, and waiting would only hold a connection.
"""

from __future__ import annotations

from http import HTTPStatus
from typing import TYPE_CHECKING

from starlette.datastructures import Headers

from tracker_blur.service.problems import Problem
from tracker_blur.serving.authorization import RequestAuthorization
from tracker_blur.serving.protocol import connection_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from starlette.types import ASGIApp, Receive, Scope, Send

_NO_COOKIE = ""
_OPEN_PATHS = frozenset({"/healthz", "/readyz", "/docs", "/openapi.json", "/info"})
_OPEN_FOLDER = "/docs/"


def is_open(path: str) -> bool:
    """Return whether everyone who reaches the server gets what is at a path.

    It says nothing about users, and health checks have no token.
    """
    return path in _OPEN_PATHS or path.startswith(_OPEN_FOLDER)


class Access:
    """Decides which requests are answered.

    Args:
        host: The address that the service listens on.
        token: What requests must carry; None: nothing.
    """

    def __init__(self, host: str, token: str | None) -> None:
        self._authorization = RequestAuthorization(host, token)

    def check(self, scope: Scope) -> None:
        """Raise Problem for a request from elsewhere, or without the token."""
        self.check_origin(scope)
        self.check_key(scope)

    def check_origin(self, scope: Scope) -> None:
        """Raise Problem for a request that a page of another site sent."""
        headers = Headers(scope=scope)
        if not self._authorization.has_allowed_host(headers):
            raise Problem(
                HTTPStatus.MISDIRECTED_REQUEST, "this service is served at 127.0.0.1 only"
            )
        if not self._authorization.is_same_origin(headers):
            raise Problem(HTTPStatus.FORBIDDEN, "requests from other sites are refused")

    def check_key(self, scope: Scope, *keys: str | None) -> None:
        """Raise Problem unless a request has the token as a bearer, or one of the keys is it.

        Args:
            scope: The request.
            keys: What it gives as `api_key`, in its query or its body.
        """
        headers = Headers(scope=scope)
        given = next((key for key in keys if key and self._authorization.is_token(key)), "")
        if not self._authorization.has_token(given, headers, _NO_COOKIE):
            raise _unauthorized()
        connection_of(scope).authenticate()


class AuthorizedRequests:
    """Passes on what is allowed, and answers the rest with a problem.

    Args:
        app: Answers the requests.
        access: Decides which are allowed.
        checks_itself: Returns whether the route of a request checks its token itself, because that
            may be in the body.
    """

    def __init__(
        self, app: ASGIApp, access: Access, checks_itself: Callable[[Scope], bool]
    ) -> None:
        self._app = app
        self._access = access
        self._checks_itself = checks_itself

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request."""
        path: str = scope["path"]
        try:
            if is_open(path) or self._checks_itself(scope):
                self._access.check_origin(scope)
            else:
                self._access.check(scope)
        except Problem as problem:
            await problem.response(scope)(scope, receive, send)
            return
        await self._app(scope, receive, send)


def _unauthorized() -> Problem:
    return Problem(
        HTTPStatus.UNAUTHORIZED,
        "the token is missing or wrong: send it as 'Authorization: Bearer TOKEN'",
        {"www-authenticate": 'Bearer realm="trackblur"'},
    )
