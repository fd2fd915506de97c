"""Audio, subtitles, chapters and fonts are copied."""

from __future__ import annotations

import re
from fractions import Fraction
from typing import TYPE_CHECKING, Any

import av
import pytest

from tests.video.rewriting import (
    names,
    packets,
    rewrite,
    seconds,
    times,
)
from tests.video_files import (
    AudioTrack,
    CaptionTrack,
    write_clip,
)
from tracker_blur.errors import SinkError, SourceError
from tracker_blur.settings import Settings
from tracker_blur.video.reader import VideoReader
from tracker_blur.video.writer import VideoWriter

if TYPE_CHECKING:
    from pathlib import Path

OPEN_TYPE = b"\0\1\0\0letters"


class TestTracks:
    """Audio, subtitles, chapters and fonts."""

    @pytest.mark.parametrize("suffix", [".mp4", ".mkv"])
    def test_every_audio_track_stays(self, tmp_path: Path, suffix: str) -> None:
        audio_tracks = [
            AudioTrack("aac", language="eng", title="Main"),
            AudioTrack("ac3", language="deu"),
            AudioTrack("libopus", language="fra", title="Commentary", disposition=8),
        ]
        source = write_clip(tmp_path / f"in{suffix}", frames=30, audio_tracks=audio_tracks)
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
        clip = write_clip(tmp_path / "clip.mkv", frames=10, audio_tracks=[AudioTrack()])
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
    def test_subtitles_of_the_same_codec_are_copied(self, tmp_path: Path, suffix: str) -> None:
        codec = {".mp4": "mov_text", ".mkv": "subrip", ".webm": "webvtt"}[suffix]
        source = write_clip(
            tmp_path / f"in{suffix}",
            codec="libvpx" if suffix == ".webm" else "libx264",
            frames=60,
            captions=[CaptionTrack(codec), CaptionTrack(codec, [(0.1, 2, "andere")], "deu")],
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
        source = write_clip(tmp_path / first, frames=60, captions=[CaptionTrack(codec, lines)])
        target = rewrite(source, tmp_path / second)
        with av.open(str(target)) as container:
            (stream,) = container.streams.subtitles
            shown = []
            for packet in container.demux(stream):
                if packet.size:
                    captions: Any = stream.decode(packet)
                    text = [caption.dialogue.decode() for caption in captions]
                    start = seconds(packet.pts, packet.time_base)
                    end = start + seconds(packet.duration, packet.time_base)
                    span = float(start), float(end)
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

    def test_late_and_sparse_subtitles_do_not_delay_the_rest(self, tmp_path: Path) -> None:
        source = write_clip(
            tmp_path / "in.mkv",
            frames=60,
            captions=[CaptionTrack(lines=[(0.1, 0.4, "early"), (30, 31, "late")])],
            audio_tracks=[AudioTrack()],
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
                    float(seconds(chapter["start"], chapter["time_base"])),
                    float(seconds(chapter["end"], chapter["time_base"])),
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
            tmp_path / "in.mkv", frames=3, font=OPEN_TYPE, captions=[CaptionTrack("ass")]
        )
        with av.open(str(rewrite(source, tmp_path / "out.mkv"))) as container:
            (font,) = container.streams.attachments
            assert (font.name, font.data) == ("font1.ttf", OPEN_TYPE)

    @pytest.mark.parametrize(
        ("font", "codec"),
        [(b"\xff\xd8\xff\xe0 SECRET photo", "ass"), (b"\0\1\0\0SECRET", "subrip")],
    )
    def test_other_attachments_go(self, tmp_path: Path, font: bytes, codec: str) -> None:
        source = write_clip(
            tmp_path / "in.mkv", frames=3, font=font, captions=[CaptionTrack(codec)]
        )
        target = rewrite(source, tmp_path / "out.mkv")
        assert b"SECRET" not in target.read_bytes()

    def test_a_track_that_does_not_fit_is_named(self, tmp_path: Path) -> None:
        source = write_clip(
            tmp_path / "in.mkv", frames=3, audio_tracks=[AudioTrack("aac", language="eng")]
        )
        with (
            VideoReader(source) as frames,  # before minutes are spent on detection
            pytest.raises(SinkError, match=r"track 1 \(audio, aac, eng\): write a .mkv"),
        ):
            VideoWriter(tmp_path / "out.webm", source, frames, Settings())
        assert names(tmp_path) == ["in.mkv"]

    @pytest.mark.parametrize(
        ("name", "video", "audio"), [("in.mpg", "mpeg2video", "mp2"), ("in.flv", "flv", "mp3")]
    )
    def test_audio_that_begins_late(
        self, tmp_path: Path, name: str, video: str, audio: str
    ) -> None:
        """FFmpeg looks for tracks, and for the rate of audio, for five seconds."""
        source = write_clip(
            tmp_path / name,
            codec=video,
            frames=250,
            audio_tracks=[AudioTrack(audio, start=8, seconds=1.5)],
        )
        target = rewrite(source, tmp_path / "out.mkv")
        found = packets(target, "audio")
        assert len(found) >= 60
        assert abs(found[0][0] - 8) < Fraction(1, 10)
        assert len(times(target)) == 250

    def test_audio_of_an_unknown_codec_is_left_out_with_a_warning(self, tmp_path: Path) -> None:
        # Phones record a second, spatial track that nothing else decodes.
        source = write_clip(
            tmp_path / "in.mp4", frames=10, audio_tracks=[AudioTrack("ac3"), AudioTrack("aac")]
        )
        data = source.read_bytes()
        assert data.count(b"ac-3") == 1
        source.write_bytes(data.replace(b"ac-3", b"Zq7!"))
        with VideoReader(source) as frames:
            (warning,) = frames.warnings
        assert "track 1 is left out: audio of an unknown codec" in warning
        target = rewrite(source, tmp_path / "out.mp4")
        assert packets(target, "audio") == packets(source, "audio", 1)

    def test_a_part_has_no_audio_after_its_last_frame(self, tmp_path: Path) -> None:
        source = write_clip(tmp_path / "in.mp4", frames=80, noise=True, audio_tracks=[AudioTrack()])
        with av.open(str(source)) as container:
            lost = [packet for packet in container.demux(video=0) if packet.size][40]
        assert lost.pos is not None
        data = bytearray(source.read_bytes())
        data[lost.pos : lost.pos + lost.size] = bytes(lost.size)
        source.write_bytes(data)
        with pytest.raises(SourceError, match="is truncated"):
            rewrite(source, tmp_path / "out.mp4")
        assert names(tmp_path) == ["in.mp4"]
        target = rewrite(source, tmp_path / "out.mp4", partial=True)
        end = times(target)[-1]
        assert 0 < end < 2
        assert abs(packets(target, "audio")[-1][0] - end) < Fraction(1, 10)
