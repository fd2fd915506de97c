"""The small parts: places, clocks, the guard, losses, effort, controls."""

from __future__ import annotations

import itertools
import os
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.waiting import PATIENCE_SECONDS
from tracker_blur import Settings
from tracker_blur.core.box import Box
from tracker_blur.core.tracks import Face, Origin
from tracker_blur.errors import SettingsError
from tracker_blur.realtime.analyzer import Effort, LossDetector, ObservedTracker
from tracker_blur.realtime.capture import SessionClock
from tracker_blur.realtime.child_process import StderrTail
from tracker_blur.realtime.controls import Controls
from tracker_blur.realtime.handoff import Backoff, Latest
from tracker_blur.realtime.output import Situation, reason_to_cover
from tracker_blur.realtime.settings import LiveSettings
from tracker_blur.realtime.sources import open_source
from tracker_blur.realtime.status import Status
from tracker_blur.tracking.online import Step
from tracker_blur.tracking.scene_cuts import Change

SIZE = (320, 180)
MIDDLE = Box.from_xywh(140, 70, 40, 40)


def test_the_newest_wins_and_what_was_replaced_is_counted() -> None:
    place: Latest[int] = Latest()
    for number in range(5):
        place.put(number)
    assert place.take() == 4
    assert place.take(0) is None
    assert (place.put_count, place.dropped_count) == (5, 4)


def test_closing_lets_nobody_wait_and_loses_nothing() -> None:
    place: Latest[int] = Latest()
    taken: list[int | None] = []
    waiting = threading.Thread(target=lambda: taken.append(place.take()))
    waiting.start()
    place.close()
    waiting.join(PATIENCE_SECONDS)
    assert taken == [None]
    place.put(1)
    assert place.take() == 1


@given(
    st.lists(
        st.tuples(
            st.floats(0, 0.2),
            st.one_of(st.none(), st.floats(-1e6, 1e6), st.just(0.0)),
        )
    )
)
def test_times_of_pictures_only_rise_and_stay_near_the_truth(
    arrivals: list[tuple[float, float | None]],
) -> None:
    clock, now, last = SessionClock(), 0.0, -1.0
    for count, (wait, stamp) in enumerate(arrivals):
        now += wait
        seconds = clock.picture_seconds(stamp, now)
        assert seconds > last
        assert now - 1.001 <= seconds <= now + 0.001 * (count + 1) + 1e-6
        last = seconds


def test_jitter_on_the_way_does_not_move_times() -> None:
    clock = SessionClock()
    late = [0.0, 0.02, 0.0, 0.05, 0.01, 0.03]
    times = [
        clock.picture_seconds(90 + index / 25, index / 25 + wait) for index, wait in enumerate(late)
    ]
    steps = [after - before for before, after in itertools.pairwise(times)]
    assert steps == pytest.approx([0.04] * 5)


SAFE = {
    "hide_all": False,
    "has_source": True,
    "failure": "",
    "look_age": 0.5,
    "is_face_lost": False,
}


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({}, None),
        ({"hide_all": True}, "on request"),
        ({"has_source": False}, "source gives nothing"),
        ({"failure": "looking failed"}, "looking failed"),
        ({"look_age": None}, "looked at yet"),
        ({"look_age": 1.1}, "late"),
        ({"is_face_lost": True}, "lost"),
    ],
)
def test_the_guard_hides_all_in_every_doubt(change: dict[str, object], reason: str | None) -> None:
    situation = Situation(**{**SAFE, **change})  # type: ignore[arg-type]  # any of them
    given_reason = reason_to_cover(situation, 1.0)
    assert (given_reason is None) == (reason is None)
    assert reason is None or reason in (given_reason or "")


def step(*faces: Face, change: Change = Change.NONE) -> Step:
    return Step(faces, change, is_detection_frame=True)


def found(box: Box = MIDDLE, track_id: int = 0, score: float = 0.9) -> Face:
    return Face(track_id, box, score, Origin.DETECTED)


def held(box: Box = MIDDLE, track_id: int = 0) -> Face:
    return Face(track_id, box, 0.9, Origin.HELD)


def test_a_face_that_vanishes_in_the_middle_is_lost_until_it_is_found() -> None:
    losses = LossDetector(0.5)
    for _ in range(6):
        assert not losses.step(step(found()), SIZE)
    assert losses.step(step(held()), SIZE) == {0}
    assert losses.step(step(held()), SIZE) == {0}
    assert not losses.step(step(found()), SIZE)
    assert not losses.step(step(), SIZE)  # given up after a while


@pytest.mark.parametrize(
    ("score", "others", "box", "change"),
    [
        (0.4, (), MIDDLE, Change.NONE),  # never surely found
        (0.9, (), Box.from_xywh(5, 70, 40, 40), Change.NONE),  # left over the border
        (0.9, (found(MIDDLE.moved(20, 0), 1),), MIDDLE, Change.NONE),  # behind another
        (0.9, (), MIDDLE, Change.CUT),
    ],
)
def test_a_loss_with_an_explanation_is_none(
    score: float, others: tuple[Face, ...], box: Box, change: Change
) -> None:
    losses = LossDetector(0.5)
    for _ in range(6):
        losses.step(step(found(box, score=score)), SIZE)
    assert not losses.step(step(held(box), *others, change=change), SIZE)


def test_a_loss_stays_one_when_the_view_changes_its_size() -> None:
    losses = LossDetector(0.5)
    for _ in range(6):
        losses.step(step(found()), SIZE)
    assert losses.step(step(held(MIDDLE.scaled(0.5, 0.5))), (160, 90)) == {0}
    assert losses.step(step(held(MIDDLE.scaled(2, 2))), (640, 360)) == {0}


def test_a_face_that_vanishes_in_a_flash_of_light_is_lost() -> None:
    losses = LossDetector(0.5)
    for _ in range(6):
        losses.step(step(found()), SIZE)
    assert not losses.step(step(change=Change.CUT), SIZE)
    assert not losses.step(step(), SIZE)
    assert losses.step(step(held(), change=Change.RETURN), SIZE) == {0}
    assert losses.step(step(held()), SIZE) == {0}


def test_a_face_seen_but_a_few_times_may_go() -> None:
    losses = LossDetector(0.5)
    for _ in range(3):
        losses.step(step(found()), SIZE)
    assert not losses.step(step(held()), SIZE)


def test_a_loss_is_forgiven_in_frames_that_wait_when_the_face_is_found_again() -> None:
    class Script:
        def __init__(self) -> None:
            self.steps = [*[step(found())] * 6, step(held()), step(held()), step(found())]

        def step(self, image: object, seconds: float) -> Step:
            return self.steps.pop(0)

    import numpy as np

    image = np.zeros((180, 320, 3), np.uint8)
    looks: list[int] = []
    waiting, prompt = (ObservedTracker(Script(), 0.5, lambda: looks.append(1)) for _ in range(2))
    lost = []
    for index in range(9):
        waiting.step(image, index / 25)
        prompt.step(image, index / 25)
        lost.append(prompt.is_face_lost())
    assert lost == [False] * 6 + [True, True, False]
    assert not any(waiting.is_face_lost() for _ in range(9))
    assert len(looks) == 18


def test_the_view_shrinks_under_load_and_grows_again() -> None:
    effort = Effort(640, 0.04)
    for _ in range(200):
        effort.spent(0.1)
    assert effort.view_px == 320
    for _ in range(200):
        effort.spent(0.001)
    assert effort.view_px == 640
    for _ in range(200):
        effort.spent(0.03)
    assert effort.view_px == 640


def test_pauses_grow_to_a_limit_and_start_anew_after_a_good_while() -> None:
    pauses = Backoff()
    grown = [pauses.next_after(0) for _ in range(10)]
    assert grown == sorted(grown)
    assert grown[0] < 1 < grown[-1] <= 10
    assert pauses.next_after(60) == grown[0]


def test_a_line_says_how_it_fares() -> None:
    fares = Status(state="live", rate=29.97, delay_median_ms=31.2, faces=1, dropped=3)
    assert fares.line == "live | 30.0 fps | 31 ms | 1 face | 3 dropped"
    fares = Status(state="covered", reason="all is hidden on request", faces=2)
    assert fares.line.startswith("covered: all is hidden on request | 0.0 fps | 0 ms | 2 faces")


def test_a_program_that_talks_without_end_fills_no_disk() -> None:
    said = StderrTail()
    talk = "i=0; while [ $i -lt 300 ]; do printf '%08192d\\n' $i >&2; i=$((i+1)); read -r _; done"
    with subprocess.Popen(
        ["sh", "-c", talk], stdin=subprocess.PIPE, stderr=said.fileno(), bufsize=0
    ) as program:
        assert program.stdin is not None
        for _ in range(300):
            said.forget()
            assert os.fstat(said.fileno()).st_size < 1.1 * 2**20
            program.stdin.write(b"\n")
    assert said.lines()[-1].endswith("0299")
    said.close()


def test_controls_do_what_keys_mean() -> None:
    controls = Controls(["pixelated", "solid"])
    settings = Settings()
    assert controls.control_state.applied(settings) == settings
    controls.next_method()
    controls.stronger()
    controls.save_still()
    controls.hide_all()
    control_state = controls.control_state
    assert control_state.applied(settings).method == "solid"
    assert control_state.applied(settings).blocks < settings.blocks
    assert control_state.applied(settings).padding_ratio > settings.padding_ratio
    assert (control_state.hide_all, control_state.stills) == (True, 1)
    controls.next_method()
    for _ in range(100):
        controls.weaker()
    weak = controls.control_state.applied(settings)
    assert (weak.method, weak.padding_ratio) == ("pixelated", settings.padding_ratio)
    for _ in range(100):
        controls.stronger()
    assert controls.control_state.applied(settings).blocks == 1
    assert not controls.is_over
    controls.quit()
    assert controls.is_over
    assert controls.wait(10)


def test_a_signal_may_come_at_any_point_of_waiting() -> None:
    def wait(number: int) -> None:
        """Wait, and quit at the point of this number, within the thread, as a handler does."""
        points, controls = iter(range(number)), Controls(["solid"])

        def handle(frame: object, event: str, argument: object, /) -> object:
            if next(points, None) is None:
                controls.quit()
            return handle

        before = sys.gettrace()
        sys.settrace(handle)
        controls.wait(0.01)
        sys.settrace(before)
        controls.quit()
        assert controls.wait(PATIENCE_SECONDS)
        passed.append(number)

    passed: list[int] = []
    for number in range(60):
        waiting = threading.Thread(target=wait, args=(number,), daemon=True)
        waiting.start()
        waiting.join(PATIENCE_SECONDS)
        assert passed[-1:] == [number]


def test_what_may_be_no_wish_uncovers_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    now = [100.0]
    monkeypatch.setattr(time, "monotonic", lambda: now[0])
    controls = Controls(["solid"])
    controls.press_hide()
    for _ in range(10):  # a key that is held, or many a click
        now[0] += 0.7
        controls.press_hide()
        controls.press_show()
        assert controls.control_state.hide_all
    now[0] += 0.9
    controls.press_hide()
    assert not controls.control_state.hide_all
    controls.hide_all()
    controls.show()  # a program knows what it does
    assert not controls.control_state.hide_all
    controls = Controls(["solid"], hide_all=True)
    controls.press_show()
    assert not controls.control_state.hide_all


@pytest.mark.parametrize(
    "wrong",
    [
        {"size": (1, 100)},
        {"rate": 0.0},
        {"rate": float("nan")},
        {"timeout_seconds": 0.0},
        {"watchdog_seconds": float("inf")},
        {"transport": "pigeon"},
        {"segment_minutes": -1.0},
        {"token": ""},
    ],
)
def test_live_settings_that_make_no_sense_are_refused(wrong: dict[str, object]) -> None:
    with pytest.raises(SettingsError):
        LiveSettings(**wrong)  # type: ignore[arg-type]  # wrong on purpose


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("0", "camera"),
        ("/dev/video2", "camera"),
        ("rtsp://user:secret@host/1", "address"),
        ("-", "standard_input"),
    ],
)
def test_a_source_is_known_by_its_word(text: str, kind: str) -> None:
    source = open_source(text, LiveSettings())
    assert type(source).__module__.endswith(kind)
    assert "secret" not in source.name


def test_a_file_needs_realtime(tmp_path: Path) -> None:
    clip = tmp_path / "clip.mp4"
    with pytest.raises(SettingsError, match="no such file"):
        open_source(str(clip), LiveSettings())
    clip.touch()
    with pytest.raises(SettingsError, match="--realtime"):
        open_source(str(clip), LiveSettings())
    with pytest.raises(SettingsError, match="no source"):
        open_source("nonsense", LiveSettings())


def test_an_unknown_protocol_is_refused_without_its_secrets() -> None:
    with pytest.raises(SettingsError, match="no protocol") as refused:
        open_source("gopher://me:secret@host", LiveSettings())
    assert "secret" not in str(refused.value)
