"""A face that the detector misses is kept where nothing has changed, and nowhere else."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest

from tests.tracking.fakes import PARAMETERS, SQUARE, ScriptedClassifier, detection
from tracker_blur.core.tracks import Origin
from tracker_blur.tracking.still_faces import StillFaces
from tracker_blur.tracking.track_classifier import TrackClassifier
from tracker_blur.tracking.track_state import TrackState

if TYPE_CHECKING:
    from tracker_blur.core.frame import Image

LIMITS = PARAMETERS.still_faces
FACE_ODDS = PARAMETERS.classification.start_log_odds + 1
STEP_SECONDS = 0.08
NOISE_LEVELS = 3


def scene(seed: int) -> Image:
    """Return a view of coarse patterns, so that noise is weak beside them."""
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


def confirm(track: TrackState, first: Image, views: list[Image]) -> list[bool]:
    """Return in which of the views, each of which the detector misses, the track is confirmed."""
    judge = TrackClassifier(ScriptedClassifier(0.0), PARAMETERS.classification)
    faces = StillFaces(judge, LIMITS)
    last, answers = (first, 0.0), []
    for number, view in enumerate(views, 1):
        seconds = number * STEP_SECONDS
        missed = faces.confirm([track], last, view, seconds)
        answers.append(not missed)
        if missed:
            track.missed_detections += 1
        last = view, seconds
    return answers


def test_a_face_is_kept_while_nothing_but_noise_changes() -> None:
    first, track = scene(1), known()
    views = [noisy(first, seed) for seed in range(20)]
    assert confirm(track, first, views) == [True] * 20
    assert (track.box, track.origin, track.missed_detections) == (SQUARE, Origin.DETECTED, 0)
    assert track.confirmed_seconds == 20 * STEP_SECONDS


def test_what_has_changed_is_missed_until_it_is_as_it_was() -> None:
    first, other = scene(1), scene(2)
    assert confirm(known(), first, [first, other, other, first]) == [True, False, False, True]


def test_what_is_elsewhere_may_change() -> None:
    first, elsewhere = scene(1), scene(2)
    left, top, right, bottom = SQUARE.outward()
    elsewhere[top:bottom, left:right] = first[top:bottom, left:right]
    assert confirm(known(), first, [elsewhere]) == [True]


def test_a_slow_change_adds_up() -> None:
    first, other = scene(1), scene(2)
    views = [
        (first * (1 - share) + other * share).astype(np.uint8) for share in np.linspace(0.05, 1, 20)
    ]
    answers = confirm(known(), first, views)
    assert answers[0]
    assert not any(answers[10:])


def test_what_is_no_face_is_not_kept() -> None:
    assert confirm(known(-1.0), scene(1), [scene(1)]) == [False]


def test_a_flat_surface_says_nothing() -> None:
    flat = np.full_like(scene(1), 90)
    assert confirm(known(), flat, [flat]) == [False]


def test_a_face_is_not_kept_forever() -> None:
    first, track = scene(1), known()
    count = int(LIMITS.max_seconds / STEP_SECONDS)
    answers = confirm(track, first, [first] * (count + 5))
    assert answers[:count] == [True] * count
    assert not any(answers[count + 1 :])


def test_a_detection_makes_what_it_shows_the_measure() -> None:
    first, other, track = scene(1), scene(2), known()
    assert confirm(track, first, [first, other]) == [True, False]
    track.confirm(detection(SQUARE), 0.0)
    assert confirm(track, other, [other]) == [True]


@pytest.mark.parametrize("last", [None, (scene(1), -1.0)])
def test_without_the_view_of_the_detection_nothing_is_known(
    last: tuple[Image, float] | None,
) -> None:
    judge = TrackClassifier(ScriptedClassifier(0.0), PARAMETERS.classification)
    track = known()
    assert StillFaces(judge, LIMITS).confirm([track], last, scene(1), STEP_SECONDS) == [track]
