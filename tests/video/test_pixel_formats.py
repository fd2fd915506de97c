"""Which pixel formats are redacted in place, and what the others become."""

from __future__ import annotations

import av
import numpy as np
import pytest

from tracker_blur.core.frame import PixelLayout
from tracker_blur.video import pixel_formats


def test_native_formats_have_a_plane_for_each_component() -> None:
    for name in ("yuv420p", "yuvj444p", "yuva422p10le", "gbrp", "gbrap16le", "gray", "gray14le"):
        assert pixel_formats.is_native(name), name
    for name in ("nv12", "p010le", "rgb24", "pal8", "yuyv422", "monob", "ya8", "yuv420p10be"):
        assert not pixel_formats.is_native(name), name
    for name in ("gbrpf32le", "gbrpf16le", "grayf32le", "gbrp10msble", "cuda"):
        assert not pixel_formats.is_native(name), name


@pytest.mark.parametrize(
    ("name", "native"),
    [
        ("yuv420p", "yuv420p"),
        ("p010le", "yuv420p10le"),
        ("p012le", "yuv420p12le"),
        ("p016le", "yuv420p16le"),
        ("p210le", "yuv422p10le"),
        ("p410le", "yuv444p10le"),
        ("nv16", "yuv422p"),
        ("nv24", "yuv444p"),
        ("y210le", "yuv422p10le"),
        ("vuya", "yuva444p"),
        ("x2rgb10le", "gbrp10le"),
        ("rgba64le", "gbrap16le"),
    ],
)
def test_other_formats_have_a_native_one_without_loss(name: str, native: str) -> None:
    assert pixel_formats.nearest_native(name) == native
    frame = av.VideoFrame(64, 48, native)
    generator = np.random.default_rng(3)
    peak = pixel_formats.layout(frame).peak
    for plane in pixel_formats.planes(frame):
        plane.samples[...] = generator.integers(0, peak + 1, plane.samples.shape)
    back = frame.reformat(format=name).reformat(format=native)
    for ours, theirs in zip(pixel_formats.planes(back), pixel_formats.planes(frame), strict=True):
        np.testing.assert_array_equal(ours.samples, theirs.samples)


@pytest.mark.parametrize(
    ("name", "native"),
    [("pal8", "gbrap"), ("monob", "gray"), ("ya8", "gbrap"), ("rgb565le", "gbrp")],
)
def test_small_formats_grow(name: str, native: str) -> None:
    assert pixel_formats.nearest_native(name) == native


@pytest.mark.parametrize(
    ("name", "tag", "layout"),
    [
        ("yuv420p", 0, PixelLayout("yuv", 8, full_range=False, matrix="bt601")),
        ("yuv420p", 2, PixelLayout("yuv", 8, full_range=True, matrix="bt601")),
        ("yuvj420p", 0, PixelLayout("yuv", 8, full_range=True, matrix="bt601")),
        ("yuv444p12le", 1, PixelLayout("yuv", 12, full_range=False, matrix="bt601")),
        ("gbrp", 1, PixelLayout("rgb", 8, full_range=True, matrix="bt601")),
        ("gray10le", 0, PixelLayout("gray", 10, full_range=True, matrix="bt601")),
        ("gray", 1, PixelLayout("gray", 8, full_range=False, matrix="bt601")),
    ],
)
def test_layouts(name: str, tag: int, layout: PixelLayout) -> None:
    frame = av.VideoFrame(32, 32, name)
    frame.color_range = tag
    assert pixel_formats.layout(frame) == layout


@pytest.mark.parametrize("name", ["yuv420p", "yuv411p", "yuv410p", "yuv440p", "yuv422p16le"])
def test_planes_of_odd_sizes_cover_the_last_row_and_column(name: str) -> None:
    frame = av.VideoFrame(33, 17, name)
    for plane in pixel_formats.planes(frame):
        height, width = plane.samples.shape
        assert (width - 1) * plane.x_step < 33 <= width * plane.x_step
        assert (height - 1) * plane.y_step < 17 <= height * plane.y_step
        assert plane.samples.flags.writeable
