"""Services that tests share: they start in tenths of a second."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.service.services import TOKEN, Served, serving

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture(scope="session")
def served() -> Iterator[Served]:
    """A service with a token."""
    with serving(token=TOKEN) as served:
        yield served
        assert served.messages == []
