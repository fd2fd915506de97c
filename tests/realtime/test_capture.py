"""The intake: sources that fail and come back, clocks that jump, sound in order."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from fractions import Fraction
from itertools import pairwise

import numpy as np
import pytest

from tests.realtime.test_arrival import rgb
from tests.waiting import PATIENCE_SECONDS, until
from tracker_blur.errors import SourceError
from tracker_blur.realtime.capture import Capture
from tracker_blur.realtime.live_frame import LiveFrame
from tracker_blur.realtime.settings import LiveSettings
from tracker_blur.realtime.sources import CapturedAudio, CapturedFrame, Item


class Script:
    """A source that gives each of these lists after an opening; an error in one is raised."""

    name = "script"
    rate: Fraction | None = Fraction(25)
    has_sound = True

    def __init__(self, *parts: list[Item | Exception], ends: bool = True) -> None:
        self.ends = ends
        self._parts = list(parts)
        self.opened = self.closed = 0

    def open(self) -> None:
        self.opened += 1
        if not self._parts:
            raise SourceError("script: is gone")

    def read(self, stopping: threading.Event) -> Iterator[Item]:
        for item in self._parts.pop(0):
            if isinstance(item, Exception):
                raise item
            yield item

    def close(self) -> None:
        self.closed += 1

    def abort(self) -> None:
        pass


def capture(
    source: Script,
    live: LiveSettings | None = None,
    tell: Callable[[str], None] = print,
    note: Callable[[str], None] = print,
) -> Capture:
    return Capture(source, live or LiveSettings(), time.monotonic(), tell, note)


def shown(stamp: float | None = None) -> CapturedFrame:
    return CapturedFrame(rgb((64, 48)), stamp)


def finished(taken: Capture) -> Capture:
    taken.start()
    assert taken.wait_for_first(PATIENCE_SECONDS)
    while taken.arrivals.take(PATIENCE_SECONDS) is not None:
        pass
    return taken


def test_the_newest_picture_and_their_number_are_known() -> None:
    taken = finished(capture(Script([shown(1), shown(2), shown(3)])))
    assert taken.count == 3
    assert isinstance(taken.newest, LiveFrame)
    assert taken.has_ended
    assert not taken.is_connected
    assert taken.format.size == (64, 48)
    assert taken.format.rate == 25
    assert taken.format.sound_rate == 48000


def test_a_source_without_a_picture_is_an_error() -> None:
    taken = finished(capture(Script([])))
    with pytest.raises(SourceError, match="before a whole picture"):
        _ = taken.format


def test_a_source_that_fails_before_its_first_picture_says_why() -> None:
    taken = finished(capture(Script([SourceError("script: has no index")])))
    with pytest.raises(SourceError, match="has no index"):
        _ = taken.format


def test_a_source_that_ends_too_early_is_not_tried_again() -> None:
    told: list[str] = []
    source = Script([shown(1), SourceError("script: breaks off")])
    taken = finished(capture(source, tell=told.append))
    assert taken.has_ended
    assert str(taken.failure) == taken.error == "script: breaks off"
    assert taken.format.size == (64, 48)
    assert (source.opened, told) == (1, [])


def test_a_source_that_cannot_be_opened_at_first_is_an_error() -> None:
    taken = finished(capture(Script()))
    with pytest.raises(SourceError, match="is gone"):
        _ = taken.format


def test_a_source_that_stops_or_fails_is_opened_anew_and_told_of() -> None:
    told: list[str] = []
    source = Script(
        [shown(1), SourceError("script: breaks off")],
        [shown(9), ValueError("odd")],
        [shown(0)],
        ends=False,
    )
    before = set(threading.enumerate())
    noted: list[str] = []
    taken = capture(source, tell=told.append, note=noted.append)
    taken.start()
    until(lambda: source.opened >= 5)
    taken.stop(PATIENCE_SECONDS)
    assert taken.count == 3
    assert taken.reconnects == 2
    assert "is gone" in taken.error
    assert source.closed >= source.opened
    assert [text.split(":")[1].strip().split(" (")[0] for text in told] == [
        "breaks off",
        "fails",
        "has stopped",
        "is gone",
    ]
    assert noted == ["script: is back"] * 2
    until(lambda: set(threading.enumerate()) <= before)


def test_more_pictures_than_asked_for_are_left_out_and_counted() -> None:
    class Slowly(Script):
        def read(self, stopping: threading.Event) -> Iterator[Item]:
            for item in super().read(stopping):
                time.sleep(0.01)
                yield item

    pictures = [shown(index / 100) for index in range(50)]
    taken = finished(capture(Slowly(list(pictures)), LiveSettings(rate=10)))
    assert taken.count == 50
    assert 3 <= taken.arrivals.put_count <= 25
    assert taken.arrivals.put_count + taken.excess == taken.count
    assert taken.format.rate == 10


@pytest.mark.parametrize("ends", [True, False])
def test_what_is_sent_in_haste_is_told_of_once_where_it_may_be_a_file(ends: bool) -> None:
    told: list[str] = []
    pictures: list[Item | Exception] = [shown(index / 2) for index in range(1000)]
    source = Script(pictures, ends=ends)
    taken = capture(source, tell=told.append)
    taken.start()
    until(lambda: taken.count == 1000)
    taken.stop(PATIENCE_SECONDS)
    assert sum("ffmpeg -re" in text for text in told) == ends


def heard(stamp: float, samples: int = 4800) -> CapturedAudio:
    return CapturedAudio(np.full((2, samples), stamp, np.float32), stamp)


def test_sound_goes_on_without_overlap_whatever_its_stamps_say() -> None:
    stamps = [0, 0.1, 0.21, 0.29, 0.2, 1.0, 50.0, 50.1]
    taken = finished(capture(Script([shown(0), *(heard(stamp) for stamp in stamps)])))
    sounds = list(taken.sounds)
    for before, after in pairwise(sounds):
        assert after.seconds >= before.seconds + before.samples.shape[1] / 48000 - 1e-9
    assert all(sound.samples.shape[1] for sound in sounds)
