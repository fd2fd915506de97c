from __future__ import annotations

from pathlib import Path

import av
import numpy as np
import pytest

from tracker_blur.tracking.scene_cuts import Change, CutDetector


def cuts(file: Path) -> list[int]:
    """Return the frames that begin a scene, seen at 320 pixels."""
    detector = CutDetector()
    with av.open(str(file)) as container:
        return [
            index
            for index, frame in enumerate(container.decode(video=0))
            if detector.change(frame.reformat(320, 180, "bgr24").to_ndarray()) is not Change.NONE
        ]


@pytest.mark.shared
def test_finds_the_hard_cuts_of_a_real_montage(shared: Path) -> None:
    assert cuts(shared / "videos" / "montage_cuts.mp4") == [0, 36, 77, 137]


@pytest.mark.shared
@pytest.mark.parametrize(
    "clip", ["walkers_1080p.mp4", "dancer.mp4", "runner_portrait.mp4", "signer.mkv"]
)
def test_motion_in_real_clips_is_no_cut(shared: Path, clip: str) -> None:
    assert cuts(shared / "videos" / clip) == [0]


def test_a_still_picture_has_no_cut_after_its_start() -> None:
    detector = CutDetector()
    picture = np.random.default_rng(1).integers(0, 256, (90, 160, 3), np.uint8)
    assert [detector.change(picture) for _ in range(5)] == [Change.CUT] + 4 * [Change.NONE]


def test_a_flash_is_a_cut_and_a_return() -> None:
    detector = CutDetector()
    black, white = np.zeros((90, 160, 3), np.uint8), np.full((90, 160, 3), 255, np.uint8)
    changes = [detector.change(picture) for picture in (black, black, white, black)]
    assert changes == [Change.CUT, Change.NONE, Change.CUT, Change.RETURN]
