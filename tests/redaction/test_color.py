"""Colors convert to the samples that the ITU-R recommendations give."""

from __future__ import annotations

from typing import Literal

import av
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.fakes import LAYOUTS
from tracker_blur.core.frame import PixelLayout
from tracker_blur.errors import SettingsError
from tracker_blur.redaction import color

CHANNELS = st.integers(0, 255)
COLORS = st.tuples(CHANNELS, CHANNELS, CHANNELS)


@pytest.mark.parametrize(
    ("text", "value"),
    [("#000000", (0, 0, 0)), ("#ff8001", (255, 128, 1)), ("#ABCDEF", (171, 205, 239))],
)
def test_parse_reads_a_color(text: str, value: color.Color) -> None:
    assert color.parse(text) == value


@pytest.mark.parametrize("text", ["", "black", "#fff", "#12345", "#12345g", "000000", "#000000\n"])
def test_parse_rejects_other_texts_and_shows_the_format(text: str) -> None:
    with pytest.raises(SettingsError, match="#rrggbb"):
        color.parse(text)


def test_parse_rejects_what_is_not_a_string() -> None:
    with pytest.raises(SettingsError, match="#rrggbb"):
        color.parse((0, 0, 0))  # type: ignore[arg-type]  # what callers may get wrong


@pytest.mark.parametrize(
    ("rgb", "layout", "samples"),
    [
        # The 100 % color bars of the ITU-R recommendations.
        ((255, 0, 0), PixelLayout("yuv", 8, False, "bt601"), (81, 90, 240)),
        ((0, 0, 255), PixelLayout("yuv", 8, False, "bt601"), (41, 240, 110)),
        ((255, 0, 0), PixelLayout("yuv", 8, False, "bt709"), (63, 102, 240)),
        ((0, 255, 0), PixelLayout("yuv", 8, False, "bt709"), (173, 42, 26)),
        ((0, 0, 255), PixelLayout("yuv", 10, False, "bt709"), (127, 960, 471)),
        ((255, 0, 0), PixelLayout("yuv", 10, False, "bt2020"), (294, 387, 960)),
        ((0, 0, 0), PixelLayout("yuv", 8, False, "bt709"), (16, 128, 128)),
        ((255, 255, 255), PixelLayout("yuv", 10, False, "bt2020"), (940, 512, 512)),
        ((0, 0, 0), PixelLayout("yuv", 8, True, "bt709"), (0, 128, 128)),
        ((255, 255, 255), PixelLayout("yuv", 12, True, "bt601"), (4095, 2048, 2048)),
        ((255, 0, 128), PixelLayout("rgb", 8), (255, 0, 128)),
        ((255, 0, 128), PixelLayout("rgb", 16), (65535, 0, 32896)),
        ((255, 255, 255), PixelLayout("gray", 8), (255,)),
        ((255, 255, 255), PixelLayout("gray", 8, False), (235,)),
        ((255, 0, 0), PixelLayout("gray", 8), (76,)),
    ],
)
def test_known_colors(rgb: color.Color, layout: PixelLayout, samples: tuple[int, ...]) -> None:
    assert color.to_samples(rgb, layout) == samples


@given(COLORS, st.sampled_from(["bt601", "bt709"]), st.booleans())
def test_ffmpeg_decodes_the_same_color(
    rgb: color.Color, matrix: Literal["bt601", "bt709"], full: bool
) -> None:
    layout = PixelLayout("yuv", 8, full, matrix)
    frame = av.VideoFrame(16, 16, "yuv444p")
    for plane, value in zip(frame.planes, color.to_samples(rgb, layout), strict=True):
        plane.update(bytes([value]) * plane.buffer_size)
    back = frame.to_ndarray(
        format="rgb24",
        src_colorspace={"bt601": "ITU601", "bt709": "ITU709"}[matrix],
        dst_colorspace="DEFAULT",
        src_color_range="JPEG" if full else "MPEG",
        dst_color_range="JPEG",
    )[8, 8]
    assert np.abs(back.astype(int) - rgb).max() <= 3


@given(COLORS, st.sampled_from(sorted(LAYOUTS)))
def test_samples_stay_in_range(rgb: color.Color, name: str) -> None:
    layout, steps = LAYOUTS[name]
    samples = color.to_samples(rgb, layout)
    assert len(samples) == len(steps)
    assert all(0 <= sample <= layout.peak for sample in samples)


def test_an_image_becomes_planes_of_the_layout() -> None:
    image = np.array([[[255, 0, 0], [0, 0, 0]]], np.uint8)
    layout = PixelLayout("yuv", 10, False, "bt709")
    planes = color.to_planes(image, layout)
    for plane, red, black in zip(
        planes,
        color.to_samples((255, 0, 0), layout),
        color.to_samples((0, 0, 0), layout),
        strict=True,
    ):
        assert plane.dtype == np.uint16
        assert plane.tolist() == [[red, black]]


@given(COLORS, st.sampled_from(sorted(LAYOUTS)))
def test_samples_become_the_same_color_again(rgb: color.Color, name: str) -> None:
    layout, _ = LAYOUTS[name]
    back = color.from_samples(np.array(color.to_samples(rgb, layout), float), layout)
    if layout.family == "gray":
        luma = 0.299 * rgb[0] + 0.587 * rgb[1] + 0.114 * rgb[2]
        assert back == pytest.approx((luma, luma, luma), abs=1.1)
    else:
        assert back == pytest.approx(rgb, abs=3)


def test_samples_beyond_all_colors_become_the_nearest() -> None:
    layout = PixelLayout("yuv", 8, False, "bt709")
    assert color.from_samples(np.array([255.0, 128, 128]), layout) == (255, 255, 255)
    assert color.from_samples(np.array([0.0, 128, 128]), layout) == (0, 0, 0)
