"""A page on a folder of its own, asked over real HTTP."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.web.pages import Page, opened

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture(scope="module")
def page(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Page]:
    folder = tmp_path_factory.mktemp("videos")
    with opened(folder, tmp_path_factory.mktemp("state")) as page:
        yield page
