"""The slot for the newest item, and the pauses between retries."""

from __future__ import annotations

import threading

from tests.waiting import PATIENCE_SECONDS
from tracker_blur.realtime.handoff import Backoff, Latest, unfailing
from tracker_blur.realtime.settings import LiveTiming


def test_a_newer_item_replaces_an_older_one_which_is_counted() -> None:
    latest: Latest[int] = Latest()
    taken: list[int] = []
    for put in (range(5), range(5, 6), range(6, 9)):
        for number in put:
            latest.put(number)
        while (item := latest.take(0)) is not None:
            taken.append(item)
    assert taken == [4, 5, 8]
    assert len(taken) + latest.dropped_count == 9  # all that were put


def test_closing_wakes_who_waits_and_loses_nothing() -> None:
    latest: Latest[int] = Latest()
    taken: list[int | None] = []
    waiting = threading.Thread(target=lambda: taken.append(latest.take()))
    waiting.start()
    latest.close()
    waiting.join(PATIENCE_SECONDS)
    assert taken == [None]
    latest.put(1)
    assert latest.take() == 1


def test_pauses_grow_to_a_limit_and_start_again_after_a_good_run() -> None:
    backoff = Backoff(LiveTiming())
    pauses = [backoff.next_pause(0) for _ in range(10)]
    assert pauses == sorted(pauses)
    assert pauses[0] < 1 < pauses[-1] <= 10
    assert backoff.next_pause(60) == pauses[0]


def test_a_report_that_fails_is_ignored() -> None:
    reports: list[str] = []

    def fail(text: str) -> None:
        reports.append(text)
        raise OSError("the disk is full")

    unfailing(fail)("news")
    assert reports == ["news"]
