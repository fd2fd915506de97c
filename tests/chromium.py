"""Chromium, for tests that use pages as a person does."""

from __future__ import annotations

import shutil
from contextlib import contextmanager
from typing import TYPE_CHECKING

import pytest

from tests.waiting import PATIENCE_SECONDS

if TYPE_CHECKING:
    from collections.abc import Iterator

    from playwright import sync_api
else:
    sync_api = pytest.importorskip("playwright.sync_api", reason="needs Playwright: [test]")

__all__ = ["launched", "sync_api"]

sync_api.expect.set_options(timeout=PATIENCE_SECONDS * 1000)
_PROGRAMS = ("chromium", "chromium-browser", "google-chrome")
_ARGUMENTS = [
    *("--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-sync"),
    *("--disable-background-networking", "--disable-component-update"),
]


@contextmanager
def launched() -> Iterator[sync_api.Browser]:
    """Start Chromium; skip the test without one."""
    program = next(filter(None, map(shutil.which, _PROGRAMS)), None)
    if program is None:
        pytest.skip("Chromium is not installed")
    with sync_api.sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=program, args=_ARGUMENTS, timeout=PATIENCE_SECONDS * 1000
        )
        yield browser
        browser.close()
