"""Videos as they are written: new pictures, and everything else as it was."""

from __future__ import annotations

import hashlib
import io
import itertools
import os
import re
import struct
import subprocess
import sys
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest
from PIL import Image

from tests.video_files import (
    MIRRORED,
    ROTATED_90_CLOCKWISE,
    Captions,
    Sound,
    picture,
    write_clip,
    write_pictures,
)
from tracker_blur.core.frame import RedactedFrame
from tracker_blur.errors import SettingsError, SinkError, SourceError
from tracker_blur.settings import Settings
from tracker_blur.video import pixel_formats, stream_copy, stream_info
from tracker_blur.video.frame import DecodedFrame
from tracker_blur.video.reader import VideoReader
from tracker_blur.video.writer import VideoWriter

HDR_COLOR = (9, 16, 9, 1)  # BT.2020, PQ, video range
HDR = (
    "hdr10=1:master-display=G(13250,34500)B(7500,3000)R(34000,16000)WP(15635,16450)"
    "L(10000000,50):max-cll=1000,400"
)


SECRETS = {
    "title": "SECRET birthday",
    "comment": "SECRET comment",
    "artist": "SECRET artist",
    "location": "+47.3769+008.5417/",
    "make": "SECRET make",
    "model": "SECRET model",
    "com.apple.quicktime.location.ISO6709": "+47.3769+008.5417+400.000/",
    "creation_time": "2021-03-04T05:06:07.000000Z",
    "encoder": "SECRET encoder",
}


def rewrite(source: Path, target: Path, **settings: Any) -> Path:
    """Send a video through, unredacted."""
    partial = settings.get("partial", False)
    with (
        VideoReader(source, partial=partial) as frames,
        VideoWriter(target, source, frames, Settings(**settings)) as sink,
    ):
        for frame in frames:
            sink.write(RedactedFrame(frame))
    return target


def times(path: Path) -> list[Fraction]:
    """Return the pictures' times as a plain decoder tells them, in seconds."""
    with av.open(str(path)) as container:
        return [frame.pts * frame.time_base for frame in container.decode(video=0)]


def first_frame(path: Path) -> av.VideoFrame:
    with av.open(str(path)) as container:
        return next(container.decode(video=0))


def packets(path: Path, kind: str, number: int = 0) -> list[tuple[Fraction, bytes]]:
    """Return (time in seconds, payload) of each packet of a track with content."""
    with av.open(str(path)) as container:
        stream = [stream for stream in container.streams if stream.type == kind][number]
        return [
            (packet.pts * packet.time_base, bytes(packet))
            for packet in container.demux(stream)
            if packet.size and bytes(packet) != b"\0\0"
        ]


def all_samples(path: Path) -> list[list[Any]]:
    with VideoReader(path) as source:
        return [
            [plane.samples.copy() for plane in pixel_formats.planes(frame.picture)]
            for frame in source
        ]


def fingerprint(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def with_vorbis(path: Path, comment: bytes) -> Path:
    """Write a video whose Vorbis sound has a comment in its headers."""
    codec = "libvpx" if path.suffix == ".webm" else "mpeg4"
    pictures = write_clip(path.with_name(f"pictures{path.suffix}"), frames=5, codec=codec)
    encoder = av.CodecContext.create("vorbis", "w")
    encoder.sample_rate, encoder.layout, encoder.format = 44100, "stereo", "fltp"
    encoder.time_base = Fraction(1, 44100)
    encoder.options = {"strict": "experimental"}
    encoder.open()
    noise = np.random.default_rng(0).uniform(-0.1, 0.1, (2, 8820)).astype(np.float32)
    encoded = []
    for start in range(0, 8192, 1024):
        part = av.AudioFrame.from_ndarray(noise[:, start : start + 1024], "fltp", "stereo")
        part.sample_rate, part.pts, part.time_base = 44100, start, Fraction(1, 44100)
        encoded += encoder.encode(part)
    encoded += encoder.encode(None)
    headers = stream_copy.headers(encoder.extradata or b"")
    tagged = b"\x03vorbis" + struct.pack("<III", 0, 1, len(comment)) + comment + b"\x01"
    with av.open(str(pictures)) as reader, av.open(str(path), "w") as writer:
        picture_track = writer.add_stream_from_template(reader.streams.video[0])
        sound_track = writer.add_stream("vorbis", rate=44100, options={"strict": "experimental"})
        sound_track.layout = "stereo"
        sound_track.codec_context.open()
        sound_track.codec_context.extradata = stream_copy.laced(headers[0], tagged, headers[2])
        for packet in reader.demux(video=0):
            if packet.dts is not None:
                packet.stream = picture_track
                writer.mux(packet)
        for sound in encoded:
            sound.stream = sound_track
            writer.mux(sound)
    pictures.unlink()
    return path


def names(folder: Path) -> list[str]:
    return sorted(entry.name for entry in folder.iterdir())


class TestTiming:
    """Frame count and times, sound in step."""

    @pytest.mark.parametrize("name", ["out.mp4", "out.mov", "out.m4v", "out.mkv"])
    def test_frames_and_sound_keep_their_times(self, tmp_path: Path, name: str) -> None:
        source = write_clip(tmp_path / "in.mp4", frames=40, sounds=[Sound()])
        target = rewrite(source, tmp_path / name)
        shift = times(source)[0] - times(target)[0]
        for before, after in zip(times(source), times(target), strict=True):
            assert abs(before - after - shift) <= Fraction(1, 1000)
        sound_before, sound_after = packets(source, "audio"), packets(target, "audio")
        assert [data for _, data in sound_before] == [data for _, data in sound_after]
        for (before, _), (after, _) in zip(sound_before, sound_after, strict=True):
            assert abs(before - after - shift) <= Fraction(1, 1000)
        if not name.endswith("mkv"):  # whose clock ticks in milliseconds, from zero
            assert times(source) == times(target)
            assert sound_before == sound_after

    @pytest.mark.parametrize(
        ("first", "second"),
        [
            ("in.mkv", "out.mkv"),
            ("in.mkv", "out.mp4"),
            ("in.mp4", "out.mp4"),
            ("in.mp4", "out.mkv"),
            ("in.webm", "out.webm"),
        ],
    )
    @pytest.mark.parametrize(("video_start", "sound_start"), [(0.0, 0.4), (0.52, 0.0), (0.8, 0.2)])
    def test_start_offsets_stay(
        self, tmp_path: Path, first: str, second: str, video_start: float, sound_start: float
    ) -> None:
        is_webm = first.endswith("webm")
        start = round(video_start * 25)
        source = write_clip(
            tmp_path / first,
            frames=30,
            codec="libvpx-vp9" if is_webm else "libx264",
            pts=range(start, start + 30),
            sounds=[Sound("libopus" if is_webm else "aac", start=sound_start)],
        )
        target = rewrite(source, tmp_path / second)
        pictures = times(target)[0] - times(source)[0]
        sounds = packets(target, "audio")[0][0] - packets(source, "audio")[0][0]
        assert abs(pictures - sounds) <= Fraction(1, 1000)
        if first[-3:] == second[-3:]:
            assert abs(pictures) <= Fraction(1, 1000)
        step = [after - before for before, after in zip(times(source), times(target), strict=True)]
        assert max(step) - min(step) <= Fraction(1, 1000)

    @pytest.mark.parametrize("name", ["out.mp4", "out.mkv", "out.mov"])
    def test_variable_frame_rates_stay(self, tmp_path: Path, name: str) -> None:
        pts = [0, 1, 40, 41, 42, 130, 131, 300, 1000, 1001]
        source = write_clip(tmp_path / "in.mkv", frames=10, time_base=Fraction(1, 1000), pts=pts)
        assert times(rewrite(source, tmp_path / name)) == [Fraction(tick, 1000) for tick in pts]

    @pytest.mark.parametrize(
        "rate", [Fraction(30000, 1001), Fraction(24000, 1001), Fraction(60), Fraction(5625, 188)]
    )
    def test_odd_frame_rates_are_exact(self, tmp_path: Path, rate: Fraction) -> None:
        source = write_clip(tmp_path / "in.mp4", frames=30, rate=rate)
        target = rewrite(source, tmp_path / "out.mp4")
        assert times(target) == times(source)
        with av.open(str(source)) as before, av.open(str(target)) as after:
            assert before.streams.video[0].average_rate == after.streams.video[0].average_rate
            lengths = [
                container.streams.video[0].duration * container.streams.video[0].time_base
                for container in (before, after)
            ]
        assert abs(lengths[0] - lengths[1]) <= Fraction(1, 1000)

    @pytest.mark.parametrize(
        ("name", "codec", "pixel_format"),
        [
            ("in.mp4", "libx265", "yuv420p"),
            ("in.mp4", "libsvtav1", "yuv420p"),
            ("in.mp4", "libvpx-vp9", "yuv420p"),
            ("in.webm", "libvpx", "yuv420p"),
            ("in.mp4", "mpeg4", "yuv420p"),
            ("in.mkv", "mpeg2video", "yuv420p"),
            ("in.mov", "mjpeg", "yuvj420p"),
            ("in.mov", "prores_ks", "yuv422p10le"),
            ("in.mkv", "ffv1", "yuv420p"),
        ],
    )
    def test_every_codec_is_kept_with_its_times(
        self, tmp_path: Path, name: str, codec: str, pixel_format: str
    ) -> None:
        time_base = Fraction(1, 1000)
        pts = [0, 40, 80, 120, 200, 240, 400, 440, 480, 520, 560, 600]
        source = write_clip(
            tmp_path / "plain.mkv", frames=12, codec="ffv1", time_base=time_base, pts=pts
        )
        first = write_clip(tmp_path / name, frames=12, codec=codec, pixel_format=pixel_format)
        target = rewrite(first, tmp_path / f"out{first.suffix}")
        assert times(target) == times(first)
        with av.open(str(first)) as before, av.open(str(target)) as after:
            kinds = [
                container.streams.video[0].codec_context.codec.canonical_name
                for container in (before, after)
            ]
        assert kinds[0] == kinds[1]
        # and at uneven times
        codecs = {"encoder": codec}
        uneven = rewrite(source, tmp_path / f"uneven{first.suffix}", **codecs)
        assert times(uneven) == [Fraction(tick, 1000) for tick in pts]

    def test_a_broadcast_clock_starts_at_zero_in_step(self, tmp_path: Path) -> None:
        source = write_clip(
            tmp_path / "in.ts",
            frames=30,
            pts=range(100_000, 100_030),
            sounds=[Sound(start=4000.0)],
        )
        target = rewrite(source, tmp_path / "out.mp4")
        assert times(target)[0] < 1
        pictures = times(source)[0] - times(target)[0]
        sounds = packets(source, "audio")[0][0] - packets(target, "audio")[0][0]
        assert abs(pictures - sounds) <= Fraction(1, 1000)

    @pytest.mark.shared
    @pytest.mark.parametrize("name", ["runner_portrait.mp4", "signer.mkv", "dancer.mp4"])
    def test_shared_clips_stay_in_step(self, shared: Path, tmp_path: Path, name: str) -> None:
        source = shared / "videos" / name
        target = rewrite(source, tmp_path / f"out{source.suffix}", preset="ultrafast")
        assert times(target) == times(source)
        if name.endswith("mp4"):
            assert packets(target, "audio") == packets(source, "audio")


class TestPixels:
    """Nothing changes but for the encoder, and what was redacted."""

    @pytest.mark.parametrize(
        "name",
        ["yuv420p", "yuv422p10le", "yuv444p", "gbrp", "gray", "yuv420p12le", "nv12", "rgb24"],
    )
    def test_unredacted_pixels_are_identical_before_encoding(
        self, tmp_path: Path, name: str
    ) -> None:
        frames = [
            av.VideoFrame.from_ndarray(picture(index, (98, 66), noise=True), "rgb24").reformat(
                format=name
            )
            for index in range(4)
        ]
        source = write_pictures(tmp_path / "in.nut", frames, codec="rawvideo")
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
        assert np.abs(shown - picture(0, size)).mean() < 25

    @pytest.mark.parametrize("size", [(97, 64), (96, 65), (65, 49)])
    @pytest.mark.parametrize("codec", ["h264", "hevc"])
    def test_rgb_keeps_an_odd_size(self, tmp_path: Path, size: tuple[int, int], codec: str) -> None:
        source = write_clip(
            tmp_path / "in.mov", codec="png", pixel_format="rgb24", frames=3, size=size
        )
        with VideoReader(source) as frames:
            sink = VideoWriter(tmp_path / "out.mov", source, frames, Settings(codec=codec))
        assert sink.warnings == ()
        frame = first_frame(rewrite(source, tmp_path / "out.mov", codec=codec))
        assert (frame.width, frame.height) == size
        shown = frame.to_ndarray(format="rgb24").astype(int)
        assert np.abs(shown - picture(0, size)).mean() < 5

    @pytest.mark.parametrize("size", [(97, 64), (96, 65), (65, 49)])
    @pytest.mark.parametrize("codec", ["h264", "hevc", "av1"])
    def test_a_size_that_must_grow_is_told_and_covered_as_its_border_is(
        self, tmp_path: Path, size: tuple[int, int], codec: str
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
        said = f"is {even[0]}x{even[1]} instead of {width}x{height}, its last column or row repeat"
        assert said in warning
        shown = first_frame(target).to_ndarray(format="rgb24")
        assert shown.shape[1::-1] == even
        assert shown[-25:, -25:].min() > 225

    @pytest.mark.parametrize("name", ["mp4", "mov", "mkv"])
    @pytest.mark.parametrize("frames", [1, 2, 3, 4])
    def test_the_shortest_videos_are_written_as_hevc(
        self, tmp_path: Path, frames: int, name: str
    ) -> None:
        # x265 made up decoding times of one or two pictures, so most of these writes failed.
        source = write_clip(tmp_path / f"in.{name}", frames=frames)
        for attempt in range(3):
            target = rewrite(source, tmp_path / f"{attempt}.{name}", codec="hevc")
            assert times(target) == times(source)

    def test_the_input_s_picture_types_are_not_copied(self, tmp_path: Path) -> None:
        # x264 would make each of these a key frame.
        source = write_clip(tmp_path / "in.mov", codec="mjpeg", pixel_format="yuvj420p", frames=30)
        target = rewrite(source, tmp_path / "out.mp4", codec="h264")
        with av.open(str(target)) as container:
            keys = [packet.is_keyframe for packet in container.demux(video=0) if packet.size]
        assert sum(keys) == 1


class TestLook:
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

    def test_depth_goes_before_codec(self, tmp_path: Path) -> None:
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

    def test_rgb_becomes_what_players_know(self, tmp_path: Path) -> None:
        source = write_clip(tmp_path / "in.mkv", codec="ffv1", pixel_format="bgr0", frames=3)
        target = rewrite(source, tmp_path / "out.mp4")
        assert first_frame(target).format.name == "yuv420p"
        with VideoReader(target) as after:
            view = next(iter(after)).view((96, 64)).astype(int)
        difference = view - picture(0, (96, 64))[:, :, ::-1]
        assert np.abs(difference.mean(axis=(0, 1))).max() < 3

    def test_interlaced_pictures_stay_interlaced(self, tmp_path: Path) -> None:
        source = write_clip(tmp_path / "in.mp4", frames=6, size=(96, 96), interlaced=True)
        assert first_frame(source).interlaced_frame
        target = rewrite(source, tmp_path / "out.mp4")
        assert first_frame(target).interlaced_frame
        assert times(target) == times(source)


class TestTracks:
    """Sound, subtitles, chapters and fonts."""

    @pytest.mark.parametrize("suffix", [".mp4", ".mkv"])
    def test_every_sound_track_stays(self, tmp_path: Path, suffix: str) -> None:
        sounds = [
            Sound("aac", language="eng", title="Main"),
            Sound("ac3", language="deu"),
            Sound("libopus", language="fra", title="Commentary", disposition=8),
        ]
        source = write_clip(tmp_path / f"in{suffix}", frames=30, sounds=sounds)
        target = rewrite(source, tmp_path / f"out{suffix}")
        with av.open(str(source)) as before, av.open(str(target)) as after:
            assert len(after.streams.audio) == 3
            for ours, theirs in zip(before.streams.audio, after.streams.audio, strict=True):
                assert ours.codec_context.name == theirs.codec_context.name
                assert ours.language == theirs.language
                assert ours.disposition == theirs.disposition
                key = "name" if suffix == ".mp4" else "title"
                assert ours.metadata.get(key) == theirs.metadata.get(key)
        for number in range(3):
            assert packets(source, "audio", number) == packets(target, "audio", number)

    def test_the_order_of_tracks_stays(self, tmp_path: Path) -> None:
        path = tmp_path / "in.mkv"
        clip = write_clip(tmp_path / "clip.mkv", frames=10, sounds=[Sound()])
        with av.open(str(clip)) as source, av.open(str(path), "w") as target:
            tracks = {
                stream.index: target.add_stream_from_template(stream, opaque=True)
                for stream in reversed(list(source.streams))
            }
            for packet in source.demux():
                if packet.size:
                    packet.stream = tracks[packet.stream.index]
                    target.mux(packet)
        with av.open(str(rewrite(path, tmp_path / "out.mkv"))) as container:
            assert [stream.type for stream in container.streams] == ["audio", "video"]

    @pytest.mark.parametrize("suffix", [".mp4", ".mkv", ".webm"])
    def test_subtitles_of_the_same_kind_are_copied(self, tmp_path: Path, suffix: str) -> None:
        codec = {".mp4": "mov_text", ".mkv": "subrip", ".webm": "webvtt"}[suffix]
        source = write_clip(
            tmp_path / f"in{suffix}",
            codec="libvpx" if suffix == ".webm" else "libx264",
            frames=60,
            captions=[Captions(codec), Captions(codec, [(0.1, 2, "andere")], "deu")],
        )
        target = rewrite(source, tmp_path / f"out{suffix}")
        for number in range(2):
            assert packets(target, "subtitle", number) == packets(source, "subtitle", number)
        with av.open(str(target)) as container:
            assert [stream.language for stream in container.streams.subtitles] == ["eng", "deu"]

    @pytest.mark.parametrize(
        ("first", "codec", "second"),
        [
            ("in.mkv", "subrip", "out.mp4"),
            ("in.mkv", "ass", "out.mp4"),
            ("in.mp4", "mov_text", "out.mkv"),
            ("in.mkv", "webvtt", "out.mov"),
            ("in.mkv", "subrip", "out.webm"),
        ],
    )
    def test_text_subtitles_change_their_form_with_the_container(
        self, tmp_path: Path, first: str, codec: str, second: str
    ) -> None:
        lines = [(0.2, 0.6, "one"), (0.8, 1.4, r"{\i1}two{\i0}\Nlines ä & ö"), (1.5, 2.0, "three")]
        source = write_clip(tmp_path / first, frames=60, captions=[Captions(codec, lines)])
        target = rewrite(source, tmp_path / second)
        with av.open(str(target)) as container:
            (stream,) = container.streams.subtitles
            shown = []
            for packet in container.demux(stream):
                if packet.size:
                    text = [caption.dialogue.decode() for caption in stream.decode(packet)]
                    end = packet.pts + packet.duration
                    span = float(packet.pts * packet.time_base), float(end * packet.time_base)
                    shown += [(*span, line) for line in text]
            assert stream.language == "eng"
        assert [(start, end) for start, end, _ in shown] == [
            pytest.approx(line[:2], abs=1e-3) for line in lines
        ]
        assert [re.sub(r"\{.*?\}", "", text).replace("\n", "|") for _, _, text in shown] == [
            "one",
            "two|lines ä & ö",
            "three",
        ]

    def test_late_and_sparse_subtitles_do_not_hold_up_the_rest(self, tmp_path: Path) -> None:
        source = write_clip(
            tmp_path / "in.mkv",
            frames=60,
            captions=[Captions(lines=[(0.1, 0.4, "early"), (30, 31, "late")])],
            sounds=[Sound()],
        )
        target = rewrite(source, tmp_path / "out.mkv")
        assert packets(target, "subtitle") == packets(source, "subtitle")

    @pytest.mark.parametrize(("first", "second"), [("mp4", "mp4"), ("mkv", "mkv"), ("mkv", "mp4")])
    def test_chapters_stay(self, tmp_path: Path, first: str, second: str) -> None:
        chapters = [(0, 0.4, "Arrival"), (0.4, 1, "Dinner")]
        source = write_clip(tmp_path / f"in.{first}", frames=25, chapters=chapters)
        with av.open(str(rewrite(source, tmp_path / f"out.{second}"))) as container:
            found = [
                (
                    float(chapter["start"] * chapter["time_base"]),
                    float(chapter["end"] * chapter["time_base"]),
                    chapter["metadata"]["title"],
                )
                for chapter in container.chapters()
            ]
        assert [chapter[:2] for chapter in found] == [
            pytest.approx(chapter[:2], abs=1e-3) for chapter in chapters
        ]
        assert [chapter[2] for chapter in found] == ["Arrival", "Dinner"]

    def test_fonts_stay_in_matroska(self, tmp_path: Path) -> None:
        source = write_clip(
            tmp_path / "in.mkv", frames=3, font=b"letters", captions=[Captions("ass")]
        )
        with av.open(str(rewrite(source, tmp_path / "out.mkv"))) as container:
            (font,) = container.streams.attachments
            assert (font.name, font.data) == ("letters.ttf", b"letters")

    @pytest.mark.parametrize(
        ("codec", "name"), [("aac", "out.webm"), ("libopus", "out.mov"), ("flac", "out.mov")]
    )
    def test_a_track_that_does_not_fit_is_named(
        self, tmp_path: Path, codec: str, name: str
    ) -> None:
        source = write_clip(tmp_path / "in.mkv", frames=3, sounds=[Sound(codec, language="eng")])
        with pytest.raises(SinkError, match=r"track 1 \(audio, \w+, eng\): write a .mkv"):
            rewrite(source, tmp_path / name)
        assert names(tmp_path) == ["in.mkv"]

    def test_sound_of_an_unknown_kind_is_left_out_with_a_warning(self, tmp_path: Path) -> None:
        # As phones record a second, spatial track that nothing else knows.
        source = write_clip(tmp_path / "in.mp4", frames=10, sounds=[Sound("ac3"), Sound("aac")])
        data = source.read_bytes()
        assert data.count(b"ac-3") == 1
        source.write_bytes(data.replace(b"ac-3", b"Zq7!"))
        with VideoReader(source) as frames:
            (warning,) = frames.warnings
        assert "track 1 is left out: sound of an unknown kind" in warning
        target = rewrite(source, tmp_path / "out.mp4")
        assert packets(target, "audio") == packets(source, "audio", 1)

    def test_a_part_has_no_sound_after_its_last_picture(self, tmp_path: Path) -> None:
        source = write_clip(tmp_path / "in.mp4", frames=80, noise=True, sounds=[Sound()])
        with av.open(str(source)) as container:
            lost = [packet for packet in container.demux(video=0) if packet.size][40]
        assert lost.pos is not None
        data = bytearray(source.read_bytes())
        data[lost.pos : lost.pos + lost.size] = bytes(lost.size)
        source.write_bytes(data)
        with pytest.raises(SourceError, match="breaks off"):
            rewrite(source, tmp_path / "out.mp4")
        assert names(tmp_path) == ["in.mp4"]
        target = rewrite(source, tmp_path / "out.mp4", partial=True)
        end = times(target)[-1]
        assert 0 < end < 2
        assert abs(packets(target, "audio")[-1][0] - end) < Fraction(1, 10)


class TestPrivacy:
    """What tells of place, device and person does not get through."""

    @pytest.mark.parametrize("name", ["mp4", "mov", "mkv", "webm"])
    def test_tags_are_dropped(self, tmp_path: Path, name: str) -> None:
        options = {"movflags": "use_metadata_tags"} if name in ("mp4", "mov") else {}
        source = write_clip(
            tmp_path / f"in.{name}",
            codec="libvpx" if name == "webm" else "libx264",
            frames=3,
            metadata=SECRETS,
            video_metadata={"title": "SECRET camera", "handler_name": "SECRET handler"},
            container_options=options,
        )
        assert b"SECRET" in source.read_bytes()
        data = rewrite(source, tmp_path / f"out.{name}").read_bytes()
        for secret in (b"SECRET", b"47.3769", b"2021", b"creation", b"locat", b"ISO6709"):
            assert secret not in data
        if name in ("mp4", "mov"):
            header = data.index(b"mvhd") + 8
            assert data[header : header + 8] == bytes(8)  # times of creation and change

    @pytest.mark.parametrize("name", ["mp4", "mov", "mkv"])
    def test_tags_are_kept_on_request(self, tmp_path: Path, name: str) -> None:
        options = {"movflags": "use_metadata_tags"} if name in ("mp4", "mov") else {}
        source = write_clip(
            tmp_path / f"in.{name}", frames=3, metadata=SECRETS, container_options=options
        )
        target = rewrite(source, tmp_path / f"out.{name}", metadata="keep")
        with av.open(str(target)) as container:
            tags = {key.lower(): value for key, value in container.metadata.items()}
        assert tags["title"] == "SECRET birthday"
        assert tags["model"] == "SECRET model"
        assert tags["com.apple.quicktime.location.iso6709"] == "+47.3769+008.5417+400.000/"
        assert "SECRET encoder" not in tags.values()

    @pytest.mark.parametrize("metadata", ["drop", "keep"])
    def test_cover_art_never_gets_through(self, tmp_path: Path, metadata: str) -> None:
        source = write_clip(tmp_path / "in.mp4", frames=3, cover=True, sounds=[Sound()])
        with av.open(str(source)) as container:
            cover = next(bytes(packet) for packet in container.demux(video=1) if packet.size)
        assert cover in source.read_bytes()
        for name in ("out.mp4", "out.mkv"):
            target = rewrite(source, tmp_path / name, metadata=metadata)
            assert cover not in target.read_bytes()
            with av.open(str(target)) as container:
                assert [stream.type for stream in container.streams] == ["video", "audio"]

    def test_pictures_in_tags_never_get_through(self, tmp_path: Path) -> None:
        source = write_clip(
            tmp_path / "in.mkv", frames=3, metadata={"METADATA_BLOCK_PICTURE": "SECRET face"}
        )
        target = rewrite(source, tmp_path / "out.mkv", metadata="keep")
        assert b"SECRET" not in target.read_bytes()

    @pytest.mark.parametrize("metadata", ["drop", "keep"])
    @pytest.mark.parametrize("name", ["mkv", "webm"])
    def test_comments_of_vorbis_never_get_through(
        self, tmp_path: Path, name: str, metadata: str
    ) -> None:
        """They lie in the sound's own headers and may hold a cover, 100 kB long."""
        comment = b"METADATA_BLOCK_PICTURE=" + b"SECRET face" * 10_000
        source = with_vorbis(tmp_path / f"in.{name}", comment)
        assert b"SECRET" in source.read_bytes()
        target = rewrite(source, tmp_path / f"out.{name}", metadata=metadata)
        assert b"SECRET" not in target.read_bytes()
        assert packets(target, "audio") == packets(source, "audio")
        with av.open(str(source)) as before, av.open(str(target)) as after:
            sounds = [
                b"".join(frame.to_ndarray().tobytes() for frame in container.decode(audio=0))
                for container in (before, after)
            ]
        assert sounds[0] == sounds[1] != b""

    @pytest.mark.parametrize("metadata", ["drop", "keep"])
    def test_further_picture_tracks_never_get_through(self, tmp_path: Path, metadata: str) -> None:
        path = tmp_path / "in.mkv"
        with av.open(str(path), "w") as container:
            streams = [container.add_stream("mpeg4", rate=25) for _ in range(2)]
            for stream in streams:
                stream.width, stream.height = 96, 64
            for index in range(5):
                for stream in streams:
                    frame = av.VideoFrame.from_ndarray(picture(index, (96, 64)), "rgb24")
                    frame.pts, frame.time_base = index, Fraction(1, 25)
                    container.mux(stream.encode(frame.reformat(format="yuv420p")))
        with av.open(str(rewrite(path, tmp_path / "out.mkv", metadata=metadata))) as container:
            assert len(container.streams) == 1

    def test_data_tracks_never_get_through(self, tmp_path: Path) -> None:
        # As action cameras log their positions.
        path = tmp_path / "in.ts"
        with av.open(str(path), "w") as container:
            video = container.add_stream("mpeg2video", rate=25)
            video.width, video.height = 96, 64
            data = container.add_data_stream("klv")
            for index in range(10):
                frame = av.VideoFrame.from_ndarray(picture(index, (96, 64)), "rgb24")
                frame.pts, frame.time_base = index, Fraction(1, 25)
                container.mux(video.encode(frame.reformat(format="yuv420p")))
                packet = av.Packet(b"SECRET place")
                packet.stream = data
                packet.pts = packet.dts = index
                packet.time_base = Fraction(1, 25)
                container.mux(packet)
            container.mux(video.encode(None))
        assert b"SECRET" in path.read_bytes()
        for name in ("out.mp4", "out.mkv"):
            target = rewrite(path, tmp_path / name, metadata="keep")
            assert b"SECRET" not in target.read_bytes()
            with av.open(str(target)) as container:
                assert [stream.type for stream in container.streams] == ["video"]

    def test_what_cameras_write_into_pictures_does_not_get_through(self, tmp_path: Path) -> None:
        # Motion JPEG: each picture with EXIF of its own, place and all.
        exif = Image.Exif()
        exif[0x010F] = "SECRET make"
        exif.get_ifd(0x8825)[2] = (47.0, 22.0, 36.0)
        path = tmp_path / "in.avi"
        with av.open(str(path), "w") as container:
            stream = container.add_mux_stream("mjpeg", rate=25, width=96, height=64)
            stream.time_base = Fraction(1, 25)
            for index in range(5):
                jpeg = io.BytesIO()
                Image.fromarray(picture(index, (96, 64))).save(jpeg, "JPEG", exif=exif)
                packet = av.Packet(jpeg.getvalue())
                packet.stream = stream
                packet.pts = packet.dts = index
                packet.time_base = Fraction(1, 25)
                packet.is_keyframe = True
                container.mux(packet)
        assert b"SECRET" in path.read_bytes()
        for encoder in ("mjpeg", "libx264", "ffv1", "libx265"):
            target = rewrite(path, tmp_path / f"{encoder}.mkv", encoder=encoder)
            assert len(times(target)) == 5
            data = target.read_bytes()
            assert b"SECRET" not in data
            assert b"Exif" not in data

    def test_user_data_in_the_pictures_does_not_get_through(self, tmp_path: Path) -> None:
        source = write_clip(tmp_path / "in.mp4", frames=3, options={"crf": "33.25"})
        assert b"crf=33.2" in source.read_bytes()  # x264 signs with its settings
        for encoder in ("libx264", "libx265"):
            target = rewrite(source, tmp_path / f"{encoder}.mp4", encoder=encoder)
            assert b"crf=33.2" not in target.read_bytes()


class TestEncoders:
    """Which encoder writes, and how it is told."""

    def test_a_codec_may_be_chosen(self, tmp_path: Path) -> None:
        source = write_clip(tmp_path / "in.mp4", frames=3)
        for codec in ("h264", "hevc", "av1", "vp9"):
            target = rewrite(source, tmp_path / f"{codec}.mp4", codec=codec)
            with av.open(str(target)) as container:
                name = container.streams.video[0].codec_context.codec.canonical_name
            assert name == codec

    def test_hevc_is_tagged_as_all_players_know_it(self, tmp_path: Path) -> None:
        source = write_clip(tmp_path / "in.mp4", frames=3)
        with av.open(str(rewrite(source, tmp_path / "out.mp4", codec="hevc"))) as container:
            assert container.streams.video[0].codec_context.codec_tag == "hvc1"

    def test_quality_and_preset_reach_the_encoder(self, tmp_path: Path) -> None:
        source = write_clip(tmp_path / "in.mp4", frames=20, size=(320, 240), noise=True)
        good = rewrite(source, tmp_path / "good.mp4", quality=12)
        poor = rewrite(source, tmp_path / "poor.mp4", quality=40)
        assert good.stat().st_size > 3 * poor.stat().st_size
        slow = rewrite(source, tmp_path / "slow.mp4", preset="slow").read_bytes()
        assert b"subme=8" in slow  # x264 signs with its settings

    @pytest.mark.parametrize(
        ("name", "settings", "reason"),
        [
            ("out.webm", {"codec": "h264"}, "webm files cannot hold h264: choose one of av1, vp8"),
            ("out.mp4", {"encoder": "ffv1"}, "mp4 files cannot hold ffv1"),
            ("out.gif", {"quality": 3}, "no quality scale"),
            ("out.gif", {"preset": "fast"}, "no presets"),
            ("out.avi", {}, "written as .mp4"),
            ("out", {}, "written as .mp4"),
        ],
    )
    def test_what_cannot_be_is_said_at_once(
        self, tmp_path: Path, name: str, settings: dict[str, Any], reason: str
    ) -> None:
        path = write_clip(tmp_path / "in.mp4", frames=3)
        with VideoReader(path) as source, pytest.raises(SinkError, match=reason) as caught:
            VideoWriter(tmp_path / name, path, source, Settings(**settings))
        assert str(tmp_path / name) in str(caught.value)

    @pytest.mark.parametrize(
        ("settings", "reason"),
        [
            ({"encoder": "h265_magic"}, "`encoder` is 'h265_magic': there is none"),
            ({"encoder": "aac"}, "`encoder` is 'aac', which does not write video"),
            ({"encoder": "ffv1", "quality": 3}, "no quality scale: leave `quality` out"),
            ({"encoder": "ffv1", "preset": "fast"}, "no presets: leave `preset` out"),
            ({"preset": "warp"}, "`preset` is 'warp': libx264 takes one of ultrafast, "),
            ({"quality": 52}, "`quality` is 52: libx264 takes a number from 0 to 51"),
            ({"codec": "hevc", "quality": -1}, "`quality` is -1: libx265 takes"),
            ({"codec": "vp9", "quality": 99.0}, "libvpx-vp9 takes a number from 0 to 63"),
            ({"codec": "av1", "preset": "14"}, "libsvtav1 takes one of 0, 1, "),
        ],
    )
    def test_wishes_that_an_encoder_does_not_know_are_usage_errors(
        self, tmp_path: Path, settings: dict[str, Any], reason: str
    ) -> None:
        path = write_clip(tmp_path / "in.mp4", frames=3)
        with VideoReader(path) as source, pytest.raises(SettingsError, match=reason):
            VideoWriter(tmp_path / "out.mkv", path, source, Settings(**settings))

    @pytest.mark.parametrize(
        ("codec", "settings"),
        [
            (codec, settings)
            for codec, qualities, presets in (
                ("h264", (0, 51), ("ultrafast", "placebo")),
                ("hevc", (0, 51), ("ultrafast", "placebo")),
                ("av1", (0, 63), ("0", "13")),
                ("vp9", (0, 63), ("-8", "8")),
            )
            for settings in (
                *({"quality": quality} for quality in qualities),
                *({"preset": preset} for preset in presets),
            )
        ],
    )
    def test_encoders_take_what_is_said_of_them(
        self, tmp_path: Path, codec: str, settings: dict[str, Any]
    ) -> None:
        path = write_clip(tmp_path / "in.mp4", frames=3)
        rewrite(path, tmp_path / "out.mkv", codec=codec, **settings)

    @pytest.mark.parametrize("settings", [{"encoder": "h264_nvenc"}])
    def test_an_encoder_that_does_not_work_fails_before_the_first_frame(
        self, tmp_path: Path, settings: dict[str, Any]
    ) -> None:
        path = write_clip(tmp_path / "in.mp4", frames=3)
        with VideoReader(path) as source:
            sink = VideoWriter(tmp_path / "out.mp4", path, source, Settings(**settings))
            if _has_nvenc():
                pytest.skip("this machine has the encoder that the test wants to be missing")
            with pytest.raises(SinkError, match="does not work here"), sink:
                pass
        assert names(tmp_path) == ["in.mp4"]

    def test_encoders_keep_quiet(self, tmp_path: Path) -> None:
        source = write_clip(tmp_path / "in.mp4", frames=3)
        program = (
            "import sys; from pathlib import Path\n"
            "from tracker_blur.video.reader import VideoReader\n"
            "from tracker_blur.video.writer import VideoWriter\n"
            "from tracker_blur.core.frame import RedactedFrame\n"
            "from tracker_blur.settings import Settings\n"
            "path = Path(sys.argv[1])\n"
            "for codec in ('h264', 'hevc', 'av1', 'vp9'):\n"
            "    out = path.with_name(codec + '.mp4')\n"
            "    with VideoReader(path) as source:\n"
            "        with VideoWriter(out, path, source, Settings(codec=codec)) as sink:\n"
            "            for frame in source: sink.write(RedactedFrame(frame))\n"
        )
        done = subprocess.run(
            [sys.executable, "-c", program, str(source)], capture_output=True, check=True
        )
        assert done.stdout + done.stderr == b""


def _has_nvenc() -> bool:
    try:
        context = av.CodecContext.create("h264_nvenc", "w")
        context.width, context.height, context.pix_fmt = 256, 256, "yuv420p"
        context.time_base = Fraction(1, 25)
        context.open()
    except av.FFmpegError:
        return False
    return True


class TestGif:
    """Animated GIF: no sound, no rotation, hundredths of a second."""

    def test_a_video_becomes_an_animation(self, tmp_path: Path) -> None:
        source = write_clip(tmp_path / "in.mp4", frames=10, rate=Fraction(10), sounds=[Sound()])
        target = rewrite(source, tmp_path / "out.gif")
        assert times(target) == [Fraction(index, 10) for index in range(10)]
        with Image.open(target) as image:
            assert image.n_frames == 10
            assert image.info["duration"] == 100
            assert image.info["loop"] == 0
            shown = np.asarray(image.convert("RGB")).astype(int)
        assert np.abs(shown - picture(0, (96, 64))).mean() < 20

    def test_uneven_delays_stay(self, tmp_path: Path) -> None:
        pts = [0, 100, 150, 400, 420]
        source = write_clip(tmp_path / "in.mkv", frames=5, time_base=Fraction(1, 1000), pts=pts)
        assert times(rewrite(source, tmp_path / "out.gif")) == [
            Fraction(tick, 1000) for tick in pts
        ]

    def test_pictures_too_quick_for_viewers_are_left_out(self, tmp_path: Path) -> None:
        source = write_clip(tmp_path / "in.mp4", frames=60, rate=Fraction(60))
        seconds = times(rewrite(source, tmp_path / "out.gif"))
        steps = [after - before for before, after in itertools.pairwise(seconds)]
        assert min(steps) >= Fraction(2, 100)
        assert abs(seconds[-1] - Fraction(59, 60)) <= Fraction(2, 100)

    def test_pictures_stand_upright_with_square_pixels(self, tmp_path: Path) -> None:
        source = write_clip(
            tmp_path / "in.mp4",
            frames=2,
            matrix=ROTATED_90_CLOCKWISE,
            pixel_aspect=Fraction(1, 2),
        )
        target = rewrite(source, tmp_path / "out.gif")
        with Image.open(target) as image:
            assert image.size == (64, 48)
            shown = np.asarray(image.convert("RGB")).astype(int)
        expected = np.rot90(picture(0, (96, 64)), -1)[::2]
        assert np.abs(shown - expected).mean() < 25

    def test_an_animation_becomes_a_video(self, tmp_path: Path) -> None:
        source = write_clip(tmp_path / "in.gif", codec="gif", pixel_format="rgb8", frames=8)
        target = rewrite(source, tmp_path / "out.mp4")
        assert times(target) == times(source)
        assert first_frame(target).format.name == "yuv420p"

    def test_an_animation_stays_one(self, tmp_path: Path) -> None:
        source = write_clip(tmp_path / "in.gif", codec="gif", pixel_format="rgb8", frames=8)
        target = rewrite(source, tmp_path / "out.gif")
        assert times(target) == times(source)
        with Image.open(source) as before, Image.open(target) as after:
            difference = np.asarray(before.convert("RGB")).astype(int) - np.asarray(
                after.convert("RGB")
            )
        assert np.abs(difference).mean() < 1


class TestFaults:
    """Whatever fails, nothing half-written stays and the input is as it was."""

    @pytest.mark.parametrize("link", ["same", "symbolic", "hard"])
    def test_the_input_is_never_the_output(self, tmp_path: Path, link: str) -> None:
        path = write_clip(tmp_path / "in.mp4", frames=3)
        before = fingerprint(path)
        target = path if link == "same" else tmp_path / "out.mp4"
        if link == "symbolic":
            target.symlink_to(path)
        elif link == "hard":
            os.link(path, target)
        with (
            VideoReader(path) as source,
            pytest.raises(SinkError, match="is the input itself"),
        ):
            VideoWriter(target, path, source, Settings(overwrite=True))
        assert fingerprint(path) == before

    def test_an_existing_output_is_replaced_on_request_only(self, tmp_path: Path) -> None:
        path = write_clip(tmp_path / "in.mp4", frames=3)
        target = tmp_path / "out.mp4"
        target.write_bytes(b"mine")
        with pytest.raises(SinkError, match="exists already"):
            rewrite(path, target)
        assert target.read_bytes() == b"mine"
        rewrite(path, target, overwrite=True)
        assert len(times(target)) == 3
        assert names(tmp_path) == ["in.mp4", "out.mp4"]

    def test_a_missing_folder_is_named(self, tmp_path: Path) -> None:
        path = write_clip(tmp_path / "in.mp4", frames=3)
        with pytest.raises(SinkError, match="none does not exist"):
            rewrite(path, tmp_path / "none" / "out.mp4")

    @pytest.mark.parametrize("suffix", [".mp4", ".mkv", ".gif"])
    @pytest.mark.parametrize("error", [RuntimeError, KeyboardInterrupt, ValueError, OSError])
    def test_a_failure_in_between_leaves_nothing(
        self, tmp_path: Path, suffix: str, error: type[BaseException]
    ) -> None:
        path = write_clip(tmp_path / "in.mp4", frames=10, sounds=[Sound()])
        before = fingerprint(path)
        with (
            pytest.raises(error) as caught,
            VideoReader(path) as source,
            VideoWriter(tmp_path / f"out{suffix}", path, source, Settings()) as sink,
        ):
            for frame in source:
                sink.write(RedactedFrame(frame))
                if frame.index == 6:
                    raise error("in between")
        assert type(caught.value) is error  # not made into something else
        assert names(tmp_path) == ["in.mp4"]
        assert fingerprint(path) == before

    @pytest.mark.parametrize("suffix", [".mp4", ".mkv", ".gif"])
    def test_a_full_disk_is_said_in_one_line(self, tmp_path: Path, suffix: str) -> None:
        resource = pytest.importorskip("resource", reason="limits on file sizes are Unix's")
        assert resource.RLIMIT_FSIZE
        path = write_clip(
            tmp_path / "in.mp4", frames=60, size=(320, 240), noise=True, sounds=[Sound()]
        )
        before = fingerprint(path)
        (tmp_path / "out").mkdir()
        program = (
            "import resource, sys; from pathlib import Path\n"
            "from tests.video.test_writer import rewrite\n"
            "from tracker_blur.errors import SinkError\n"
            "resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, 100_000))\n"
            "try: rewrite(Path(sys.argv[1]), Path(sys.argv[2]), quality=None)\n"
            "except SinkError as error: print(error)\n"
        )
        target = tmp_path / "out" / f"out{suffix}"
        done = subprocess.run(
            [sys.executable, "-c", program, str(path), str(target)],
            capture_output=True,
            check=True,
            text=True,
            cwd=Path(__file__).resolve().parents[2],
        )
        assert done.stdout == f"{target}: no space left: free some, or choose another folder\n"
        assert done.stderr == ""
        assert names(tmp_path / "out") == []
        assert fingerprint(path) == before

    def test_only_decoded_frames_are_taken(self, tmp_path: Path) -> None:
        path = write_clip(tmp_path / "in.mp4", frames=3)
        with VideoReader(path) as source:
            sink = VideoWriter(tmp_path / "out.mp4", path, source, Settings())
            frame = next(iter(source))
            with pytest.raises(ValueError, match="with block"):
                sink.write(RedactedFrame(frame))
            with pytest.raises(TypeError), sink:
                sink.write(RedactedFrame("no frame"))  # type: ignore[arg-type]  # on purpose
        assert isinstance(frame, DecodedFrame)
        assert names(tmp_path) == ["in.mp4"]
