"""What the detector sees of frames, and the samples that are redacted."""

from __future__ import annotations

from fractions import Fraction
from typing import TYPE_CHECKING, Any

import av
import numpy as np
import numpy.typing as npt
import pytest

from tests.video.rewriting import (
    read_frames,
)
from tests.video_files import (
    MIRRORED,
    ROTATED_90_CLOCKWISE,
    pattern,
    write_clip,
    write_frames,
)
from tracker_blur.core.frame import Orientation, PixelLayout
from tracker_blur.video import alpha, pixel_formats
from tracker_blur.video.reader import VideoReader

if TYPE_CHECKING:
    from pathlib import Path


class TestViews:
    """What the detector sees, and what the planes mean."""

    def test_a_view_shows_the_frame(self, tmp_path: Path) -> None:
        path = write_clip(tmp_path / "a.mkv", frames=2, codec="ffv1", pixel_format="bgr0")
        view = read_frames(path)[1].view((96, 64))
        assert view.flags.c_contiguous
        np.testing.assert_array_equal(view, pattern(1, (96, 64))[:, :, ::-1])

    def test_a_reduced_view_averages(self, tmp_path: Path) -> None:
        path = write_clip(
            tmp_path / "a.mkv", frames=1, codec="ffv1", pixel_format="bgr0", noise=True
        )
        view = read_frames(path)[0].view((48, 32))
        blocks = pattern(0, (96, 64), noise=True).reshape(32, 2, 48, 2, 3).mean(axis=(1, 3))
        assert np.abs(view.astype(float) - blocks[:, :, ::-1]).max() < 3

    @pytest.mark.parametrize(("tag", "black", "white"), [(1, 16, 235), (2, 0, 255)])
    def test_a_view_respects_the_range(
        self, tmp_path: Path, tag: int, black: int, white: int
    ) -> None:
        luma = np.full((64, 64), black, np.uint8)
        luma[:, 32:] = white
        frame = av.VideoFrame(64, 64, "yuv420p")
        for plane, values in zip(pixel_formats.planes(frame), (luma, 128, 128), strict=True):
            plane.samples[...] = values
        path = write_frames(tmp_path / "a.mkv", [frame], codec="ffv1", color=(1, 1, 1, tag))
        (read,) = read_frames(path)
        assert read.layout == PixelLayout("yuv", 8, full_range=tag == 2, matrix="bt709")
        view = read.view((64, 64))
        assert view[:, :28].max() <= 1
        assert view[:, 36:].min() >= 254

    @pytest.mark.parametrize(
        ("matrix", "orientation", "turned"),
        [
            (ROTATED_90_CLOCKWISE, Orientation.ROTATED_90_CLOCKWISE, lambda a: np.rot90(a, -1)),
            (
                (0, -65536, 0, 65536, 0, 0, 0, 0, 1 << 30),
                Orientation.ROTATED_90_COUNTERCLOCKWISE,
                np.rot90,
            ),
            (
                (-65536, 0, 0, 0, -65536, 0, 0, 0, 1 << 30),
                Orientation.ROTATED_180,
                lambda a: np.rot90(a, 2),
            ),
            (MIRRORED, Orientation.MIRRORED, lambda a: a[:, ::-1]),
            (  # a few degrees off: the nearest
                (65286, 5714, 0, -5714, 65286, 0, 0, 0, 1 << 30),
                Orientation.UPRIGHT,
                lambda a: a,
            ),
        ],
    )
    def test_views_are_upright(
        self, tmp_path: Path, matrix: tuple[int, ...], orientation: Orientation, turned: Any
    ) -> None:
        path = write_clip(
            tmp_path / "a.mkv", frames=1, codec="ffv1", pixel_format="bgr0", matrix=matrix
        )
        with VideoReader(path) as source:
            (frame,) = source
        expected = turned(pattern(0, (96, 64))[:, :, ::-1])
        assert frame.orientation is orientation
        assert source.info.size == frame.size == expected.shape[1::-1]
        assert source.track.matrix == matrix
        np.testing.assert_array_equal(frame.view(frame.size), expected)

    def test_the_pixel_aspect_is_turned_with_the_frame(self, tmp_path: Path) -> None:
        path = write_clip(tmp_path / "a.mp4", frames=1, pixel_aspect=Fraction(4, 3))
        turned = write_clip(
            tmp_path / "b.mp4",
            frames=1,
            pixel_aspect=Fraction(4, 3),
            matrix=ROTATED_90_CLOCKWISE,
        )
        with VideoReader(path) as upright, VideoReader(turned) as sideways:
            assert upright.info.pixel_aspect == Fraction(4, 3)
            assert sideways.info.pixel_aspect == Fraction(3, 4)

    @pytest.mark.parametrize(
        ("tags", "height", "matrix"),
        [
            (None, 64, "bt601"),
            (None, 720, "bt709"),
            ((1, 1, 1, 1), 64, "bt709"),
            ((9, 16, 9, 1), 64, "bt2020"),
            ((6, 6, 6, 1), 720, "bt601"),
        ],
    )
    def test_the_matrix_goes_by_tag_else_by_height(
        self, tmp_path: Path, tags: Any, height: int, matrix: str
    ) -> None:
        path = write_clip(tmp_path / "a.mp4", frames=1, size=(64, height), color=tags)
        assert read_frames(path)[0].layout.matrix == matrix


NATIVE = [
    ("yuv420p", (2, 2)),
    ("yuv422p", (2, 1)),
    ("yuv444p", (1, 1)),
    ("yuv411p", (4, 1)),
    ("yuv440p", (1, 2)),
    ("yuva420p", (2, 2)),
    ("yuv420p10le", (2, 2)),
    ("yuv422p12le", (2, 1)),
    ("yuv444p16le", (1, 1)),
    ("gbrp10le", (1, 1)),
    ("gray", (1, 1)),
    ("gray12le", (1, 1)),
]


CONVERTED = [
    ("nv12", "yuv420p"),
    ("nv21", "yuv420p"),
    ("yuyv422", "yuv422p"),
    ("uyvy422", "yuv422p"),
    ("rgb24", "gbrp"),
    ("bgr24", "gbrp"),
    ("bgr0", "gbrp"),
    ("rgba", "gbrap"),
    ("rgb48le", "gbrp16le"),
    ("yuv420p10be", "yuv420p10le"),
    ("gray16be", "gray16le"),
]


def random_frame(name: str, size: tuple[int, int]) -> av.VideoFrame:
    frame = av.VideoFrame(*size, name)
    generator = np.random.default_rng(5)
    for plane in pixel_formats.planes(frame):
        peak = pixel_formats.layout(frame).peak
        plane.samples[...] = generator.integers(0, peak + 1, plane.samples.shape)
    if pixel_formats.has_alpha(name):
        alpha.plane(frame)[...] = pixel_formats.layout(frame).peak
    return frame


def samples_of(frame: av.VideoFrame) -> list[npt.NDArray[Any]]:
    return [plane.samples.copy() for plane in pixel_formats.planes(frame)]


class TestPlanes:
    """The samples, and that writing into them stays in their frame."""

    @pytest.mark.parametrize(("name", "steps"), NATIVE)
    def test_native_formats_are_not_converted(
        self, tmp_path: Path, name: str, steps: tuple[int, int]
    ) -> None:
        original = random_frame(name, (50, 38))
        path = write_frames(tmp_path / "a.nut", [original], codec="rawvideo")
        (frame,) = read_frames(path)
        planes = frame.planes()
        assert frame.av_frame.format.name == name
        assert len(planes) == (1 if name.startswith("gray") else 3)
        assert [(plane.x_step, plane.y_step) for plane in planes[1:]] == [steps] * (len(planes) - 1)
        for plane, samples in zip(planes, samples_of(original), strict=True):
            np.testing.assert_array_equal(plane.samples, samples)

    @pytest.mark.parametrize(("name", "native"), CONVERTED)
    def test_other_formats_become_planar_without_loss(
        self, tmp_path: Path, name: str, native: str
    ) -> None:
        original = random_frame(native, (64, 48))
        path = write_frames(tmp_path / "a.nut", [original.reformat(format=name)], codec="rawvideo")
        (frame,) = read_frames(path)
        assert frame.av_frame.format.name == native
        for ours, theirs in zip(samples_of(frame.av_frame), samples_of(original), strict=True):
            np.testing.assert_array_equal(ours, theirs)

    def test_a_palette_becomes_rgb(self, tmp_path: Path) -> None:
        path = write_clip(tmp_path / "a.gif", frames=2, codec="gif", pixel_format="rgb8")
        first, second = read_frames(path)
        assert first.layout.family == second.layout.family == "rgb"
        shown = pattern(1, (96, 64)).astype(int)
        assert np.abs(second.view((96, 64))[:, :, ::-1] - shown).mean() < 40  # 3, 3, 2 bits

    def test_rgb_planes_come_as_red_green_blue(self, tmp_path: Path) -> None:
        path = write_clip(tmp_path / "a.mkv", frames=1, codec="ffv1", pixel_format="bgr0")
        (frame,) = read_frames(path)
        shown = np.stack([plane.samples for plane in frame.planes()], axis=-1)
        np.testing.assert_array_equal(shown, pattern(0, (96, 64)))

    def test_frames_stored_bottom_up_are_turned(self, tmp_path: Path) -> None:
        path = write_clip(tmp_path / "a.avi", frames=1, codec="rawvideo", pixel_format="bgr24")
        (frame,) = read_frames(path)
        np.testing.assert_array_equal(frame.view((96, 64)), pattern(0, (96, 64))[:, :, ::-1])
        shown = np.stack([plane.samples for plane in frame.planes()], axis=-1)
        np.testing.assert_array_equal(shown, pattern(0, (96, 64)))

    @pytest.mark.parametrize("codec", ["libx264", "libx265", "libvpx-vp9", "libsvtav1", "mpeg4"])
    def test_writing_into_a_frame_does_not_reach_later_ones(
        self, tmp_path: Path, codec: str
    ) -> None:
        # Frames are predicted from others: without a copy, black boxes bleed into the next ones.
        path = write_clip(tmp_path / "a.mkv", codec=codec, frames=20, gop=20)
        untouched = [samples_of(frame.av_frame) for frame in read_frames(path)]
        with VideoReader(path) as source:
            for frame, expected in zip(source, untouched, strict=True):
                for plane, samples in zip(frame.planes(), expected, strict=True):
                    np.testing.assert_array_equal(plane.samples, samples)
                    plane.samples[4:24, 8:32] = 0

    def test_what_is_written_into_planes_is_visible(self, tmp_path: Path) -> None:
        (frame,) = read_frames(write_clip(tmp_path / "a.mp4", frames=1))
        for plane, value in zip(frame.planes(), (16, 128, 128), strict=True):
            plane.samples[...] = value
        assert frame.view((96, 64)).max() <= 1
        assert frame.planes()[0].samples.max() == 16
