"""Pages for tests: a real server on a folder, and a client with its token."""

from __future__ import annotations

import os
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from unittest import mock

import httpx

from tests.waiting import PATIENCE_SECONDS
from tracker_blur.web.site import Site

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tracker_blur.serving.limits import ServingLimits


@dataclass
class Page:
    """A served page.

    Attributes:
        folder: What it shows.
        site: What serves it.
        client: Sends the token with each request.
        unauthenticated: Does not.
        messages: What the server reported.
    """

    folder: Path
    site: Site
    client: httpx.Client
    unauthenticated: httpx.Client
    messages: list[str]

    @property
    def port(self) -> int:
        return int(self.client.base_url.port or 0)

    @property
    def token(self) -> str:
        return self.site.url().rpartition("?token=")[2]

    def get(self, path: str, **options: Any) -> httpx.Response:
        return self.client.get(path, **options)

    def post(self, path: str, **options: Any) -> httpx.Response:
        return self.client.post(path, **options)


@contextmanager
def opened(folder: Path, state: Path, limits: ServingLimits | None = None) -> Iterator[Page]:
    """Serve a folder with its state in another."""
    messages: list[str] = []
    with mock.patch.dict(os.environ, TRACKBLUR_STATE=str(state)):
        site = Site(folder, ("127.0.0.1", 0), messages.append, limits=limits)
    with site:
        address, _, token = site.url().rpartition("?token=")
        with (
            httpx.Client(
                base_url=address,
                headers={"Authorization": f"Bearer {token}"},
                timeout=PATIENCE_SECONDS,
                trust_env=False,
            ) as client,
            httpx.Client(
                base_url=address, timeout=PATIENCE_SECONDS, trust_env=False
            ) as unauthenticated,
        ):
            yield Page(folder, site, client, unauthenticated, messages)
    assert messages == []
