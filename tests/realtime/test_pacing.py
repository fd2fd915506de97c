"""What a file holds comes when it is due, also where its sound lies behind its pictures."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator

import av
import numpy as np
import pytest

from tracker_blur.realtime.clock import SessionClock
from tracker_blur.realtime.sources import Heard, Item, Picture
from tracker_blur.realtime.sources._pacing import paced


def picture(stamp: float) -> Picture:
    return Picture(av.VideoFrame(16, 16, "yuv420p"), stamp)


def sound(stamp: float) -> Heard:
    return Heard(np.zeros((2, 480), np.float32), stamp)


def arrivals(items: list[Item]) -> list[float]:
    """Return when each picture comes, in seconds after the first."""
    times = [
        time.monotonic() for item in paced(items, threading.Event()) if isinstance(item, Picture)
    ]
    return [time - times[0] for time in times]


def test_pictures_come_when_they_are_due() -> None:
    for index, seconds in enumerate(arrivals([picture(index / 10) for index in range(5)])):
        assert index / 10 - 0.05 < seconds < index / 10 + 1.0


def test_sound_that_lies_behind_its_pictures_delays_none() -> None:
    items: list[Item] = [picture(0)]
    for index in range(1, 9):
        items += [picture(index / 10), sound(index / 10 - 0.9)]
    assert 0.75 < arrivals(items)[-1] < 2.0


def held_up(seconds: float) -> float:
    """Return when the last of nine pictures comes, if reading the second takes so long."""

    def items() -> Iterator[Item]:
        for index in range(9):
            if index == 1:
                time.sleep(seconds)
            yield picture(index / 10)

    began = time.monotonic()
    for _ in paced(items(), threading.Event()):
        pass
    return time.monotonic() - began


def test_small_delays_do_not_add_up() -> None:
    assert held_up(0.8) < 1.4  # 1.5 if the delay were kept


def test_after_a_long_delay_pictures_keep_their_distance() -> None:
    assert held_up(1.4) > 1.4 + 0.65


def test_late_sound_does_not_move_the_pictures() -> None:
    clock = SessionClock()
    assert clock.picture_seconds(10.0, 1.0) == 1.0
    assert clock.sound_seconds(8.0, 1.02) == pytest.approx(-1.0)
    assert clock.picture_seconds(10.04, 1.04) == pytest.approx(1.04)
    assert clock.sound_seconds(5010.0, 1.05) == pytest.approx(1.05)  # its clock was set anew
