"""States are equal where what comes next is the same."""

from __future__ import annotations

import numpy as np

from tracker_blur.core.state import Pixels, incomparable


def test_images_are_compared_by_their_content() -> None:
    image = np.arange(12, dtype=np.uint8).reshape(3, 4)
    other = image.copy()
    assert (1, Pixels(image)) == (1, Pixels(other))
    other[2, 3] ^= 1
    assert Pixels(image) != Pixels(other)
    assert Pixels(image) != Pixels(image.reshape(4, 3))
    assert Pixels(None) == Pixels(None) != Pixels(image)
    assert Pixels(image) != image.tobytes()


def test_what_cannot_be_compared_equals_nothing() -> None:
    assert incomparable() != incomparable()
