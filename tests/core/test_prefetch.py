from __future__ import annotations

import threading
import time
from collections.abc import Iterator

import pytest

from tracker_blur.core.prefetch import Prefetcher


def stage_threads() -> list[str]:
    return [thread.name for thread in threading.enumerate() if thread.name == "stage"]


def test_items_come_in_order_and_the_thread_ends() -> None:
    with Prefetcher(range(100), 3, "stage") as ahead:
        assert list(ahead) == list(range(100))
    assert stage_threads() == []


def test_no_more_items_are_made_than_the_queue_holds() -> None:
    made = []

    def items() -> Iterator[int]:
        for index in range(100):
            made.append(index)
            yield index

    with Prefetcher(items(), 3, "stage") as ahead:
        assert next(iter(ahead)) == 0
        time.sleep(0.05)
        assert len(made) <= 5  # one taken, three queued, one in hand


def test_an_error_arrives_in_its_place() -> None:
    def items() -> Iterator[int]:
        yield 1
        raise OSError("broken")

    got = []
    with pytest.raises(OSError, match="broken"), Prefetcher(items(), 3, "stage") as ahead:
        got.extend(ahead)
    assert stage_threads() == []


def test_leaving_early_ends_a_chain_of_stages_and_closes_their_generators() -> None:
    closed = []

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
