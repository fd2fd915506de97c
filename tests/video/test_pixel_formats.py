"""Which pixel formats are redacted in place, and what the others become."""

from __future__ import annotations

from typing import TYPE_CHECKING

import av
import numpy as np
import pytest
from av.video.reformatter import VideoReformatter

from tests.video.rewriting import read_frames
from tests.video_files import pattern, write_frames
from tracker_blur.core.frame import PixelLayout
from tracker_blur.video import pixel_formats

if TYPE_CHECKING:
    from pathlib import Path


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


@pytest.mark.parametrize("tag", range(19))
@pytest.mark.parametrize("name", ["nv12", "p010le", "yuyv422", "yuv420p"])
def test_a_tag_that_swscale_does_not_know_stays_and_changes_no_sample(name: str, tag: int) -> None:
    plain = av.VideoFrame.from_ndarray(pattern(0, (64, 48)), "rgb24").reformat(format=name)
    native = pixel_formats.nearest_native(name)
    plain.colorspace = 2
    expected = pixel_formats.reformat(VideoReformatter(), plain, (64, 48), native)
    tagged = av.VideoFrame.from_ndarray(pattern(0, (64, 48)), "rgb24").reformat(format=name)
    tagged.colorspace = tag
    found = pixel_formats.reformat(VideoReformatter(), tagged, (64, 48), native)
    assert (tagged.colorspace, found.colorspace) == (tag, tag)
    for plane, other in zip(
        pixel_formats.planes(found), pixel_formats.planes(expected), strict=True
    ):
        np.testing.assert_array_equal(plane.samples, other.samples)


@pytest.mark.parametrize("tag", [8, 11, 14])
def test_a_video_with_such_a_tag_is_read(tmp_path: Path, tag: int) -> None:
    frame = av.VideoFrame.from_ndarray(pattern(0, (64, 48)), "rgb24").reformat(format="nv12")
    path = write_frames(tmp_path / "a.mkv", [frame], "rawvideo", color=(1, 1, tag, 1))
    (read,) = read_frames(path)
    assert read.av_frame.colorspace == tag
    assert read.view((32, 24)).shape == (24, 32, 3)
