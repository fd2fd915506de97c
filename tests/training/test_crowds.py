"""Objects are cut out and pasted where their boxes are."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from tests.training.samples import DISK, aspect_ratios, bright_share, disk_sample
from tracker_blur.core.box import Box
from tracker_blur.training.crowds import cut_out_objects, paste_crowd
from tracker_blur.training.recipe import GeometricAugmentation


def test_crowds_are_pasted_where_their_boxes_are() -> None:
    rng = np.random.default_rng(2)
    cutouts = cut_out_objects([disk_sample(DISK), disk_sample(seed=1)], rng, decoys=5)
    assert sorted({cutout.label is None for cutout in cutouts}) == [False, True]
    canvas = disk_sample(Box(20, 20, 50, 50), size=(200, 200))
    crowd = paste_crowd(canvas, cutouts, GeometricAugmentation(), rng)
    assert len(crowd.boxes) == len(crowd.labels) > 5
    shares = [bright_share(crowd.image, box) for box in crowd.boxes[1:]]
    assert np.median(shares) == pytest.approx(1.0, abs=0.25)


def test_crowds_are_widened() -> None:
    rng = np.random.default_rng(5)
    geometry = GeometricAugmentation(widened=(1.5, 2.0))
    ratios = []
    for _ in range(30):
        cutouts = cut_out_objects([disk_sample(DISK)], rng)
        crowd = paste_crowd(disk_sample(size=(200, 200)), cutouts, geometry, rng)
        ratios.append(float(np.median(aspect_ratios(crowd.boxes))))
    assert np.median(ratios) == pytest.approx(1.73, abs=0.12)


@pytest.mark.parametrize("turned", [0.0, 1.0])
def test_crowds_are_turned_as_often_as_images(turned: float) -> None:
    rng = np.random.default_rng(6)
    cutouts = cut_out_objects([disk_sample(Box(60, 40, 80, 80))], rng)  # twice as high as wide
    geometry = GeometricAugmentation(any_share=turned)
    crowd = paste_crowd(disk_sample(size=(300, 300)), cutouts, geometry, rng)
    is_wide = np.array(aspect_ratios(crowd.boxes)) > 1
    assert 0.3 < is_wide.mean() < 0.95 if turned else not is_wide.any()


def test_crowded_cut_and_uncertain_objects_are_not_cut_out() -> None:
    crowded = disk_sample(DISK, Box(100, 40, 140, 80))
    at_border = disk_sample(Box(0, 0, 40, 40))
    uncertain = replace(disk_sample(DISK), certainties=np.array([0.9], np.float32))
    assert cut_out_objects([crowded, at_border, uncertain], np.random.default_rng(0)) == []
