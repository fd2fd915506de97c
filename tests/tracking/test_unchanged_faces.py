"""A face that the detector misses is kept where nothing has changed, and nowhere else."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import numpy as np
import pytest

from tests.tracking.fakes import (
    PARAMETERS,
    RATE,
    SQUARE,
    ScriptedClassifier,
    ScriptedDetector,
    detection,
)
from tests.tracking.raw_tracks import face_rows, hidden_tracks, raw_tracks, spans
from tracker_blur.core.tracks import Origin
from tracker_blur.tracking.evidence import ClassifiedCrop
from tracker_blur.tracking.online import OnlineTracker
from tracker_blur.tracking.schedule import DetectionSchedule
from tracker_blur.tracking.track_classifier import TrackClassifier
from tracker_blur.tracking.track_state import TrackState
from tracker_blur.tracking.unchanged_faces import UnchangedFaces

if TYPE_CHECKING:
    from tracker_blur.core.frame import Image

CROP_PX = 60.0
LIMITS = PARAMETERS.unchanged_faces
FACE_ODDS = LIMITS.min_log_odds + 1
STEP_SECONDS = 0.08
NOISE_LEVELS = 3


def scene(seed: int) -> Image:
    """Return a view of coarse patterns, so that noise is weak next to them."""
    coarse = np.random.default_rng(seed).integers(0, 256, (30, 40, 3))
    return coarse.repeat(8, 0).repeat(8, 1).astype(np.uint8)


def noisy(image: Image, seed: int) -> Image:
    noise = np.random.default_rng(seed).normal(0, NOISE_LEVELS, image.shape)
    return (image + noise).clip(0, 255).astype(np.uint8)


def known(log_odds: float = FACE_ODDS) -> TrackState:
    """Return the track of a face that was detected at 0 seconds."""
    track = TrackState.started(0, detection(SQUARE), 0.0, PARAMETERS.online)
    track.log_odds = [log_odds] * 3
    return track


def kept(track: TrackState, first: Image, views: list[Image]) -> list[bool]:
    """Return in which of the views, each of which the detector misses, the track is kept."""
    judge = TrackClassifier(ScriptedClassifier(0.0), PARAMETERS.classification)
    faces = UnchangedFaces(judge, LIMITS)
    last, answers = (first, 0.0), []
    for number, view in enumerate(views, 1):
        seconds = number * STEP_SECONDS
        missed = faces.keep([track], last, view, seconds)
        answers.append(not missed)
        last = view, seconds
    return answers


def test_a_face_is_kept_while_nothing_but_noise_changes() -> None:
    first, track = scene(1), known()
    views = [noisy(first, seed) for seed in range(20)]
    assert kept(track, first, views) == [True] * 20
    assert (track.box, track.origin) == (SQUARE, Origin.TRACKED)
    assert (track.confirmed_seconds, track.known_seconds) == (0.0, 20 * STEP_SECONDS)


def test_what_has_changed_is_missed_until_it_is_as_it_was() -> None:
    first, other = scene(1), scene(2)
    assert kept(known(), first, [first, other, other, first]) == [True, False, False, True]


def test_what_is_elsewhere_may_change() -> None:
    first, elsewhere = scene(1), scene(2)
    left, top, right, bottom = SQUARE.outward()
    elsewhere[top:bottom, left:right] = first[top:bottom, left:right]
    assert kept(known(), first, [elsewhere]) == [True]


def test_a_slow_change_adds_up() -> None:
    first, other = scene(1), scene(2)
    views = [
        (first * (1 - share) + other * share).astype(np.uint8) for share in np.linspace(0.02, 1, 20)
    ]
    answers = kept(known(), first, views)
    assert answers[0]
    assert not any(answers[10:])


def test_a_dark_face_that_leaves_is_missed_though_a_bright_window_behind_it_stays() -> None:
    first = np.full((240, 320, 3), 40, np.uint8)
    left, top, right, bottom = SQUARE.outward()
    middle = (left + right) // 2
    first[top:bottom, left:middle] = 210
    without = first.copy()
    face = np.random.default_rng(1).integers(30, 70, (bottom - top, right - middle, 1))
    first[top:bottom, middle:right] = face
    assert kept(known(), first, [first, without]) == [True, False]


def test_a_face_that_leaves_a_flat_backdrop_is_missed() -> None:
    first, backdrop = scene(1), np.full_like(scene(1), 255)
    assert kept(known(), first, [backdrop]) == [False]


@pytest.mark.parametrize(("is_first_pass", "count"), [(True, 30), (False, 0)])
def test_only_the_first_of_two_passes_keeps_faces(is_first_pass: bool, count: int) -> None:
    view, seen = scene(1), 3
    tracker = OnlineTracker(
        ScriptedDetector([[detection(SQUARE)]] * seen),
        0.5,
        None,
        DetectionSchedule(1, RATE, PARAMETERS.schedule),
        0.15,
        time.perf_counter,
        PARAMETERS,
        classifier=ScriptedClassifier(FACE_ODDS),
        hide_all=is_first_pass,
    )
    steps = [tracker.step(view, index / RATE) for index in range(seen + 30)]
    origins = [face.origin for step in steps[seen:] for face in step.faces]
    assert origins.count(Origin.TRACKED) == count


def test_what_is_kept_is_hidden_though_no_detection_is_near() -> None:
    rows = face_rows(range(10)) + face_rows(range(10, 60), origin=Origin.TRACKED)
    raw = raw_tracks(rows)
    assert spans(hidden_tracks(raw)) != [(0, 59)]
    raw.evidence.add(ClassifiedCrop(0, FACE_ODDS, CROP_PX))
    assert spans(hidden_tracks(raw)) == [(0, 59)]


def test_what_is_no_face_is_not_kept() -> None:
    assert kept(known(LIMITS.min_log_odds - 1), scene(1), [scene(1)]) == [False]


def test_a_flat_surface_says_nothing() -> None:
    flat = np.full_like(scene(1), 90)
    assert kept(known(), flat, [flat]) == [False]


def test_a_face_is_not_kept_forever() -> None:
    first, track = scene(1), known()
    count = int(LIMITS.max_seconds / STEP_SECONDS)
    answers = kept(track, first, [first] * (count + 5))
    assert answers[:count] == [True] * count
    assert not any(answers[count + 1 :])


def test_a_detection_makes_what_it_shows_the_measure() -> None:
    first, other, track = scene(1), scene(2), known()
    assert kept(track, first, [first, other]) == [True, False]
    track.confirm(detection(SQUARE), 0.0)
    assert kept(track, other, [other]) == [True]


@pytest.mark.parametrize("last", [None, (scene(1), -1.0)])
def test_without_the_view_of_the_detection_nothing_is_known(
    last: tuple[Image, float] | None,
) -> None:
    judge = TrackClassifier(ScriptedClassifier(0.0), PARAMETERS.classification)
    track = known()
    assert UnchangedFaces(judge, LIMITS).keep([track], last, scene(1), STEP_SECONDS) == [track]
