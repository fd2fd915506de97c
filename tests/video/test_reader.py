"""Videos as they are read: each frame once, in time, upright, and never a part for the whole."""

from __future__ import annotations

import http.server
import subprocess
import sys
import threading
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
import numpy.typing as npt
import pytest

from tests.video_files import (
    MIRRORED,
    ROTATED_90_CLOCKWISE,
    Captions,
    Sound,
    picture,
    write_clip,
    write_pictures,
)
from tracker_blur.core.frame import Orientation, PixelLayout
from tracker_blur.errors import SourceError
from tracker_blur.video import pixel_formats
from tracker_blur.video.frame import DecodedFrame
from tracker_blur.video.reader import VideoReader


def frames_of(path: Path, **options: Any) -> list[DecodedFrame]:
    with VideoReader(path, **options) as source:
        return list(source)


def seconds_of(path: Path) -> list[float]:
    return [frame.seconds for frame in frames_of(path)]


def cut(path: Path, ratio: float) -> Path:
    """Return a copy of a file that breaks off."""
    data = path.read_bytes()
    target = path.with_name(f"cut_{path.name}")
    target.write_bytes(data[: int(len(data) * ratio)])
    return target


class TestFrames:
    """Which frames come, and when."""

    def test_each_frame_comes_once_with_its_time(self, tmp_path: Path) -> None:
        path = write_clip(tmp_path / "a.mp4", frames=30)
        with VideoReader(path) as source:
            frames = list(source)
        assert [frame.index for frame in frames] == list(range(30))
        assert [frame.pts * frame.time_base for frame in frames] == [
            Fraction(index, 25) for index in range(30)
        ]
        assert source.info.size == (96, 64)
        assert source.info.rate == 25
        assert source.info.frame_count == 30
        assert not source.is_partial
        assert source.warnings == ()

    @pytest.mark.parametrize(
        ("name", "codec", "pixel_format"),
        [
            ("a.mp4", "libx264", "yuv420p"),
            ("a.mov", "libx265", "yuv420p"),
            ("a.mkv", "libsvtav1", "yuv420p"),
            ("a.webm", "libvpx-vp9", "yuv420p"),
            ("b.webm", "libvpx", "yuv420p"),
            ("a.avi", "mpeg4", "yuv420p"),
            ("a.mpg", "mpeg2video", "yuv420p"),
            ("a.ts", "libx264", "yuv420p"),
            ("a.flv", "libx264", "yuv420p"),
            ("b.mkv", "ffv1", "yuv420p"),
            ("b.mov", "prores_ks", "yuv422p10le"),
            ("c.mov", "mjpeg", "yuvj420p"),
            ("a.gif", "gif", "rgb8"),
        ],
    )
    def test_a_whole_file_of_any_kind_raises_no_alarm(
        self, tmp_path: Path, name: str, codec: str, pixel_format: str
    ) -> None:
        path = write_clip(tmp_path / name, codec=codec, frames=30, pixel_format=pixel_format)
        assert len(frames_of(path)) == 30

    def test_variable_frame_rates_keep_every_time(self, tmp_path: Path) -> None:
        pts = [0, 1, 40, 41, 42, 130, 131, 300, 1000, 1001]
        path = write_clip(tmp_path / "a.mkv", frames=10, time_base=Fraction(1, 1000), pts=pts)
        assert seconds_of(path) == pytest.approx([tick / 1000 for tick in pts])

    def test_uneven_frames_have_their_mean_rate(self, tmp_path: Path) -> None:
        # As browsers record: the file states no rate, and FFmpeg guesses the clock's thousand.
        pts = np.cumsum(np.random.default_rng(1).choice([59, 67, 71, 83, 101], 120)).tolist()
        stated = write_clip(
            tmp_path / "a.webm", codec="libvpx", frames=120, time_base=Fraction(1, 1000), pts=pts
        )
        path = tmp_path / "b.webm"
        with av.open(str(stated)) as source, av.open(str(path), "w") as target:
            track = target.add_stream_from_template(source.streams.video[0], opaque=True)
            for packet in source.demux(video=0):
                if packet.size:
                    packet.stream = track
                    target.mux(packet)
        with VideoReader(path) as video:
            assert float(video.info.rate) == pytest.approx(1000 / np.diff(pts).mean(), rel=0.1)
            assert video.info.frame_count == pytest.approx(120, rel=0.1)

    def test_a_start_offset_is_kept(self, tmp_path: Path) -> None:
        path = write_clip(
            tmp_path / "a.mp4", frames=5, pts=range(10, 15), sounds=[Sound(seconds=0.6)]
        )
        assert seconds_of(path) == pytest.approx([0.4, 0.44, 0.48, 0.52, 0.56])

    def test_times_strictly_increase_where_the_file_has_none(self, tmp_path: Path) -> None:
        path = write_clip(tmp_path / "a.h264", frames=20, container_format="h264")
        steps = np.diff(seconds_of(path))
        assert len(steps) == 19
        assert (steps > 0).all()

    def test_a_clock_that_is_set_back_ends_the_video(self, tmp_path: Path) -> None:
        first = write_clip(tmp_path / "a.mpg", codec="mpeg2video", frames=100).read_bytes()
        path = tmp_path / "twice.mpg"
        path.write_bytes(first + first)
        with pytest.raises(SourceError, match="clock jumps back"):
            frames_of(path)

    def test_pictures_of_another_size_later_on_get_the_size_of_the_first(
        self, tmp_path: Path
    ) -> None:
        # Two raw streams in one file: the decoder meets new parameters in between.
        first = write_clip(tmp_path / "a.h264", frames=5, container_format="h264")
        second = write_clip(tmp_path / "b.h264", frames=5, size=(48, 32), container_format="h264")
        path = tmp_path / "both.h264"
        path.write_bytes(first.read_bytes() + second.read_bytes())
        frames = frames_of(path)
        assert len(frames) == 10
        assert {frame.size for frame in frames} == {(96, 64)}

    @pytest.mark.shared
    @pytest.mark.parametrize(
        ("name", "size", "count"),
        [("signer.mkv", (640, 480), 73), ("two_heads.mp4", (480, 270), 56)],
    )
    def test_shared_clips(self, shared: Path, name: str, size: tuple[int, int], count: int) -> None:
        with VideoReader(shared / "videos" / name) as source:
            assert source.info.size == size
            assert sum(1 for _ in source) == count


class TestLooks:
    """How frames look, and what their planes mean."""

    def test_a_view_shows_the_picture(self, tmp_path: Path) -> None:
        path = write_clip(tmp_path / "a.mkv", frames=2, codec="ffv1", pixel_format="bgr0")
        view = frames_of(path)[1].view((96, 64))
        assert view.flags.c_contiguous
        np.testing.assert_array_equal(view, picture(1, (96, 64))[:, :, ::-1])

    def test_a_reduced_view_averages(self, tmp_path: Path) -> None:
        path = write_clip(
            tmp_path / "a.mkv", frames=1, codec="ffv1", pixel_format="bgr0", noise=True
        )
        view = frames_of(path)[0].view((48, 32))
        blocks = picture(0, (96, 64), noise=True).reshape(32, 2, 48, 2, 3).mean(axis=(1, 3))
        assert np.abs(view.astype(float) - blocks[:, :, ::-1]).max() < 3

    @pytest.mark.parametrize(("tag", "black", "white"), [(1, 16, 235), (2, 0, 255)])
    def test_a_view_heeds_the_range(self, tmp_path: Path, tag: int, black: int, white: int) -> None:
        luma = np.full((64, 64), black, np.uint8)
        luma[:, 32:] = white
        frame = av.VideoFrame(64, 64, "yuv420p")
        for plane, values in zip(pixel_formats.planes(frame), (luma, 128, 128), strict=True):
            plane.samples[...] = values
        path = write_pictures(tmp_path / "a.mkv", [frame], codec="ffv1", color=(1, 1, 1, tag))
        (read,) = frames_of(path)
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
        expected = turned(picture(0, (96, 64))[:, :, ::-1])
        assert frame.orientation is orientation
        assert source.info.size == frame.size == expected.shape[1::-1]
        assert source.track.matrix == matrix
        np.testing.assert_array_equal(frame.view(frame.size), expected)

    def test_the_pixel_aspect_is_turned_with_the_picture(self, tmp_path: Path) -> None:
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
        assert frames_of(path)[0].layout.matrix == matrix


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
    return frame


def samples_of(frame: av.VideoFrame) -> list[npt.NDArray[Any]]:
    return [plane.samples.copy() for plane in pixel_formats.planes(frame)]


class TestPlanes:
    """The samples, and that writing into them stays in their frame."""

    @pytest.mark.parametrize(("name", "steps"), NATIVE)
    def test_native_formats_are_given_as_they_are(
        self, tmp_path: Path, name: str, steps: tuple[int, int]
    ) -> None:
        original = random_frame(name, (50, 38))
        path = write_pictures(tmp_path / "a.nut", [original], codec="rawvideo")
        (frame,) = frames_of(path)
        planes = frame.planes()
        assert frame.picture.format.name == name
        assert len(planes) == (1 if name.startswith("gray") else 3)
        assert [(plane.x_step, plane.y_step) for plane in planes[1:]] == [steps] * (len(planes) - 1)
        for plane, samples in zip(planes, samples_of(original), strict=True):
            np.testing.assert_array_equal(plane.samples, samples)

    @pytest.mark.parametrize(("name", "native"), CONVERTED)
    def test_other_formats_become_planar_without_loss(
        self, tmp_path: Path, name: str, native: str
    ) -> None:
        original = random_frame(native, (64, 48))
        path = write_pictures(
            tmp_path / "a.nut", [original.reformat(format=name)], codec="rawvideo"
        )
        (frame,) = frames_of(path)
        assert frame.picture.format.name == native
        for ours, theirs in zip(samples_of(frame.picture), samples_of(original), strict=True):
            np.testing.assert_array_equal(ours, theirs)

    def test_a_palette_becomes_rgb(self, tmp_path: Path) -> None:
        path = write_clip(tmp_path / "a.gif", frames=2, codec="gif", pixel_format="rgb8")
        first, second = frames_of(path)
        assert first.layout.family == second.layout.family == "rgb"
        shown = picture(1, (96, 64)).astype(int)
        assert np.abs(second.view((96, 64))[:, :, ::-1] - shown).mean() < 40  # 3, 3, 2 bits

    def test_rgb_planes_come_as_red_green_blue(self, tmp_path: Path) -> None:
        path = write_clip(tmp_path / "a.mkv", frames=1, codec="ffv1", pixel_format="bgr0")
        (frame,) = frames_of(path)
        shown = np.stack([plane.samples for plane in frame.planes()], axis=-1)
        np.testing.assert_array_equal(shown, picture(0, (96, 64)))

    def test_pictures_stored_bottom_up_are_given_top_down(self, tmp_path: Path) -> None:
        path = write_clip(tmp_path / "a.avi", frames=1, codec="rawvideo", pixel_format="bgr24")
        (frame,) = frames_of(path)
        np.testing.assert_array_equal(frame.view((96, 64)), picture(0, (96, 64))[:, :, ::-1])
        shown = np.stack([plane.samples for plane in frame.planes()], axis=-1)
        np.testing.assert_array_equal(shown, picture(0, (96, 64)))

    @pytest.mark.parametrize("codec", ["libx264", "libx265", "libvpx-vp9", "libsvtav1", "mpeg4"])
    def test_writing_into_a_frame_does_not_reach_later_ones(
        self, tmp_path: Path, codec: str
    ) -> None:
        # Frames predicted from others: without a copy, black boxes bleed into what follows.
        path = write_clip(tmp_path / "a.mkv", codec=codec, frames=20, gop=20)
        untouched = [samples_of(frame.picture) for frame in frames_of(path)]
        with VideoReader(path) as source:
            for frame, expected in zip(source, untouched, strict=True):
                for plane, samples in zip(frame.planes(), expected, strict=True):
                    np.testing.assert_array_equal(plane.samples, samples)
                    plane.samples[4:24, 8:32] = 0

    def test_what_is_written_is_seen_and_kept(self, tmp_path: Path) -> None:
        (frame,) = frames_of(write_clip(tmp_path / "a.mp4", frames=1))
        for plane, value in zip(frame.planes(), (16, 128, 128), strict=True):
            plane.samples[...] = value
        assert frame.view((96, 64)).max() <= 1
        assert frame.planes()[0].samples.max() == 16


BROKEN = [
    ("a.mp4", "libx264", {"container_options": {"movflags": "faststart"}}),
    ("frag.mp4", "libx264", {"container_options": {"movflags": "frag_keyframe+empty_moov"}}),
    ("a.mov", "libx265", {"container_options": {"movflags": "faststart"}}),
    ("a.mkv", "libx264", {}),
    ("a.webm", "libvpx-vp9", {}),
    ("a.avi", "mpeg4", {}),
    ("a.gif", "gif", {"pixel_format": "rgb8"}),
]


class TestDamage:
    """A part is never taken for the whole."""

    @pytest.mark.parametrize(("name", "codec", "options"), BROKEN)
    @pytest.mark.parametrize("ratio", [0.97, 0.6])
    def test_a_file_that_breaks_off_is_refused_or_read_as_a_part(
        self, tmp_path: Path, name: str, codec: str, options: dict[str, Any], ratio: float
    ) -> None:
        path = cut(
            write_clip(tmp_path / name, codec=codec, frames=60, noise=True, **options), ratio
        )
        with pytest.raises(SourceError, match=r"breaks off.*`partial`") as caught:
            frames_of(path)
        assert str(path) in str(caught.value)
        assert "\n" not in str(caught.value)
        with VideoReader(path, partial=True) as source:
            assert not source.is_partial
            count = sum(1 for _ in source)
        assert source.is_partial
        assert 0 < count <= 60
        (warning,) = source.warnings
        assert "breaks off" in warning

    def test_a_transport_stream_that_ends_inside_of_a_picture(self, tmp_path: Path) -> None:
        path = write_clip(tmp_path / "a.ts", frames=40, size=(320, 240), noise=True, gop=40)
        with av.open(str(path)) as container:
            last = [packet for packet in container.demux(video=0) if packet.size][30]
        assert last.pos is not None
        path.write_bytes(path.read_bytes()[: last.pos + last.size // 2 // 188 * 188])
        with pytest.raises(SourceError, match="breaks off after"):
            frames_of(path)

    def test_a_recording_that_starts_in_between_is_whole(self, tmp_path: Path) -> None:
        path = write_clip(tmp_path / "a.ts", frames=60, noise=True, gop=12, sounds=[Sound()])
        data = path.read_bytes()
        packets = len(data) // 188
        for skipped in range(1, packets // 2, packets // 12):
            path.write_bytes(data[skipped * 188 :])
            with VideoReader(path) as source:
                count = sum(1 for _ in source)
            assert 24 <= count <= 60
            assert not source.is_partial

    def test_a_live_recording_without_length_or_index_is_whole(self, tmp_path: Path) -> None:
        # As browsers record: unknown sizes, no duration, no cues.
        path = write_clip(
            tmp_path / "a.webm",
            codec="libvpx",
            frames=60,
            container_options={"live": "1"},
            sounds=[Sound("libopus")],
        )
        with av.open(str(path)) as container:
            assert container.duration is None
        assert len(frames_of(path)) == 60

    def test_sound_longer_than_the_pictures_is_no_damage(self, tmp_path: Path) -> None:
        for name in ("a.mp4", "a.mkv", "a.flv"):
            path = write_clip(tmp_path / name, frames=25, sounds=[Sound(seconds=4)])
            assert len(frames_of(path)) == 25

    def test_pictures_longer_than_the_sound_are_no_damage(self, tmp_path: Path) -> None:
        for name in ("a.mp4", "a.mkv"):
            path = write_clip(tmp_path / name, frames=75, sounds=[Sound(seconds=0.5)])
            assert len(frames_of(path)) == 75

    @pytest.mark.parametrize("name", ["a.mkv", "a.mp4", "a.flv", "a.ts"])
    def test_a_late_start_is_no_damage(self, tmp_path: Path, name: str) -> None:
        path = write_clip(tmp_path / name, frames=30, pts=range(150, 180))
        assert len(frames_of(path)) == 30

    def test_subtitles_that_outlast_the_pictures_are_no_damage(self, tmp_path: Path) -> None:
        late = Captions(lines=[(0.1, 0.5, "early"), (5, 8, "late")])
        path = write_clip(tmp_path / "a.mkv", frames=25, captions=[late])
        assert len(frames_of(path)) == 25

    def test_frames_outside_of_an_edit_list_are_no_damage(self, tmp_path: Path) -> None:
        # Shifted before zero, the first pictures are decoded but not shown.
        whole = write_clip(tmp_path / "a.mp4", frames=40, gop=40)
        path = tmp_path / "edited.mp4"
        with av.open(str(whole)) as source, av.open(str(path), "w") as target:
            track = target.add_stream_from_template(source.streams.video[0], opaque=True)
            for packet in source.demux(video=0):
                if packet.size:
                    packet.pts -= 10 * 512
                    packet.dts -= 10 * 512
                    packet.stream = track
                    target.mux(packet)
        assert len(frames_of(path)) == 30

    def test_bytes_that_are_lost_in_the_middle_are_noticed(self, tmp_path: Path) -> None:
        path = write_clip(tmp_path / "a.mp4", frames=60, noise=True)
        with av.open(str(path)) as container:
            packets = [packet for packet in container.demux(video=0) if packet.size]
        lost = packets[30]
        assert lost.pos is not None
        data = bytearray(path.read_bytes())
        data[lost.pos : lost.pos + lost.size] = bytes(lost.size)
        path.write_bytes(data)
        with pytest.raises(SourceError, match="breaks off after"):
            frames_of(path)
        with VideoReader(path, partial=True) as source:
            assert sum(1 for _ in source) > 0
        assert source.is_partial

    @pytest.mark.parametrize("number", [57, 58, 59])
    def test_pictures_lost_at_the_very_end_are_noticed(self, tmp_path: Path, number: int) -> None:
        # PyAV drops a decoder's error when it comes beside other pictures, as at the end.
        path = write_clip(tmp_path / "a.mp4", frames=60, noise=True, options={"bf": "0"})
        with av.open(str(path)) as container:
            packets = [packet for packet in container.demux(video=0) if packet.size]
        lost = packets[number]
        assert lost.pos is not None
        data = bytearray(path.read_bytes())
        data[lost.pos : lost.pos + lost.size] = b"\xff" * lost.size
        path.write_bytes(data)
        with pytest.raises(SourceError, match="breaks off after"):
            frames_of(path)

    def test_an_end_that_was_never_downloaded_is_noticed(self, tmp_path: Path) -> None:
        # Some programs reserve the whole length first: the size is right, the end is zeros.
        path = write_clip(tmp_path / "a.mkv", frames=200, noise=True)
        with av.open(str(path)) as container:
            first_lost = [packet for packet in container.demux(video=0) if packet.size][100]
        assert first_lost.pos is not None
        data = path.read_bytes()
        path.write_bytes(data[: first_lost.pos].ljust(len(data), b"\0"))
        with pytest.raises(SourceError, match=r"ends at [\d.]+ of 8.0 seconds"):
            frames_of(path)

    def test_a_missing_index_is_refused(self, tmp_path: Path) -> None:
        path = cut(write_clip(tmp_path / "a.mp4", frames=60, noise=True), 0.5)
        with pytest.raises(SourceError, match="not whole"):
            VideoReader(path)


class TestRefusals:
    """What is no video, said in one line."""

    def refused(self, path: Path, reason: str) -> None:
        with pytest.raises(SourceError, match=reason) as caught:
            VideoReader(path)
        assert str(path) in str(caught.value)
        assert "\n" not in str(caught.value)

    def test_no_such_file(self, tmp_path: Path) -> None:
        self.refused(tmp_path / "none.mp4", "no such file")

    def test_a_folder(self, tmp_path: Path) -> None:
        self.refused(tmp_path, "is a folder")

    def test_an_empty_file(self, tmp_path: Path) -> None:
        (tmp_path / "a.mp4").touch()
        self.refused(tmp_path / "a.mp4", rf"^{tmp_path}/a\.mp4: is empty: get the whole file$")

    @pytest.mark.parametrize("name", ["a.mp4", "a.txt", "a.nfo", "a"])
    def test_text(self, tmp_path: Path, name: str) -> None:
        (tmp_path / name).write_text("Nothing to see here.\n" * 500)
        self.refused(tmp_path / name, "is no video")

    def test_random_bytes(self, tmp_path: Path) -> None:
        data = np.random.default_rng(1).integers(0, 256, 100_000, np.uint8).tobytes()
        (tmp_path / "a.mkv").write_bytes(data)
        with pytest.raises(SourceError):
            frames_of(tmp_path / "a.mkv")

    def test_sound_alone(self, tmp_path: Path) -> None:
        path = tmp_path / "a.mka"
        with av.open(str(path), "w", format="matroska") as container:
            stream = container.add_stream("pcm_s16le", rate=48000)
            stream.layout = "mono"
            sound = av.AudioFrame.from_ndarray(np.zeros((1, 4800), np.int16), "s16", "mono")
            sound.sample_rate = 48000
            container.mux(stream.encode(sound))
        self.refused(path, "has no picture track")

    def test_a_cover_is_no_picture_track(self, tmp_path: Path) -> None:
        path = write_clip(tmp_path / "a.mp4", frames=0, cover=True, sounds=[Sound(seconds=1)])
        self.refused(path, "has no picture track|holds no pictures")

    def test_the_cover_is_not_taken_for_the_video(self, tmp_path: Path) -> None:
        path = write_clip(tmp_path / "a.mp4", frames=5, cover=True)
        with VideoReader(path) as source:
            assert source.info.size == (96, 64)
            assert source.warnings == ()

    def test_an_unknown_codec(self, tmp_path: Path) -> None:
        path = write_clip(tmp_path / "a.avi", codec="mpeg4", frames=5)
        data = path.read_bytes().replace(b"FMP4", b"Zq7!")
        path.write_bytes(data)
        self.refused(path, "unknown kind|is no video")

    def test_further_picture_tracks_are_named(self, tmp_path: Path) -> None:
        path = tmp_path / "a.mkv"
        with av.open(str(path), "w") as container:
            streams = [container.add_stream("mpeg4", rate=25) for _ in range(2)]
            for stream in streams:
                stream.width, stream.height = 96, 64
            for index in range(5):
                for stream in streams:
                    frame = av.VideoFrame.from_ndarray(picture(index, (96, 64)), "rgb24")
                    frame.pts = index
                    frame.time_base = Fraction(1, 25)
                    container.mux(stream.encode(frame.reformat(format="yuv420p")))
        with VideoReader(path) as source:
            assert len(list(source)) == 5
        (warning,) = source.warnings
        assert "track 1 is left out" in warning


class Requests(http.server.BaseHTTPRequestHandler):
    """Counts who comes."""

    count = 0

    def do_GET(self) -> None:
        type(self).count += 1
        self.send_error(404)

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def server() -> Iterator[int]:
    Requests.count = 0
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Requests) as running:
        thread = threading.Thread(target=running.serve_forever, args=(0.05,), daemon=True)
        thread.start()
        yield running.server_port
        running.shutdown()
        thread.join()


class TestQuiet:
    """A file is read, and nothing else: no network, no other files, no noise."""

    @pytest.mark.parametrize(
        ("name", "text"),
        [
            (
                "a.m3u8",
                "#EXTM3U\n#EXT-X-TARGETDURATION:5\n#EXTINF:5,\n{url}/a.ts\n#EXT-X-ENDLIST\n",
            ),
            ("a.ffconcat", "ffconcat version 1.0\nfile '{url}/a.mp4'\n"),
            (
                "a.mpd",
                '<?xml version="1.0"?><MPD xmlns="urn:mpeg:dash:schema:mpd:2011" '
                'type="static"><Period><BaseURL>{url}/</BaseURL><AdaptationSet><Representation '
                'id="1"><SegmentList><SegmentURL media="a.mp4"/></SegmentList></Representation>'
                "</AdaptationSet></Period></MPD>",
            ),
        ],
    )
    def test_lists_of_addresses_are_refused_without_asking(
        self, tmp_path: Path, server: int, name: str, text: str
    ) -> None:
        path = tmp_path / name
        path.write_text(text.format(url=f"http://127.0.0.1:{server}"))
        with pytest.raises(SourceError):
            VideoReader(path)
        assert Requests.count == 0

    def test_lists_of_local_files_are_refused(self, tmp_path: Path) -> None:
        write_clip(tmp_path / "other.ts", frames=5)
        path = tmp_path / "a.m3u8"
        path.write_text("#EXTM3U\n#EXT-X-TARGETDURATION:1\n#EXTINF:1,\nother.ts\n#EXT-X-ENDLIST\n")
        with pytest.raises(SourceError, match="text or a list"):
            VideoReader(path)

    def test_a_name_like_an_address_is_a_name(
        self, tmp_path: Path, server: int, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.chdir(tmp_path)
        with pytest.raises(SourceError, match="is no file"):
            VideoReader(Path(f"http://127.0.0.1:{server}/a.mp4"))
        write_clip(tmp_path / "real.mp4", frames=3).rename(tmp_path / "concat:a|b%03d.mp4")
        assert len(frames_of(Path("concat:a|b%03d.mp4"))) == 3
        assert Requests.count == 0

    def test_damage_is_not_reported_on_the_terminal(self, tmp_path: Path) -> None:
        path = write_clip(tmp_path / "a.mp4", frames=40, noise=True)
        data = bytearray(path.read_bytes())
        data[2000:4000] = bytes(2000)
        path.write_bytes(data)
        program = (
            "import sys; from pathlib import Path\n"
            "from tracker_blur.video.reader import VideoReader\n"
            "with VideoReader(Path(sys.argv[1]), partial=True) as source: list(source)\n"
            "assert source.is_partial\n"
        )
        done = subprocess.run(
            [sys.executable, "-c", program, str(path)], capture_output=True, check=True
        )
        assert done.stdout + done.stderr == b""
