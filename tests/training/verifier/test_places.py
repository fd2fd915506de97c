"""Random places that show no object."""

from __future__ import annotations

import numpy as np

from tests.training.verifier.samples import DISK, boxes, known
from tracker_blur.core.box import Box
from tracker_blur.training.verifier.places import (
    around,
    box_below,
    is_free,
    much_larger_box,
    random_box,
)

SIZE = (160, 120)


def test_random_boxes_have_all_sizes_and_touch_the_image() -> None:
    image = np.zeros((120, 160, 3), np.uint8)
    some = [random_box(image, np.random.default_rng(seed)) for seed in range(300)]
    sizes = [float(np.sqrt((box[2:] - box[:2]).prod())) for box in some]
    assert min(sizes) < 12
    assert 140 < max(sizes) <= 1.1 * 160 + 1
    assert all(box[0] < 160 and box[1] < 120 and box[2] > 0 and box[3] > 0 for box in some)


def test_larger_boxes_are_too_large_for_the_objects_in_them() -> None:
    labeled = boxes(DISK)
    for seed in range(100):
        box, is_none = much_larger_box(labeled[0], labeled, np.random.default_rng(seed))
        is_within = Box(*box.tolist()).intersection_area(DISK) > 0.5 * DISK.area
        is_large = (box[2:] - box[:2]).prod() >= 6 * DISK.area
        assert is_none == (is_large or not is_within)


def test_boxes_below_an_object_do_not_touch_it() -> None:
    for seed in range(50):
        box = box_below(boxes(DISK)[0], np.random.default_rng(seed))
        assert box[1] > DISK.bottom


def test_free_places_lie_in_the_image_and_touch_no_object() -> None:
    facts = known(DISK)
    assert is_free(around(20, 20, 20, 20), SIZE, facts)
    assert not is_free(around(80, 60, 20, 20), SIZE, facts)
    assert not is_free(around(80, 60, 400, 400), SIZE, facts)  # it holds the object
    assert not is_free(around(300, 20, 20, 20), SIZE, facts)
