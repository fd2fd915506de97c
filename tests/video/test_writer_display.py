"""The writer keeps samples, rotation, aspect, color and depth."""

from __future__ import annotations

from fractions import Fraction
from typing import TYPE_CHECKING, Any

import av
import numpy as np
import pytest

from tests.video.rewriting import (
    all_samples,
    first_frame,
    rewrite,
    times,
)
from tests.video_files import (
    MIRRORED,
    ROTATED_90_CLOCKWISE,
    pattern,
    write_clip,
    write_frames,
)
from tracker_blur.core.frame import RedactedFrame
from tracker_blur.settings import Settings
from tracker_blur.video import stream_info
from tracker_blur.video.reader import VideoReader
from tracker_blur.video.writer import VideoWriter

if TYPE_CHECKING:
    from pathlib import Path

HDR_COLOR = (9, 16, 9, 1)  # BT.2020, PQ, video range


HDR = (
    "hdr10=1:master-display=G(13250,34500)B(7500,3000)R(34000,16000)WP(15635,16450)"
    "L(10000000,50):max-cll=1000,400"
)


class TestPixels:
    """Nothing changes except by the encoder and where frames are redacted."""

    @pytest.mark.parametrize(
        "name",
        ["yuv420p", "yuv422p10le", "yuv444p", "gbrp", "gray", "yuv420p12le", "nv12", "rgb24"],
    )
    def test_unredacted_pixels_are_identical_before_encoding(
        self, tmp_path: Path, name: str
    ) -> None:
        frames = [
            av.VideoFrame.from_ndarray(pattern(index, (98, 66), noise=True), "rgb24").reformat(
                format=name
            )
            for index in range(4)
        ]
        source = write_frames(tmp_path / "in.nut", frames, codec="rawvideo")
        target = rewrite(source, tmp_path / "out.mkv", encoder="ffv1")
        for before, after in zip(all_samples(source), all_samples(target), strict=True):
            for ours, theirs in zip(before, after, strict=True):
                np.testing.assert_array_equal(ours, theirs)

    @pytest.mark.parametrize("name", ["yuv420p", "yuv422p", "yuv444p", "gray", "yuvj420p"])
    def test_lossless_h264_is_lossless(self, tmp_path: Path, name: str) -> None:
        source = write_clip(tmp_path / "in.mkv", frames=5, pixel_format=name, noise=True)
        target = rewrite(source, tmp_path / "out.mp4", quality=0)
        for before, after in zip(all_samples(source), all_samples(target), strict=True):
            for ours, theirs in zip(before, after, strict=True):
                np.testing.assert_array_equal(ours, theirs)

    def test_what_is_redacted_is_written_so(self, tmp_path: Path) -> None:
        source = write_clip(tmp_path / "in.mp4", frames=12)
        target = tmp_path / "out.mkv"
        settings = Settings(encoder="ffv1")
        with VideoReader(source) as frames, VideoWriter(target, source, frames, settings) as sink:
            for frame in frames:
                luma, blue, red = frame.planes()
                luma.samples[10:30, 20:60] = 16
                blue.samples[5:15, 10:30] = red.samples[5:15, 10:30] = 128
                sink.write(RedactedFrame(frame))
        for before, after in zip(all_samples(source), all_samples(target), strict=True):
            assert (after[0][10:30, 20:60] == 16).all()
            before[0][10:30, 20:60] = 16
            before[1][5:15, 10:30] = before[2][5:15, 10:30] = 128
            for ours, theirs in zip(before, after, strict=True):
                np.testing.assert_array_equal(ours, theirs)

    def test_the_default_quality_looks_the_same(self, tmp_path: Path) -> None:
        source = write_clip(tmp_path / "in.mp4", frames=12, size=(320, 240), options={"crf": "10"})
        target = rewrite(source, tmp_path / "out.mp4")
        for before, after in zip(all_samples(source), all_samples(target), strict=True):
            error = np.mean((before[0].astype(float) - after[0]) ** 2)
            assert 10 * np.log10(255**2 / error) > 38

    @pytest.mark.parametrize("size", [(97, 64), (96, 65), (65, 49)])
    @pytest.mark.parametrize("encoder", ["libx264", "libx265", "libvpx-vp9"])
    def test_odd_sizes_are_written(
        self, tmp_path: Path, size: tuple[int, int], encoder: str
    ) -> None:
        source = write_clip(tmp_path / "in.mkv", codec="ffv1", frames=3, size=size)
        target = rewrite(source, tmp_path / "out.mp4", encoder=encoder)
        width, height = size
        even = (
            (width, height)
            if encoder == "libvpx-vp9"
            else (-(-width // 2) * 2, -(-height // 2) * 2)
        )
        frame = first_frame(target)
        assert (frame.width, frame.height) == even
        shown = frame.to_ndarray(format="rgb24")[:height, :width].astype(int)
        assert np.abs(shown - pattern(0, size)).mean() < 25

    @pytest.mark.parametrize("size", [(97, 64), (96, 65), (65, 49)])
    @pytest.mark.parametrize("codec", ["h264", "hevc"])
    def test_rgb_keeps_an_odd_size(self, tmp_path: Path, size: tuple[int, int], codec: Any) -> None:
        source = write_clip(
            tmp_path / "in.mov", codec="png", pixel_format="rgb24", frames=3, size=size
        )
        with VideoReader(source) as frames:
            sink = VideoWriter(tmp_path / "out.mov", source, frames, Settings(codec=codec))
        assert sink.warnings == ()
        frame = first_frame(rewrite(source, tmp_path / "out.mov", codec=codec))
        assert (frame.width, frame.height) == size
        shown = frame.to_ndarray(format="rgb24").astype(int)
        assert np.abs(shown - pattern(0, size)).mean() < 5

    @pytest.mark.parametrize("size", [(97, 64), (96, 65), (65, 49)])
    @pytest.mark.parametrize("codec", ["h264", "hevc", "av1"])
    def test_a_size_that_must_grow_is_reported_and_its_border_redacted(
        self, tmp_path: Path, size: tuple[int, int], codec: Any
    ) -> None:
        source = write_clip(tmp_path / "in.mkv", codec="ffv1", frames=3, size=size)
        width, height = size
        even = width + width % 2, height + height % 2
        target, settings = tmp_path / "out.mp4", Settings(codec=codec)
        with VideoReader(source) as frames, VideoWriter(target, source, frames, settings) as sink:
            (warning,) = sink.warnings
            for frame in frames:
                luma, blue, red = frame.planes()
                luma.samples[-30:, -30:] = 235
                blue.samples[-15:, -15:] = red.samples[-15:, -15:] = 128
                sink.write(RedactedFrame(frame))
        expected = (
            f"is {even[0]}x{even[1]} instead of {width}x{height}, its last column or row repeat"
        )
        assert expected in warning
        shown = first_frame(target).to_ndarray(format="rgb24")
        assert shown.shape[1::-1] == even
        assert shown[-25:, -25:].min() > 225

    @pytest.mark.slow
    @pytest.mark.parametrize("name", ["mp4", "mov", "mkv"])
    @pytest.mark.parametrize("frames", [1, 2, 3, 4])
    def test_the_shortest_videos_are_written_as_hevc(
        self, tmp_path: Path, frames: int, name: str
    ) -> None:
        # x265 gave one or two frames random decoding times, so most of these writes failed.
        source = write_clip(tmp_path / f"in.{name}", frames=frames)
        for attempt in range(3):
            target = rewrite(source, tmp_path / f"{attempt}.{name}", codec="hevc")
            assert times(target) == times(source)

    def test_frame_types_of_the_input_are_not_copied(self, tmp_path: Path) -> None:
        # x264 would make each of these a key frame.
        source = write_clip(tmp_path / "in.mov", codec="mjpeg", pixel_format="yuvj420p", frames=30)
        target = rewrite(source, tmp_path / "out.mp4", codec="h264")
        with av.open(str(target)) as container:
            keys = [packet.is_keyframe for packet in container.demux(video=0) if packet.size]
        assert sum(keys) == 1


class TestDisplay:
    """Rotation, aspect, color, depth."""

    @pytest.mark.parametrize("name", ["mp4", "mov", "mkv", "webm"])
    @pytest.mark.parametrize("matrix", [ROTATED_90_CLOCKWISE, MIRRORED])
    def test_the_display_matrix_stays(
        self, tmp_path: Path, name: str, matrix: tuple[int, ...]
    ) -> None:
        codec = "libvpx-vp9" if name == "webm" else "libx264"
        source = write_clip(tmp_path / f"in.{name}", codec=codec, frames=3, matrix=matrix)
        target = rewrite(source, tmp_path / f"out.{name}")
        assert stream_info.display_matrix(first_frame(target)) == matrix
        assert (first_frame(target).width, first_frame(target).height) == (96, 64)

    @pytest.mark.parametrize("name", ["mp4", "mov", "mkv"])
    @pytest.mark.parametrize("codec", ["libx264", "libx265", "mpeg4"])
    def test_the_pixel_aspect_stays(self, tmp_path: Path, codec: str, name: str) -> None:
        source = write_clip(
            tmp_path / f"in.{name}", codec=codec, frames=3, pixel_aspect=Fraction(64, 45)
        )
        target = rewrite(source, tmp_path / f"out.{name}")
        with av.open(str(target)) as container:
            assert container.streams.video[0].sample_aspect_ratio == Fraction(64, 45)

    @pytest.mark.parametrize("codec", ["av1", "vp9"])
    @pytest.mark.parametrize(
        ("aspect", "size"), [(Fraction(4, 3), (128, 64)), (Fraction(2, 3), (96, 96))]
    )
    def test_codecs_without_a_pixel_aspect_get_square_pixels(
        self, tmp_path: Path, codec: str, aspect: Fraction, size: tuple[int, int]
    ) -> None:
        source = write_clip(tmp_path / "in.mp4", frames=3, pixel_aspect=aspect)
        target = rewrite(source, tmp_path / "out.mkv", codec=codec)
        frame = first_frame(target)
        assert (frame.width, frame.height) == size
        with VideoReader(source) as before, VideoReader(target) as after:
            assert after.info.pixel_aspect == 1
            views = [next(iter(video)).view((48, 32)).astype(int) for video in (before, after)]
        assert np.abs(views[0] - views[1]).mean() < 8

    @pytest.mark.parametrize(
        ("codec", "name"),
        [("libx264", "mp4"), ("libx265", "mp4"), ("libsvtav1", "mkv"), ("libvpx-vp9", "webm")],
    )
    @pytest.mark.parametrize("color", [(1, 1, 1, 1), (5, 6, 5, 1), (9, 14, 9, 2)])
    def test_color_tags_stay(
        self, tmp_path: Path, codec: str, name: str, color: tuple[int, int, int, int]
    ) -> None:
        source = write_clip(tmp_path / f"in.{name}", codec=codec, frames=3, color=color)
        frame = first_frame(rewrite(source, tmp_path / f"out.{name}"))
        assert (
            frame.color_primaries,
            frame.color_trc,
            frame.colorspace,
            frame.color_range,
        ) == color

    @pytest.mark.parametrize("encoder", ["libx265", "libsvtav1", "libx264"])
    def test_hdr_metadata_stays(self, tmp_path: Path, encoder: str) -> None:
        source = write_clip(
            tmp_path / "in.mkv",
            codec="libx265",
            pixel_format="yuv420p10le",
            frames=3,
            color=HDR_COLOR,
            options={"x265-params": HDR},
        )
        before = first_frame(source)
        after = first_frame(rewrite(source, tmp_path / "out.mp4", encoder=encoder))
        assert after.format.name == "yuv420p10le"
        assert stream_info.light(after) == stream_info.light(before) == stream_info.Light(1000, 400)
        first, second = stream_info.mastering(before), stream_info.mastering(after)
        assert first is not None
        assert second is not None
        for ours, theirs in zip(first.primaries, second.primaries, strict=True):
            assert ours == pytest.approx(theirs, abs=1e-4)
        assert first.luminance == pytest.approx(second.luminance, abs=1e-3)

    @pytest.mark.parametrize(
        ("codec", "pixel_format"),
        [
            ("libx264", "yuv420p10le"),
            ("libx264", "yuv422p10le"),
            ("libx264", "yuv444p"),
            ("libx264", "yuvj420p"),
            ("libx265", "yuv422p12le"),
            ("libsvtav1", "yuv420p10le"),
            ("libvpx-vp9", "yuv444p"),
            ("prores_ks", "yuva444p10le"),
            ("ffv1", "gbrp16le"),
        ],
    )
    def test_depth_and_chroma_stay(self, tmp_path: Path, codec: str, pixel_format: str) -> None:
        source = write_clip(tmp_path / "in.mkv", codec=codec, pixel_format=pixel_format, frames=3)
        before, after = first_frame(source), first_frame(rewrite(source, tmp_path / "out.mkv"))
        assert after.format.name == before.format.name

    def test_depth_is_more_important_than_the_codec(self, tmp_path: Path) -> None:
        # Ten bits that the input's codec cannot be written with here.
        source = write_clip(tmp_path / "in.mkv", codec="ffv1", pixel_format="yuv420p10le", frames=3)
        assert first_frame(rewrite(source, tmp_path / "a.mp4")).format.name == "yuv420p10le"
        assert first_frame(rewrite(source, tmp_path / "a.webm")).format.name == "yuv420p10le"

    def test_full_range_stays_full(self, tmp_path: Path) -> None:
        source = write_clip(tmp_path / "in.mov", codec="mjpeg", pixel_format="yuvj420p", frames=3)
        target = rewrite(source, tmp_path / "out.mkv", codec="av1")  # which has no yuvj420p
        with VideoReader(source) as before, VideoReader(target) as after:
            first, second = next(iter(before)), next(iter(after))
            assert second.layout.full_range
            difference = first.view((96, 64)).astype(int) - second.view((96, 64))
        assert abs(difference.mean()) < 1

    def test_rgb_becomes_a_common_format(self, tmp_path: Path) -> None:
        source = write_clip(tmp_path / "in.mkv", codec="ffv1", pixel_format="bgr0", frames=3)
        target = rewrite(source, tmp_path / "out.mp4")
        assert first_frame(target).format.name == "yuv420p"
        with VideoReader(target) as after:
            view = next(iter(after)).view((96, 64)).astype(int)
        difference = view - pattern(0, (96, 64))[:, :, ::-1]
        assert np.abs(difference.mean(axis=(0, 1))).max() < 3

    def test_interlaced_frames_stay_interlaced(self, tmp_path: Path) -> None:
        source = write_clip(tmp_path / "in.mp4", frames=6, size=(96, 96), interlaced=True)
        assert first_frame(source).interlaced_frame
        target = rewrite(source, tmp_path / "out.mp4")
        assert first_frame(target).interlaced_frame
        assert times(target) == times(source)
