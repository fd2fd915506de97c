"""Serves the page of a folder until it is stopped."""

from __future__ import annotations

import secrets
from typing import TYPE_CHECKING

from tracker_blur.errors import SinkError
from tracker_blur.serving.access import AuthorizedRequests
from tracker_blur.serving.authorization import RequestAuthorization
from tracker_blur.serving.server import HttpServer, refusal_of
from tracker_blur.web.application import create_application, is_page, is_upload
from tracker_blur.web.queue_settings import QueueSettings
from tracker_blur.web.services import Services
from tracker_blur.web.state import State

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tracker_blur.serving.limits import ServingLimits

_TOKEN_BYTES = 16


class Site:
    """The page of a folder, served while it is in its `with` block.

    Args:
        root: The folder that the page shows.
        address: (host, port) to listen on; port 0: any free one.
        report: Called with a line when a request fails, from another thread.
        queue: How jobs are run.
        limits: What the server takes from its clients.
        own_state_of: A file whose page keeps its state apart from that of its folder; None: it is
            the folder's.

    Attributes:
        services: The parts behind the page.

    Raises:
        SinkError: It cannot listen there, keep its state, or another page has this folder.
    """

    def __init__(
        self,
        root: Path,
        address: tuple[str, int],
        report: Callable[[str], None],
        *,
        queue: QueueSettings = QueueSettings(),
        limits: ServingLimits | None = None,
        own_state_of: Path | None = None,
    ) -> None:
        opened = own_state_of or root
        self._state = State.of(opened)
        if not self._state.acquire():
            open_one = self._state.read("address", "the address that it printed")
            raise SinkError(
                f"{root}: is open in another trackblur: use {open_one}, or end it first"
            )
        try:
            self.services = Services(root, self._state, queue, report)
            self._server = _listen(address, report, limits)
        except BaseException:
            self._state.release()
            raise
        self._authorization = RequestAuthorization(address[0], secrets.token_urlsafe(_TOKEN_BYTES))

    def url(self, path: str = "") -> str:
        """Return the address of a page, with the token."""
        return f"{self._server.url}{path}{self._authorization.query}"

    def __enter__(self) -> Site:
        app = create_application(self.services)
        self.services.start()
        self._state.write("address", self.url())
        self._server.start(
            AuthorizedRequests(app, self._authorization, self._server.cookie, is_page)
        )
        return self

    def __exit__(self, *_: object) -> None:
        self.services.close()
        self._server.stop()
        self._state.release()


def _listen(
    address: tuple[str, int], report: Callable[[str], None], limits: ServingLimits | None
) -> HttpServer:
    try:
        return HttpServer(address, report, limits=limits, is_upload=is_upload)
    except OSError as error:
        raise refusal_of(address, error) from error
