"""Services for tests: a real server, and a client that asks it over HTTP."""

from __future__ import annotations

import os
from contextlib import contextmanager
from dataclasses import dataclass
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any
from unittest import mock

import httpx

from tests.waiting import PATIENCE_SECONDS
from tracker_blur.service.server import ServiceServer
from tracker_blur.service.settings import ServiceLimits, ServiceSettings

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tracker_blur.service.service import Service

TOKEN = "a-token-that-only-tests-know"  # of a server that ends with the test


@dataclass
class Served:
    """A service that answers.

    Attributes:
        service: The parts behind it.
        client: Sends the token with each request, if there is one.
        unauthenticated: Does not.
        messages: What it reported.
    """

    service: Service
    client: httpx.Client
    unauthenticated: httpx.Client
    messages: list[str]

    @property
    def port(self) -> int:
        return int(self.client.base_url.port or 0)


@contextmanager
def serving(**settings: Any) -> Iterator[Served]:
    """Serve with these settings, on any free port."""
    messages: list[str] = []
    limits = settings.pop("limits", ServiceLimits(image_seconds=PATIENCE_SECONDS))
    given = ServiceSettings(**{"port": 0, "limits": limits} | settings)
    headers = {} if given.token is None else {"authorization": f"Bearer {given.token}"}
    options: dict[str, Any] = {"timeout": PATIENCE_SECONDS, "trust_env": False}
    with (
        TemporaryDirectory() as state,
        mock.patch.dict(os.environ, TRACKBLUR_STATE=state),
        ServiceServer(given, messages.append) as server,
        httpx.Client(base_url=server.url, headers=headers, **options) as client,
        httpx.Client(base_url=server.url, **options) as unauthenticated,
    ):
        yield Served(server.service, client, unauthenticated, messages)
