"""The writer keeps frame counts and times, with audio in step."""

from __future__ import annotations

from fractions import Fraction
from typing import TYPE_CHECKING

import av
import pytest

from tests.video.rewriting import (
    packets,
    rewrite,
    seconds,
    times,
)
from tests.video_files import (
    AudioTrack,
    write_clip,
)

if TYPE_CHECKING:
    from pathlib import Path


@pytest.mark.slow
class TestTiming:
    """Frame count and times, with audio in step."""

    @pytest.mark.parametrize("name", ["out.mp4", "out.mov", "out.m4v", "out.mkv"])
    def test_frames_and_audio_keep_their_times(self, tmp_path: Path, name: str) -> None:
        source = write_clip(tmp_path / "in.mp4", frames=40, audio_tracks=[AudioTrack()])
        target = rewrite(source, tmp_path / name)
        shift = times(source)[0] - times(target)[0]
        for before, after in zip(times(source), times(target), strict=True):
            assert abs(before - after - shift) <= Fraction(1, 1000)
        audio_before, audio_after = packets(source, "audio"), packets(target, "audio")
        assert [data for _, data in audio_before] == [data for _, data in audio_after]
        for (before, _), (after, _) in zip(audio_before, audio_after, strict=True):
            assert abs(before - after - shift) <= Fraction(1, 1000)
        if not name.endswith("mkv"):  # whose clock ticks in milliseconds, from zero
            assert times(source) == times(target)
            assert audio_before == audio_after

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
    @pytest.mark.parametrize(("video_start", "audio_start"), [(0.0, 0.4), (0.52, 0.0), (0.8, 0.2)])
    def test_start_offsets_stay(
        self, tmp_path: Path, first: str, second: str, video_start: float, audio_start: float
    ) -> None:
        is_webm = first.endswith("webm")
        start = round(video_start * 25)
        source = write_clip(
            tmp_path / first,
            frames=30,
            codec="libvpx-vp9" if is_webm else "libx264",
            pts=range(start, start + 30),
            audio_tracks=[AudioTrack("libopus" if is_webm else "aac", start=audio_start)],
        )
        target = rewrite(source, tmp_path / second)
        video_shift = times(target)[0] - times(source)[0]
        audio_shift = packets(target, "audio")[0][0] - packets(source, "audio")[0][0]
        assert abs(video_shift - audio_shift) <= Fraction(1, 1000)
        if first[-3:] == second[-3:]:
            assert abs(video_shift) <= Fraction(1, 1000)
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
                seconds(container.streams.video[0].duration, container.streams.video[0].time_base)
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
            audio_tracks=[AudioTrack(start=4000.0)],
        )
        target = rewrite(source, tmp_path / "out.mp4")
        assert times(target)[0] < 1
        video_shift = times(source)[0] - times(target)[0]
        audio_shift = packets(source, "audio")[0][0] - packets(target, "audio")[0][0]
        assert abs(video_shift - audio_shift) <= Fraction(1, 1000)

    @pytest.mark.shared
    @pytest.mark.parametrize("name", ["runner_portrait.mp4", "signer.mkv", "dancer.mp4"])
    def test_shared_clips_stay_in_step(self, shared: Path, tmp_path: Path, name: str) -> None:
        source = shared / "videos" / name
        target = rewrite(source, tmp_path / f"out{source.suffix}", preset="ultrafast")
        assert times(target) == times(source)
        if name.endswith("mp4"):
            assert packets(target, "audio") == packets(source, "audio")
