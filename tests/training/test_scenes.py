"""Moving a scene moves its boxes with the pixels."""

from __future__ import annotations

import math

import numpy as np
import pytest

from tests.training.scenes_made import scene
from tracker_blur.core.box import Box
from tracker_blur.training.augmentation import (
    Pick,
    Scene,
    _blurred,
    _covered,
    canvas,
    empty_boxes,
    sides,
    spoiled,
    warped,
)
from tracker_blur.training.data import cuttings, with_crowd
from tracker_blur.training.recipe import Poses

DISK = Box(60, 40, 100, 80)


def bright(image: np.ndarray, box: np.ndarray) -> float:
    """Return which share of a box's inscribed ellipse is bright, as the disks are."""
    left, top, right, bottom = np.rint(box).astype(int)
    part = image[max(0, top) : bottom, max(0, left) : right, 1] > 130
    return float(part.mean()) / (math.pi / 4)


def picked(chosen: Scene) -> Pick:
    return chosen, chosen.boxes


@pytest.mark.parametrize("degrees", [0, 30, 90, 200])
@pytest.mark.parametrize("scale", [0.3, 1.0, 1.7])
def test_boxes_stay_on_the_disk(degrees: float, scale: float) -> None:
    angle = math.radians(degrees)
    linear = scale * np.array(
        ((math.cos(angle), -math.sin(angle)), (math.sin(angle), math.cos(angle)))
    )
    start = np.array((64.0, 64.0)) - linear @ np.array(DISK.center)
    moved = warped(scene(DISK), np.concatenate((linear, start[:, None]), 1), (128, 128), 0)
    assert moved.image.shape == (128, 128, 3)
    (box,) = moved.boxes
    assert sides(moved.boxes)[0] == pytest.approx(40 * scale, rel=0.01)
    assert bright(moved.image, box) == pytest.approx(1.0, abs=0.12)


@pytest.mark.parametrize("mirrored", [1.0, -1.0])
@pytest.mark.parametrize("scale", [0.2, 0.5, 1.0, 2.5])
def test_pixels_move_exactly_as_boxes_do(scale: float, mirrored: float) -> None:
    image = np.zeros((120, 160, 3), np.uint8)
    image[40:80, 60:100] = 255
    square = Scene(image, np.array([DISK.as_tuple()], np.float32), np.zeros(1, int), empty_boxes())
    linear = np.diag((scale * mirrored, scale))
    start = np.array((64.3, 63.6)) - linear @ np.array(DISK.center)
    moved = warped(square, np.concatenate((linear, start[:, None]), 1), (128, 128), 0)
    weights = moved.image[..., 0] / moved.image[..., 0].sum()
    y, x = np.mgrid[:128, :128] + 0.5
    np.testing.assert_allclose((weights * x).sum(), 64.3, atol=0.05)
    np.testing.assert_allclose((weights * y).sum(), 63.6, atol=0.05)
    np.testing.assert_allclose(moved.boxes[0, :2] + moved.boxes[0, 2:], (128.6, 127.2), rtol=1e-5)


def test_turned_rectangles_need_larger_boxes() -> None:
    matrix = np.array(((0.6, -0.8, 60.0), (0.8, 0.6, -20.0)))
    plate = Box(60, 40, 100, 50)
    moved = warped(scene(plate), matrix, (128, 128), 0, "rectangle").boxes
    np.testing.assert_allclose(moved[0, 2:] - moved[0, :2], (32, 38), rtol=1e-5)
    around = warped(scene(plate), matrix, (128, 128), 0, "ellipse").boxes
    assert (around[0, 2:] - around[0, :2] < (32, 38)).all()


def test_what_is_hardly_visible_or_too_small_is_ignored() -> None:
    identity = np.eye(2, 3)
    cut = warped(scene(Box(-20, 0, 10, 30), Box(50, 50, 54, 54), DISK), identity, (160, 120), 0)
    np.testing.assert_allclose(cut.boxes, [DISK.as_tuple()])
    np.testing.assert_allclose(cut.ignored, [(0, 0, 10, 30), (50, 50, 54, 54)])


def test_what_lies_outside_is_forgotten() -> None:
    away = np.array(((1.0, 0, 500), (0, 1.0, 0)))
    assert len(warped(scene(DISK), away, (160, 120), 0).boxes) == 0


def test_canvases_hold_things_where_their_boxes_are() -> None:
    rng = np.random.default_rng(5)
    scenes = [scene(DISK, seed=1), scene(Box(10, 10, 60, 60), seed=2), scene(seed=3)]
    shares = []
    for _ in range(40):
        made = canvas(
            lambda rng: picked(scenes[int(rng.integers(3))]), 128, Poses(any_share=0), rng
        )
        assert made.image.shape == (128, 128, 3)
        whole = (made.boxes[:, :2] > 1).all(1) & (made.boxes[:, 2:] < 127).all(1)
        shares += [bright(made.image, box) for box in made.boxes[whole]]
        assert (sides(made.boxes) >= 6).all()
    assert np.median(shares) == pytest.approx(1.0, abs=0.15)
    assert len(shares) > 40


def test_crowds_are_pasted_where_their_boxes_are() -> None:
    rng = np.random.default_rng(2)
    bank = cuttings([scene(DISK), scene(seed=1)], rng, decoys=5)
    assert sorted({cutting.label is None for cutting in bank}) == [False, True]
    canvas_scene = scene(Box(20, 20, 50, 50), size=(200, 200))
    crowd = with_crowd(canvas_scene, bank, Poses(), rng)
    assert len(crowd.boxes) == len(crowd.labels) > 5
    shares = [bright(crowd.image, box) for box in crowd.boxes[1:]]
    assert np.median(shares) == pytest.approx(1.0, abs=0.25)


def test_pictures_squeezed_into_squares_are_widened() -> None:
    rng = np.random.default_rng(5)
    poses = Poses(usual_deg=0.0, tilted_share=0.0, any_share=0.0, widened=(1.5, 2.0))
    shapes = []
    for _ in range(30):
        made = canvas(lambda rng: picked(scene(DISK)), 128, poses, rng)
        crowd = with_crowd(scene(size=(200, 200)), cuttings([scene(DISK)], rng), poses, rng)
        whole = (made.boxes[:, :2] > 1).all(1) & (made.boxes[:, 2:] < 127).all(1)
        spans = made.boxes[whole, 2:] - made.boxes[whole, :2]
        shapes += (spans[:, 0] / spans[:, 1]).tolist()
        spans = crowd.boxes[:, 2:] - crowd.boxes[:, :2]
        shapes += [float(np.median(spans[:, 0] / spans[:, 1]))]
    assert np.median(shapes) == pytest.approx(1.73, abs=0.12)


def test_crowded_and_cut_things_are_not_cut_out() -> None:
    near = scene(DISK, Box(100, 40, 140, 80))
    at_border = scene(Box(0, 0, 40, 40))
    assert cuttings([near, at_border], np.random.default_rng(0)) == []


def test_spoiling_keeps_boxes_and_shape() -> None:
    rng = np.random.default_rng(0)
    before = scene(DISK)
    for _ in range(60):
        after = spoiled(Scene(before.image.copy(), before.boxes, before.labels, empty_boxes()), rng)
        assert after.image.shape == before.image.shape
        assert after.image.dtype == np.uint8
        np.testing.assert_array_equal(after.boxes, before.boxes)


def test_what_covers_things_shows_no_other_thing() -> None:
    covered = scene(*(Box(x, y, x + 24, y + 24) for x in (4, 44, 84, 124) for y in (4, 44, 84)))
    covered.image[covered.image < 130] = 0
    for x, y in ((x, y) for x in (4, 44, 84, 124) for y in (4, 44, 84)):
        covered.image[y : y + 24, x : x + 24] = (10, 250, 10)  # no bar of one color is like this
    hidden = 0
    for seed in range(200):
        image = _covered(covered.image.copy(), covered.boxes, np.random.default_rng(seed))
        things = np.zeros(image.shape[:2], bool)
        for left, top, right, bottom in covered.boxes.astype(int):
            things[top:bottom, left:right] = True
        seen = (image == (10, 250, 10)).all(-1)
        assert not (seen & ~things).any()
        hidden += int((things & ~seen).sum())
    assert hidden > 0


@pytest.mark.parametrize("seed", range(8))
def test_blur_moves_nothing(seed: int) -> None:
    image = np.zeros((64, 64, 3), np.uint8)
    image[31:33, 31:33] = 255
    blurred = _blurred(image, np.random.default_rng(seed))[..., 0].astype(float)
    y, x = np.mgrid[:64, :64] + 0.5
    np.testing.assert_allclose((blurred * x).sum() / blurred.sum(), 32, atol=0.51)
    np.testing.assert_allclose((blurred * y).sum() / blurred.sum(), 32, atol=0.51)
