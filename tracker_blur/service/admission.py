"""Refuses requests while too many are answered, so that none of those is given up for another."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tracker_blur.service.access import is_open
from tracker_blur.service.problems import unavailable

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Receive, Scope, Send


class AdmittedRequests:
    """Passes on a limited number of requests at a time; health checks always get in.

    The server itself ends the oldest connection where there are too many, which suits a page whose
    buttons must always work. There are fewer requests than it takes connections.

    Args:
        app: Answers them.
        most: How many at a time.
    """

    def __init__(self, app: ASGIApp, most: int) -> None:
        self._app = app
        self._most = most
        self._count = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request."""
        if is_open(scope["path"]):
            await self._app(scope, receive, send)
            return
        if self._count >= self._most:
            problem = unavailable("too many requests are answered now: try again later")
            await problem.response(scope)(scope, receive, send)
            return
        self._count += 1
        try:
            await self._app(scope, receive, send)
        finally:
            self._count -= 1
