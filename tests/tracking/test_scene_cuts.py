from __future__ import annotations

from typing import TYPE_CHECKING

import av
import numpy as np
import pytest

from tests.tracking.fakes import PARAMETERS
from tracker_blur.tracking.scene_cuts import Change, CutDetector

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def detector() -> CutDetector:
    return CutDetector(PARAMETERS.scene_cuts)


def cuts(detector: CutDetector, file: Path) -> list[int]:
    """Return the frames that begin a scene, in views of 320 pixels."""
    found = []
    with av.open(str(file)) as container:
        for index, frame in enumerate(container.decode(video=0)):
            view = np.asarray(frame.reformat(320, 180, "bgr24").to_ndarray(), np.uint8)
            if detector.change(view) is not Change.NONE:
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
