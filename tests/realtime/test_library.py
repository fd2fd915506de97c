"""`tracker_blur.live` in a loop of one's own."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest

import tracker_blur
from tests.waiting import until
from tracker_blur import LiveSettings, Settings, SourceError

pytestmark = pytest.mark.shared
PATIENT = LiveSettings(watchdog_seconds=60)  # a busy machine looks late


def test_pictures_come_until_the_source_ends(shared: Path) -> None:
    clip = shared / "videos" / "two_heads.mp4"
    settings = Settings(models_folder=shared / "models", detect_every_frames="auto")
    shapes = [image.shape for image in tracker_blur.live(clip, settings, PATIENT, realtime=True)]
    assert len(shapes) > 5  # as many as this machine has time for
    assert set(shapes) == {(270, 480, 3)}


def test_leaving_the_loop_ends_all(shared: Path) -> None:
    clip = shared / "videos" / "two_heads.mp4"
    settings = Settings(models_folder=shared / "models")
    before = threading.active_count()
    pictures = tracker_blur.live(clip, settings, PATIENT, realtime=True)
    next(pictures)
    pictures.close()
    ours = {"intake", "watcher", "outlet", "session"}
    until(lambda: not ours & {thread.name for thread in threading.enumerate()})
    until(lambda: threading.active_count() <= before + 2)  # the trackers' pool, until collected


def test_what_fails_is_raised_in_the_loop(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match="no such file"):
        next(tracker_blur.live(tmp_path / "none.mp4", realtime=True))


def test_all_may_be_hidden_meanwhile(shared: Path) -> None:
    clip = shared / "videos" / "two_heads.mp4"
    pictures = tracker_blur.live(
        clip,
        Settings(models_folder=shared / "models"),
        LiveSettings(hide_all=True),
        realtime=True,
    )
    image = next(pictures)
    pictures.close()
    assert len({tuple(pixel) for pixel in image.reshape(-1, 3).tolist()}) <= 40


def test_the_name_can_be_called_however_it_is_imported() -> None:
    import tracker_blur.realtime.session
    from tracker_blur import live

    assert callable(live)
    assert callable(tracker_blur.live)
