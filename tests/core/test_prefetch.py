from __future__ import annotations

import threading
from functools import partial
from typing import TYPE_CHECKING

import pytest

from tests.waiting import until
from tracker_blur.core.prefetch import Prefetcher

if TYPE_CHECKING:
    from collections.abc import Iterator


def stage_threads() -> list[str]:
    return [thread.name for thread in threading.enumerate() if thread.name == "stage"]


def test_items_come_in_order_and_the_thread_ends() -> None:
    with Prefetcher(range(100), 3, "stage") as prefetcher:
        assert list(prefetcher) == list(range(100))
    assert stage_threads() == []


def test_no_more_items_are_made_than_the_queue_holds() -> None:
    made: list[int] = []

    def items() -> Iterator[int]:
        for index in range(10):
            made.append(index)
            yield index

    def has_made(count: int) -> bool:
        return len(made) >= count

    with Prefetcher(items(), 3, "stage") as prefetcher:
        for taken, _ in enumerate(prefetcher, 1):
            most = min(10, taken + 4)  # three queued, one in hand
            until(partial(has_made, most))
            assert len(made) == most


def test_an_error_arrives_after_the_items_before_it() -> None:
    def items() -> Iterator[int]:
        yield 1
        raise OSError("broken")

    got: list[int] = []
    with pytest.raises(OSError, match="broken"), Prefetcher(items(), 3, "stage") as prefetcher:
        got.extend(prefetcher)
    assert stage_threads() == []


def test_leaving_early_ends_a_chain_of_stages_and_closes_their_generators() -> None:
    closed: list[bool] = []

    def items() -> Iterator[int]:
        try:
            index = 0
            while True:
                yield index
                index += 1
        finally:
            closed.append(True)

    with (
        pytest.raises(KeyboardInterrupt),
        Prefetcher(items(), 2, "stage") as first,
        Prefetcher((item * 2 for item in first), 2, "stage") as second,
    ):
        for item in second:
            if item == 20:
                raise KeyboardInterrupt
    assert closed == [True]
    assert stage_threads() == []
