"""The solid method fills with one flat color."""

from __future__ import annotations

import pytest

from tests.fakes import noise_frame
from tracker_blur.core.box import Box
from tracker_blur.errors import SettingsError
from tracker_blur.redaction.methods import Patch
from tracker_blur.redaction.methods.solid import make
from tracker_blur.settings import Settings


@pytest.mark.parametrize(
    ("layout", "samples"),
    [
        ("yuv420p", [63, 102, 240]),
        ("yuv420p10", [294, 387, 960]),
        ("rgb24", [255, 0, 0]),
        ("gray", [76]),
    ],
)
def test_every_sample_has_the_color(layout: str, samples: list[int]) -> None:
    frame = noise_frame(layout, (9, 7))
    box = Box(0, 0, 12, 8)
    patch = Patch(frame.planes(), frame.layout, frame.orientation, box, box, 1)
    fills = make(Settings(method="solid", color="#ff0000")).hide(patch)
    assert [set(fill.ravel().tolist()) for fill in fills] == [{sample} for sample in samples]


def test_an_invalid_color_is_rejected_before_the_first_frame() -> None:
    with pytest.raises(SettingsError, match="`color` is 'red': write it as #rrggbb"):
        make(Settings(method="solid", color="red"))
