"""Two buckets in memory."""

from __future__ import annotations

import pytest

from tests.buckets.memory import MemoryBuckets


@pytest.fixture
def buckets(monkeypatch: pytest.MonkeyPatch) -> MemoryBuckets:
    made = MemoryBuckets("from", "to")
    monkeypatch.setattr("tracker_blur.buckets.objects._filesystem", lambda _: made)
    return made
