"""Audio that a container cannot hold is decoded and stored without loss."""

from __future__ import annotations

from fractions import Fraction
from typing import TYPE_CHECKING, Any

import av
import numpy as np
import pytest

from tests.video.test_track_selection import rewritten
from tests.video_files import AudioTrack, write_clip

if TYPE_CHECKING:
    from pathlib import Path

    import numpy.typing as npt

RATE = 48000


def wave(count: int = RATE) -> npt.NDArray[np.int16]:
    return (np.sin(np.arange(count) * (2 * np.pi * 440 / RATE)) * 20000).astype(np.int16)


def with_audio(path: Path, codec: str, rate: int = RATE, **options: Any) -> Path:
    """Write a video of a second with the same wave left and right."""
    video_codec = "mpeg2video" if path.suffix == ".vob" else "libx264"
    clip = write_clip(path.with_name("clip.mp4"), frames=25, codec=video_codec)
    with av.open(str(clip)) as reader, av.open(str(path), "w", **options) as writer:
        video = writer.add_stream_from_template(reader.streams.video[0])
        audio: Any = writer.add_stream(codec, rate=rate)
        layout = "mono" if codec == "nellymoser" else "stereo"
        audio.layout = layout
        samples = wave(rate)
        sound = np.repeat(samples, audio.codec_context.layout.nb_channels)[None]
        frame = av.AudioFrame.from_ndarray(np.ascontiguousarray(sound), "s16", layout)
        frame.sample_rate, frame.pts, frame.time_base = rate, 0, Fraction(1, rate)
        audio.codec_context.open()
        size = audio.codec_context.frame_size or 240
        resampler = av.AudioResampler(audio.codec_context.format, layout, rate, size)
        for packet in reader.demux(video=0):
            if packet.size:
                packet.stream = video
                writer.mux(packet)
        for part in resampler.resample(frame):
            writer.mux(audio.encode(part))
        writer.mux(audio.encode(None))
    clip.unlink()
    return path


def decoded(path: Path) -> tuple[str, int, npt.NDArray[Any]]:
    """Return the codec, the first time and the left samples of a file's audio."""
    with av.open(str(path)) as container:
        (stream,) = container.streams.audio
        frames = list(container.decode(stream))
        resampler = av.AudioResampler("s16p", "stereo", stream.rate)
        parts = [part for frame in frames for part in resampler.resample(frame)]
        samples = np.concatenate([part.to_ndarray()[0] for part in parts])
        first = frames[0]
        assert first.pts is not None
        assert first.time_base is not None
        return stream.codec_context.name, round(first.pts * first.time_base * 1000), samples


class TestLossless:
    """The samples are those of the input."""

    @pytest.mark.parametrize(
        ("name", "codec", "options", "out", "expected"),
        [
            ("in.m2ts", "pcm_bluray", {"options": {"mpegts_m2ts_mode": "1"}}, "out.mkv", "flac"),
            ("in.m2ts", "pcm_bluray", {"options": {"mpegts_m2ts_mode": "1"}}, "out.mp4", "flac"),
            (
                "in.m2ts",
                "pcm_bluray",
                {"options": {"mpegts_m2ts_mode": "1"}},
                "out.mov",
                "pcm_s16le",
            ),
            ("in.vob", "pcm_dvd", {}, "out.mkv", "flac"),
        ],
    )
    def test_discs(
        self,
        tmp_path: Path,
        name: str,
        codec: str,
        options: dict[str, Any],
        out: str,
        expected: str,
    ) -> None:
        source = with_audio(tmp_path / name, codec, **options)
        (warning,) = rewritten(source, tmp_path / out)
        assert f"({'audio'}, {codec}" in warning
        assert f"is stored as {expected}" in warning
        codec_after, _, samples = decoded(tmp_path / out)
        assert codec_after == expected
        _, _, before = decoded(source)
        assert np.array_equal(samples, before)
        assert np.array_equal(samples[:RATE], wave()[: samples.size])

    def test_latm(self, tmp_path: Path) -> None:
        source = with_audio(tmp_path / "in.ts", "aac", options={"mpegts_flags": "latm"})
        (warning,) = rewritten(source, tmp_path / "in.ts.mkv")
        assert "is stored as flac: matroska files cannot hold aac_latm" in warning
        codec, start, samples = decoded(tmp_path / "in.ts.mkv")
        _, _, before = decoded(source)
        assert codec == "flac"
        assert start < 50
        assert samples.size == before.size
        assert int(np.abs(samples.astype(int) - before).max()) <= 1  # 24 bits, here as 16

    def test_nellymoser(self, tmp_path: Path) -> None:
        source = with_audio(tmp_path / "in.flv", "nellymoser", 22050)
        (warning,) = rewritten(source, tmp_path / "in.flv.mkv")
        assert "nellymoser" in warning
        _, _, samples = decoded(tmp_path / "in.flv.mkv")
        assert samples.size == decoded(source)[2].size

    @pytest.mark.parametrize(
        ("codec", "expected"), [("libopus", "pcm_s24le"), ("flac", "pcm_s16le")]
    )
    def test_quicktime(self, tmp_path: Path, codec: str, expected: str) -> None:
        source = write_clip(
            tmp_path / "in.mkv", frames=25, audio_tracks=[AudioTrack(codec, language="eng")]
        )
        rewritten(source, tmp_path / "out.mov")
        name, start, samples = decoded(tmp_path / "out.mov")
        assert name == expected
        _, before_start, before = decoded(source)
        assert start == before_start
        assert samples.size == before.size
        # 24 bits of a codec with loss, and what was 16 bits, to the bit.
        assert int(np.abs(samples.astype(int) - before).max()) <= (codec == "libopus")

    def test_late_audio_stays_late(self, tmp_path: Path) -> None:
        source = write_clip(
            tmp_path / "in.mkv",
            frames=50,
            audio_tracks=[AudioTrack("flac", start=1.0, seconds=0.5)],
        )
        rewritten(source, tmp_path / "out.mov")
        _, start, samples = decoded(tmp_path / "out.mov")
        assert start == 1000
        assert np.array_equal(samples, decoded(source)[2])
