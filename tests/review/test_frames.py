"""A requested frame is the right one, comes soon, and takes bounded memory."""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING

import numpy as np
import pytest

from tests.image_files import noise, save_image
from tests.review.samples import FRAMES, write_video
from tests.video.rewriting import read_frames
from tests.waiting import PATIENCE_SECONDS
from tracker_blur.core.tracks import Tracks
from tracker_blur.errors import SourceError
from tracker_blur.files.identity import FileIdentity
from tracker_blur.images.reader import ImageReader
from tracker_blur.review.frame_runs import FrameRuns
from tracker_blur.review.frame_sources import frame_source
from tracker_blur.review.frames import FrameStore, OvertakenError
from tracker_blur.video.seeking import AbandonedError

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tracker_blur.review.frame_sources import FrameRun, KeptFrame
    from tracker_blur.video.frame import DecodedFrame


@pytest.fixture(scope="module")
def video(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_video(tmp_path_factory.mktemp("frames") / "clip.mp4")


@pytest.fixture(scope="module")
def frames(video: Path) -> list[DecodedFrame]:
    return read_frames(video)


class Slow:
    """The frames of a list, each decoded from every tenth one on, and counted."""

    def __init__(self, frames: list[DecodedFrame]) -> None:
        self.frames_ = frames
        self.decoded: list[int] = []
        self.gate = threading.Semaphore(0)
        self.is_open = True
        self.is_prepared = threading.Event()
        self.is_prepared.set()
        self.begun = 0

    def prepare(self) -> None:
        assert self.is_prepared.wait(PATIENCE_SECONDS)

    def start_of(self, number: int) -> int:
        return number // 10 * 10

    def frames(self, first: int, is_wanted: Callable[[], bool]) -> FrameRun:
        wanted = first
        self.begun += 1
        for number in range(self.start_of(first), len(self.frames_)):
            if not self.is_open:
                self.gate.acquire()
            self.decoded.append(number)
            if number >= wanted:
                sent = yield self.frames_[number]
                wanted = number + 1 if sent is None else sent
            elif not is_wanted():
                raise AbandonedError


def store_of(frames: list[DecodedFrame], **options: int) -> tuple[FrameStore, Slow]:
    source = Slow(frames)
    times = np.array([frame.pts for frame in frames], np.int64)
    return FrameStore(source, times, "clip.mp4", **options), source


def wait_until(condition: Callable[[], bool]) -> None:
    end = time.monotonic() + PATIENCE_SECONDS
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.001)


def luma(frame: KeptFrame) -> bytes:
    return frame.planes()[0].samples.tobytes()


def test_frames_of_a_video_are_exact_in_any_order(video: Path, frames: list[DecodedFrame]) -> None:
    times = np.array([frame.pts for frame in frames], np.int64)
    tracks = Tracks(frames[0].size, frames[0].time_base, times)
    store = FrameStore(
        frame_source(FileIdentity.of(video), tracks, partial=False), times, str(video)
    )
    try:
        for seq, number in enumerate((0, 1, 39, 38, 37, 5, 20, 21, 22, 19, 0)):
            frame = store.frame(number, "window", seq)
            assert (frame.index, frame.pts) == (number, frames[number].pts)
            assert luma(frame) == luma(frames[number])
            frame.planes()[0].samples[...] = 0  # the caller may write into it
            assert luma(store.frame(number)) == luma(frames[number])
    finally:
        store.close()


def test_an_image_is_one_frame(tmp_path: Path) -> None:
    path = save_image(noise(30, 40, 3), tmp_path / "image.png")
    with ImageReader(path) as reader:
        (expected,) = list(reader)
    times = np.array([expected.pts], np.int64)
    tracks = Tracks(expected.size, expected.time_base, times)
    store = FrameStore(frame_source(FileIdentity.of(path), tracks, partial=False), times, str(path))
    try:
        assert luma(store.frame(0)) == luma(expected)
        with pytest.raises(IndexError):
            store.frame(1)
    finally:
        store.close()


def test_memory_is_bounded_and_the_frames_seen_last_stay(frames: list[DecodedFrame]) -> None:
    size = frames[0].size_bytes
    store, source = store_of(frames, max_bytes=6 * size)
    try:
        for number in range(FRAMES):
            store.frame(number, "window", number)
            assert store._bytes <= 6 * size
        wait_until(lambda: len(source.decoded) >= FRAMES)
        count = len(source.decoded)
        store.frame(FRAMES - 2, "window", FRAMES)
        assert len(source.decoded) == count
    finally:
        store.close()


@pytest.mark.parametrize(("path", "ahead"), [((20, 21), range(22, 40)), ((29, 28), range(20, 28))])
def test_frames_ahead_are_decoded_in_the_direction_of_travel(
    path: tuple[int, int], ahead: range, frames: list[DecodedFrame]
) -> None:
    store, source = store_of(frames)
    try:
        for seq, number in enumerate(path):
            store.frame(number, "window", seq)
        wait_until(lambda: set(ahead) <= set(source.decoded))
        count = len(source.decoded)
        for number in ahead if path[0] < path[1] else reversed(ahead):
            assert store.frame(number).index == number
        assert len(source.decoded) == count or path[0] > path[1]
    finally:
        store.close()


def test_frames_that_are_expected_are_decoded_meanwhile(frames: list[DecodedFrame]) -> None:
    store, source = store_of(frames)
    try:
        store.frame(0, "window", 1)
        store.expect([37, 33])
        wait_until(lambda: {33, 37} <= set(source.decoded))
        wait_until(lambda: set(range(25)) <= set(source.decoded))
        count = len(source.decoded)
        assert store.frame(37).index == 37
        assert len(source.decoded) == count
    finally:
        store.close()


def test_a_newer_request_of_the_same_window_overtakes_an_older_one(
    frames: list[DecodedFrame],
) -> None:
    store, source = store_of(frames)
    source.is_open = False
    outcomes: dict[int, object] = {}

    def ask(number: int, seq: int) -> None:
        try:
            outcomes[seq] = store.frame(number, "window", seq).index
        except OvertakenError:
            outcomes[seq] = "overtaken"

    first = threading.Thread(target=ask, args=(19, 1))
    first.start()
    source.gate.release()
    wait_until(lambda: bool(source.decoded))
    second = threading.Thread(target=ask, args=(35, 2))
    second.start()
    first.join(PATIENCE_SECONDS)
    assert outcomes == {1: "overtaken"}  # at once, while the source still decodes for it
    ask(11, 1)  # it arrives late
    assert outcomes[1] == "overtaken"
    source.is_open = True
    source.gate.release(FRAMES)
    second.join(PATIENCE_SECONDS)
    assert outcomes[2] == 35
    assert 19 not in source.decoded[:19]  # given up on the way
    store.close()


def test_windows_do_not_overtake_each_other(frames: list[DecodedFrame]) -> None:
    store, _ = store_of(frames)
    try:
        assert store.frame(5, "one", 9).index == 5
        assert store.frame(7, "other", 1).index == 7
        assert store.frame(8).index == 8
    finally:
        store.close()


def test_frames_of_another_video_are_an_error(frames: list[DecodedFrame]) -> None:
    times = np.array([frame.pts for frame in frames], np.int64)
    for other in (times + 1, np.append(times, times[-1] + 1)):
        store = FrameStore(Slow(frames), other, "clip.mp4")
        try:
            with pytest.raises(SourceError, match="are not those of the tracks"):
                store.frame(len(other) - 1)
        finally:
            store.close()


def test_what_fails_while_frames_are_prepared_is_reported_and_ends_nothing(
    frames: list[DecodedFrame], monkeypatch: pytest.MonkeyPatch
) -> None:
    store, source = store_of(frames)

    def fail() -> None:
        raise SourceError("clip.mp4: is gone")

    monkeypatch.setattr(source, "prepare", fail)
    try:
        assert store.frame(0, "window", 1).index == 0
        wait_until(lambda: store._is_prepared)
        assert store.frame(39, "window", 2).index == 39
    finally:
        store.close()


def test_steps_wait_for_no_list_of_packets(
    frames: list[DecodedFrame], monkeypatch: pytest.MonkeyPatch
) -> None:
    """That of an hour takes a second, and a crop that needs it is requested at once."""
    monkeypatch.setattr("tracker_blur.review.frames._AHEAD", 4)  # so that the last frame is far
    store, source = store_of(frames)
    source.is_prepared.clear()
    crops: list[int] = []
    try:
        assert store.frame(0, "window", 1).index == 0
        crop = threading.Thread(target=lambda: crops.append(store.frame(39).index))
        crop.start()
        for number in range(1, 9):
            assert store.frame(number, "window", number + 1).index == number
        assert crops == []
        source.is_prepared.set()
        crop.join(PATIENCE_SECONDS)
        assert crops == [39]
    finally:
        source.is_prepared.set()
        store.close()


def test_decoding_continues_from_the_places_that_were_left(frames: list[DecodedFrame]) -> None:
    times = np.array([frame.pts for frame in frames], np.int64)
    source = Slow(frames)
    runs = FrameRuns(source)

    def go(number: int) -> None:
        assert runs.start(number, number, lambda: True, is_asked=True) == number
        frame = runs.frame(number)
        assert frame is not None
        assert frame.pts == times[number]

    for number in (10, 20, 11, 21, 13, 29):
        go(number)
    assert (source.begun, len(source.decoded)) == (2, 14)
    go(12)  # behind both: from the key frame
    assert (source.begun, len(source.decoded)) == (3, 17)
    go(30)
    assert source.begun == 3
    runs.close()


def test_frames_that_were_forgotten_are_decoded_again(frames: list[DecodedFrame]) -> None:
    store, _ = store_of(frames)
    try:
        store.frame(5, "window", 1)
        store.forget()
        assert store.frame(5, "window", 2).index == 5
        assert store._bytes > 0
    finally:
        store.close()


def test_no_one_waits_for_a_store_that_is_closed(frames: list[DecodedFrame]) -> None:
    store, _ = store_of(frames)
    store.close()
    with pytest.raises(OvertakenError):
        store.frame(3)
