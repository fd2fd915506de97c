"""A thread reads ahead while another writes: the same result, and no output after any error."""

from __future__ import annotations

import threading
from dataclasses import replace
from typing import TYPE_CHECKING

import av
import numpy as np
import pytest

from tests.api.bright import bright_clip, detect_bright
from tracker_blur import Settings
from tracker_blur.api.custom_detector import CustomDetector
from tracker_blur.files.jobs import Job
from tracker_blur.pipeline import Engine
from tracker_blur.tracking import reading_ahead
from tracker_blur.tracking.final_tracks import TrackFinalizer
from tracker_blur.video.writer import VideoWriter

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path
    from typing import Any

    from tracker_blur.core.frame import Image, RedactedFrame
    from tracker_blur.core.report import Report
    from tracker_blur.core.rules import Rules
    from tracker_blur.tracking.final_tracks import Target

FRAMES = 240
SETTINGS = Settings(tracker="none", view_px=320)


@pytest.fixture(scope="module")
def clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return bright_clip(tmp_path_factory.mktemp("clip") / "in.mkv", FRAMES, speed=1)


def engine(
    detect: Callable[[Image], list[Any]] = detect_bright, settings: Settings = SETTINGS
) -> Engine:
    return Engine(settings, CustomDetector(detect))


def ruled_by(rules: dict[str, Any]) -> Rules:
    return replace(SETTINGS, **rules).rules()


def pixels(path: Path) -> list[np.ndarray[Any, np.dtype[Any]]]:
    with av.open(str(path)) as container:
        return [frame.to_ndarray() for frame in container.decode(video=0)]


def assert_nothing_is_left(folder: Path) -> None:
    assert list(folder.iterdir()) == []
    assert not {"decode", "see"} & {thread.name for thread in threading.enumerate()}


def test_all_of_a_scene_decides_where_all_is_read_first(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    calls: list[tuple[int, bool]] = []

    class Spy(TrackFinalizer):
        def __init__(
            self, targets: Sequence[Target], margin_seconds: float, *, by_scene: bool
        ) -> None:
            calls.append((targets[0].every_frames, by_scene))
            super().__init__(targets, margin_seconds, by_scene=by_scene)

    monkeypatch.setattr(reading_ahead, "TrackFinalizer", Spy)
    short = bright_clip(tmp_path / "in.mkv", 12)
    settings = replace(SETTINGS, detect_every_frames=250)
    of_plain = Engine(settings, CustomDetector(detect_bright)).redact_file(
        Job(short, tmp_path / "plain.mkv", "video")
    )
    of_track = Engine(settings, CustomDetector(detect_bright)).track_file(short, "video")
    limited = replace(SETTINGS, min_size=1)
    Engine(limited, CustomDetector(detect_bright)).redact_file(
        Job(short, tmp_path / "limited.mkv", "video")
    )
    assert calls == [(250, False), (250, True), (0, True)]
    assert of_plain.video_tracks is not None
    assert of_track.video_tracks is not None
    (one,), (other,) = of_plain.video_tracks.tracks, of_track.video_tracks.tracks
    assert one.frames.tolist() == other.frames.tolist()
    assert one.boxes.tolist() == other.boxes.tolist()


def test_frames_are_written_while_others_are_read(clip: Path, tmp_path: Path) -> None:
    seen: list[tuple[int, int, int | None]] = []

    def progress(report: Report) -> None:
        seen.append((report.frames, report.first_pass_frames, report.expected_frames))

    report = engine().redact_file(Job(clip, tmp_path / "out.mkv", "video"), progress)
    assert report.passes == 1
    assert [frames for frames, _, _ in seen] == list(range(1, FRAMES + 1))
    assert seen[0][1] < FRAMES
    assert all(ahead >= frames for frames, ahead, _ in seen)
    assert seen[0][2] in {FRAMES, None}


def test_the_result_is_that_of_tracking_first_and_writing_then(clip: Path, tmp_path: Path) -> None:
    at_once = engine().redact_file(Job(clip, tmp_path / "one.mkv", "video"))
    tracked = engine().track_file(clip, "video")
    assert tracked.video_tracks is not None
    rendered = engine().render_file(Job(clip, tmp_path / "two.mkv", "video"), tracked.video_tracks)
    assert at_once.video_tracks is not None
    assert len(at_once.video_tracks.tracks) == len(tracked.video_tracks.tracks) == 1
    for one, other in zip(at_once.video_tracks.tracks, tracked.video_tracks.tracks, strict=True):
        assert np.array_equal(one.frames, other.frames)
        assert np.array_equal(one.boxes, other.boxes)
    assert at_once.track_counts == tracked.track_counts == rendered.track_counts == {"face": 1}
    assert at_once.faces == rendered.faces > 0
    frames = pixels(tmp_path / "one.mkv"), pixels(tmp_path / "two.mkv")
    assert len(frames[0]) == FRAMES
    assert all(np.array_equal(one, other) for one, other in zip(*frames, strict=True))


@pytest.mark.parametrize(
    ("rules", "passes"),
    [
        ({"mute": ("1s..2s",), "bleep": ("3s..",)}, 1),
        ({"hide_zones": ("2s..4s=0,0,40,40",)}, 2),
        ({"from_seconds": 1.0, "to_seconds": 5.0}, 2),
    ],
)
def test_rules_for_frames_need_all_of_them_first_and_those_for_audio_do_not(
    clip: Path, tmp_path: Path, rules: dict[str, Any], passes: int
) -> None:
    ruled = engine(settings=replace(SETTINGS, **rules))
    at_once = ruled.redact_file(Job(clip, tmp_path / "one.mkv", "video"))
    tracked = ruled.track_file(clip, "video")
    assert tracked.video_tracks is not None
    engine().render_file(Job(clip, tmp_path / "two.mkv", "video"), tracked.video_tracks)
    assert at_once.passes == passes
    assert at_once.video_tracks is not None
    assert at_once.video_tracks.rules == tracked.video_tracks.rules == ruled_by(rules)
    frames = pixels(tmp_path / "one.mkv"), pixels(tmp_path / "two.mkv")
    assert len(frames[0]) == FRAMES
    assert all(np.array_equal(one, other) for one, other in zip(*frames, strict=True))


@pytest.mark.parametrize("failing", [3, FRAMES - 2])
def test_an_error_ahead_leaves_no_output(clip: Path, tmp_path: Path, failing: int) -> None:
    calls: list[int] = []

    def detect(image: Image) -> list[Any]:
        calls.append(1)
        if len(calls) >= failing:
            raise RuntimeError("the network fell over")
        return detect_bright(image)

    with pytest.raises(Exception, match="the network fell over"):
        engine(detect).redact_file(Job(clip, tmp_path / "out.mkv", "video"))
    assert_nothing_is_left(tmp_path)


@pytest.mark.parametrize("error", [RuntimeError("disk"), KeyboardInterrupt()])
def test_an_error_behind_leaves_no_output(
    clip: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, error: BaseException
) -> None:
    write, written = VideoWriter.write, []

    def failing(writer: VideoWriter, frame: RedactedFrame) -> None:
        written.append(frame)
        if len(written) == 30:
            raise error
        write(writer, frame)

    monkeypatch.setattr(VideoWriter, "write", failing)
    with pytest.raises(type(error)) as raised:
        engine().redact_file(Job(clip, tmp_path / "out.mkv", "video"))
    assert raised.value is error
    assert_nothing_is_left(tmp_path)
