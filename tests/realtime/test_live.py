"""`tracker_blur.live` in a caller's loop."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any

import pytest

import tracker_blur
from tests.waiting import until
from tracker_blur import Controls, LiveSettings, Settings, SourceError

if TYPE_CHECKING:
    from pathlib import Path

PATIENT = LiveSettings(watchdog_seconds=60)  # on a busy machine, detection is late


@pytest.mark.slow
@pytest.mark.shared
def test_frames_come_until_the_source_ends(shared: Path) -> None:
    clip = shared / "videos" / "two_heads.mp4"
    settings = Settings(models_folder=shared / "models", detect_every_frames="auto")
    shapes = [image.shape for image in tracker_blur.live(clip, settings, PATIENT, realtime=True)]
    assert len(shapes) > 5  # as many as this machine has time for
    assert set(shapes) == {(270, 480, 3)}


@pytest.mark.slow
@pytest.mark.shared
def test_closing_the_iterator_ends_all_threads(shared: Path) -> None:
    clip = shared / "videos" / "two_heads.mp4"
    settings = Settings(models_folder=shared / "models")
    before = threading.active_count()
    images = tracker_blur.live(clip, settings, PATIENT, realtime=True)
    next(images)
    images.close()
    ours = {"capture", "analyzer", "output", "session"}
    until(lambda: not ours & {thread.name for thread in threading.enumerate()})
    until(lambda: threading.active_count() <= before + 2)  # the trackers' pool, until collected


def test_failures_are_raised_in_the_loop(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match="no such file"):
        next(tracker_blur.live(tmp_path / "none.mp4", realtime=True))


@pytest.mark.slow
@pytest.mark.shared
@pytest.mark.parametrize("name", ["warn", "tell"])
def test_news_is_reported(shared: Path, tmp_path: Path, name: str) -> None:
    texts: list[str] = []
    controls = Controls(["solid"])
    controls.save_still()
    report: dict[str, Any] = {name: texts.append}
    images = tracker_blur.live(
        shared / "videos" / "two_heads.mp4",
        Settings(models_folder=shared / "models"),
        LiveSettings(hide_all=True, stills_folder=tmp_path),
        realtime=True,
        controls=controls,
        **report,
    )
    for _ in images:
        if texts:
            break
    assert len(texts) == 1
    assert texts[0].endswith(".png: saved")


@pytest.mark.slow
@pytest.mark.shared
def test_all_can_be_hidden(shared: Path) -> None:
    images = tracker_blur.live(
        shared / "videos" / "two_heads.mp4",
        Settings(models_folder=shared / "models"),
        LiveSettings(hide_all=True),
        realtime=True,
    )
    image = next(images)
    images.close()
    assert len({tuple(pixel) for pixel in image.reshape(-1, 3).tolist()}) <= 40


def test_the_function_stays_callable_when_its_module_is_imported() -> None:
    import tracker_blur.realtime.live
    from tracker_blur import live

    assert callable(live)
    assert callable(tracker_blur.live)
