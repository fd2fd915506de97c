"""Haar and LBP cascades: reading their files, and scores from votes."""

from __future__ import annotations

from pathlib import Path

import av
import cv2.data
import numpy as np
import pytest

from tests.detectors.face_images import best_iou
from tracker_blur.core.box import Box
from tracker_blur.detectors._cascades import Cascade, read_cascade, to_gray
from tracker_blur.detectors.haar import Haar
from tracker_blur.errors import ModelError

FRONTAL = Path(cv2.data.haarcascades, "haarcascade_frontalface_alt2.xml")


@pytest.mark.parametrize(
    "content", [b"", b"hello", b"<opencv_storage></opencv_storage>", b"\xff\xfe\x00", None]
)
def test_a_damaged_cascade_file_is_a_model_error(content: bytes | None, tmp_path: Path) -> None:
    path = tmp_path / "cascade.xml"
    path.write_bytes(FRONTAL.read_bytes()[:100_000] if content is None else content)
    with pytest.raises(ModelError, match=r"cascade\.xml.*choose another detector"):
        read_cascade(path)


def test_a_missing_cascade_file_is_a_model_error(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="haarcascade_frontalface_alt2"):
        Haar(tmp_path)


def test_more_votes_give_a_higher_score_and_even_votes_a_half() -> None:
    cascade = Cascade(
        read_cascade(FRONTAL),
        scale_step=1.1,
        min_neighbors=1,
        min_size=20,
        even_votes=4.0,
        steepness=2.3,
    )
    scores = [cascade._score(votes) for votes in range(1, 200)]
    assert scores == sorted(scores)
    assert cascade._score(4) == pytest.approx(0.5)
    assert 0.0 < scores[0] < 0.1 < 0.99 < scores[-1] < 1.0


@pytest.mark.shared
def test_haar_detects_profiles_facing_either_side(shared: Path) -> None:
    with av.open(shared / "videos" / "two_heads.mp4") as container:
        frames = container.decode(video=0)
        frame = [next(frames) for _ in range(11)][10].reformat(640, 360, "bgr24")
        image = np.asarray(frame.to_ndarray(), np.uint8)
    haar = Haar(Path(cv2.data.haarcascades))
    width = image.shape[1]
    mirror = image[:, ::-1].copy()
    one_side = haar._profile.detect(to_gray(image), 0.25)
    assert one_side, "the clip shows a profile"
    assert not haar._profile.detect(to_gray(mirror), 0.25), "the cascade knows one side only"
    profile = one_side[0].box
    mirrored = Box(width - profile.right, profile.top, width - profile.left, profile.bottom)
    assert best_iou(haar.detect(mirror, 0.25), mirrored) > 0.5
