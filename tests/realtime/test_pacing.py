"""What a file holds comes when it is due, also where its sound lies behind its pictures."""

from __future__ import annotations

import threading
from collections.abc import Iterable, Iterator
from types import SimpleNamespace

import av
import numpy as np
import pytest

from tracker_blur.realtime.capture import SessionClock
from tracker_blur.realtime.sources import CapturedAudio, CapturedFrame, Item, _container
from tracker_blur.realtime.sources._container import paced


class Clock(threading.Event):
    """Time that passes only while somebody waits for it: a busy machine takes none."""

    def __init__(self) -> None:
        super().__init__()
        self.now = 1000.0

    def wait(self, timeout: float | None = None) -> bool:
        self.now += timeout or 0.0
        return False


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr(_container, "time", SimpleNamespace(monotonic=lambda: clock.now))
    return clock


def picture(stamp: float) -> CapturedFrame:
    return CapturedFrame(av.VideoFrame(16, 16, "yuv420p"), stamp)


def sound(stamp: float) -> CapturedAudio:
    return CapturedAudio(np.zeros((2, 480), np.float32), stamp)


def arrivals(items: Iterable[Item], clock: Clock) -> list[float]:
    """Return when each picture comes, in seconds after the first."""
    times = [clock.now for item in paced(items, clock) if isinstance(item, CapturedFrame)]
    return [time - times[0] for time in times]


def test_pictures_come_when_they_are_due(clock: Clock) -> None:
    stamps = [index / 10 for index in range(5)]
    assert arrivals(map(picture, stamps), clock) == pytest.approx(stamps)


def test_sound_that_lies_behind_its_pictures_delays_none(clock: Clock) -> None:
    items: list[Item] = [picture(0)]
    for index in range(1, 9):
        items += [picture(index / 10), sound(index / 10 - 0.9)]
    assert arrivals(items, clock)[-1] == pytest.approx(0.8)


def held_up(seconds: float, clock: Clock) -> list[float]:
    """Return when nine pictures come, if reading the second takes so long."""

    def items() -> Iterator[Item]:
        for index in range(9):
            if index == 1:
                clock.now += seconds
            yield picture(index / 10)

    return arrivals(items(), clock)


def test_small_delays_do_not_add_up(clock: Clock) -> None:
    assert held_up(0.8, clock) == pytest.approx([0, *[0.8] * 8])


def test_after_a_long_delay_pictures_keep_their_distance(clock: Clock) -> None:
    assert held_up(1.4, clock) == pytest.approx([0, *(1.4 + index / 10 for index in range(8))])


def test_late_sound_does_not_move_the_pictures() -> None:
    clock = SessionClock()
    assert clock.picture_seconds(10.0, 1.0) == 1.0
    assert clock.sound_seconds(8.0, 1.02) == pytest.approx(-1.0)
    assert clock.picture_seconds(10.04, 1.04) == pytest.approx(1.04)
    assert clock.sound_seconds(5010.0, 1.05) == pytest.approx(1.05)  # its clock was set anew
