from __future__ import annotations

from typing import TYPE_CHECKING

import av
import cv2
import numpy as np
import pytest

from tests.tracking.fakes import PARAMETERS
from tracker_blur.tracking.scene_cuts import Change, CutDetector

if TYPE_CHECKING:
    from pathlib import Path

    import numpy.typing as npt


@pytest.fixture
def detector() -> CutDetector:
    return CutDetector(PARAMETERS.scene_cuts)


def cuts(detector: CutDetector, file: Path) -> list[int]:
    """Return the frames that begin a scene, in views of 320 pixels."""
    found = []
    with av.open(str(file)) as container:
        for index, frame in enumerate(container.decode(video=0)):
            view = np.asarray(frame.reformat(320, 180, "bgr24").to_ndarray(), np.uint8)
            if detector.change(view).is_cut:
                found.append(index)
    return found


@pytest.mark.shared
def test_the_hard_cuts_of_a_real_montage_are_detected(detector: CutDetector, shared: Path) -> None:
    assert cuts(detector, shared / "videos" / "montage_cuts.mp4") == [0, 36, 77, 137]


@pytest.mark.shared
@pytest.mark.parametrize(
    "clip",
    [
        pytest.param("walkers_1080p.mp4", marks=pytest.mark.slow),
        "dancer.mp4",
        "runner_portrait.mp4",
        "signer.mkv",
    ],
)
def test_motion_in_real_clips_is_no_cut(detector: CutDetector, shared: Path, clip: str) -> None:
    assert cuts(detector, shared / "videos" / clip) == [0]


def test_a_still_scene_has_no_cut_after_its_start(detector: CutDetector) -> None:
    image = np.random.default_rng(1).integers(0, 256, (90, 160, 3), np.uint8)
    assert [detector.change(image) for _ in range(5)] == [Change.CUT] + 4 * [Change.NONE]


def test_a_flash_is_a_cut_and_a_return(detector: CutDetector) -> None:
    black, white = np.zeros((90, 160, 3), np.uint8), np.full((90, 160, 3), 255, np.uint8)
    changes = [detector.change(image) for image in (black, black, white, black)]
    assert changes == [Change.CUT, Change.NONE, Change.CUT, Change.RETURN]


def shaken(steps: int, shift: int) -> list[npt.NDArray[np.uint8]]:
    """Return views of one place, of which each is shifted against the one before."""
    place = np.random.default_rng(1).integers(0, 256, (9, 40, 3), np.uint8)
    wide = cv2.resize(place, (400, 90), interpolation=cv2.INTER_CUBIC)
    return [np.asarray(wide[:, x : x + 160], np.uint8) for x in range(0, steps * shift, shift)]


def test_a_jerk_of_the_camera_is_no_cut(detector: CutDetector) -> None:
    still, moved = shaken(2, 30)
    changes = [detector.change(image) for image in (still, still, moved, moved, still)]
    assert changes == [Change.CUT, Change.NONE, Change.JERK, Change.NONE, Change.JERK]
    assert not Change.JERK.is_cut


def test_a_jerk_out_of_what_was_seen_is_a_cut(detector: CutDetector) -> None:
    first, *_, last = shaken(8, 30)
    assert [detector.change(image) for image in (first, last)] == [Change.CUT, Change.CUT]


@pytest.mark.shared
def test_a_hand_held_camera_makes_no_cuts(detector: CutDetector, shared: Path) -> None:
    assert cuts(detector, shared / "videos" / "hard" / "armwrestle.mp4") == [0]


@pytest.mark.parametrize("light", [0, 255])
def test_a_flash_through_which_the_scene_still_shows_is_a_cut_and_a_return(
    detector: CutDetector, light: int
) -> None:
    (place,) = shaken(1, 30)
    washed = np.asarray(light + 0.05 * (place.astype(float) - light), np.uint8)
    changes = [detector.change(image) for image in (place, place, washed, place)]
    assert changes == [Change.CUT, Change.NONE, Change.CUT, Change.RETURN]


def test_a_cut_after_a_jerk_is_one(detector: CutDetector) -> None:
    still, moved = shaken(2, 30)
    other = np.asarray(
        255 - cv2.rotate(cv2.resize(still, (90, 160)), cv2.ROTATE_90_CLOCKWISE), np.uint8
    )
    changes = [detector.change(image) for image in (still, still, moved, other)]
    assert changes == [Change.CUT, Change.NONE, Change.JERK, Change.CUT]
