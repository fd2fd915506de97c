"""Which tracks of audio and subtitles get into the output."""

from __future__ import annotations

from fractions import Fraction
from typing import TYPE_CHECKING, Any

import av
import pytest

from tests.video.rewriting import packets, rewrite
from tests.video_files import AudioTrack, CaptionTrack, write_clip
from tracker_blur.errors import SettingsError, SourceError
from tracker_blur.settings import Settings
from tracker_blur.video.reader import VideoReader
from tracker_blur.video.writer import VideoWriter

if TYPE_CHECKING:
    from pathlib import Path

GPS = "[latitude: 52.516275] [longitude: 13.377704] [rel_alt: 1.3] 2021-05-01 12:00:01"
SPEECH = CaptionTrack(lines=[(0.2, 0.6, "I am 47 and live at Main Street 5."), (0.8, 1.1, "two")])


def telemetry(codec: str) -> CaptionTrack:
    return CaptionTrack(codec, [(0.1, 0.5, GPS), (0.5, 1.0, GPS.replace("52", "53"))], "eng")


def kinds(path: Path) -> list[str]:
    with av.open(str(path)) as container:
        return [stream.type for stream in container.streams]


def rewritten(source: Path, target: Path, **settings: Any) -> tuple[str, ...]:
    """Rewrite a video, and return the warnings."""
    from tracker_blur.core.frame import RedactedFrame

    with (
        VideoReader(source) as frames,
        VideoWriter(target, source, frames, Settings(**settings)) as writer,
    ):
        for frame in frames:
            writer.write(RedactedFrame(frame))
    return writer.warnings


@pytest.fixture
def rich(tmp_path: Path) -> Path:
    """Return a video (0) with two tracks of audio (1, 2) and two of subtitles (3, 4)."""
    tracks = [AudioTrack("aac", language="eng"), AudioTrack("ac3", language="deu")]
    captions = [SPEECH, CaptionTrack("subrip", [(0.1, 2, "andere")], "deu")]
    return write_clip(tmp_path / "in.mkv", frames=30, audio_tracks=tracks, captions=captions)


class TestTelemetry:
    """Telemetry in tracks of text goes, and is reported; speech stays."""

    @pytest.mark.parametrize(
        ("first", "codec", "second"),
        [
            ("in.mp4", "mov_text", "out.mp4"),
            ("in.mp4", "mov_text", "out.mkv"),
            ("in.mov", "mov_text", "out.mov"),
            ("in.mkv", "subrip", "out.mkv"),
            ("in.mkv", "ass", "out.mkv"),
            ("in.mkv", "webvtt", "out.mkv"),
            ("in.mkv", "subrip", "out.mp4"),
            ("in.webm", "webvtt", "out.webm"),
        ],
    )
    def test_a_track_goes(self, tmp_path: Path, first: str, codec: str, second: str) -> None:
        source = write_clip(
            tmp_path / first,
            codec="libvpx" if first == "in.webm" else "libx264",
            frames=30,
            captions=[CaptionTrack(codec), telemetry(codec)],
        )
        assert b"52.516275" in source.read_bytes()
        target = tmp_path / second
        (warning,) = rewritten(source, target)
        assert warning.startswith(f"{source}: track 2 is left out: it holds telemetry")
        assert kinds(target) == ["video", "subtitle"]
        for secret in (b"latitude", b"516275", b"2021"):
            assert secret not in target.read_bytes()
        assert len(packets(target, "subtitle")) == 2

    def test_single_cues_go(self, tmp_path: Path) -> None:
        lines = [(0.1, 0.3, "One"), (0.4, 0.6, "52.516275, 13.377704"), (0.7, 0.9, "Three")]
        source = write_clip(
            tmp_path / "in.mkv", frames=30, captions=[CaptionTrack("subrip", lines)]
        )
        (warning,) = rewritten(source, tmp_path / "out.mkv")
        assert "1 of the 3 subtitles of track 1 are left out" in warning
        shown = [text for _, text in packets(tmp_path / "out.mkv", "subtitle")]
        assert shown == [b"One", b"Three"]

    def test_it_stays_with_all_metadata(self, tmp_path: Path) -> None:
        source = write_clip(tmp_path / "in.mkv", frames=30, captions=[telemetry("subrip")])
        assert rewritten(source, tmp_path / "out.mkv", metadata="keep") == ()
        assert packets(tmp_path / "out.mkv", "subtitle") == packets(source, "subtitle")

    def test_names_of_who_speaks_go(self, tmp_path: Path) -> None:
        event = r"{SECRET note}Hello {\i1}you"
        source = write_clip(
            tmp_path / "in.mkv", frames=30, captions=[CaptionTrack("ass", [(0.1, 0.9, event)])]
        )
        rewrite(source, tmp_path / "out.mkv")
        ((_, event_after),) = packets(tmp_path / "out.mkv", "subtitle")
        assert event_after == rb"0,0,Default,,0,0,0,,Hello {\i1}you"
        rewrite(source, tmp_path / "out.mp4")
        assert b"SECRET" not in (tmp_path / "out.mp4").read_bytes()

    @pytest.mark.parametrize("name", ["out.mkv", "out.mp4"])
    def test_headers_of_subtitles_as_images_go(self, tmp_path: Path, name: str) -> None:
        header = b"# SECRET account\nsize: 720x576\npalette: 000000, ffffff\nid: SECRET, index: 0\n"
        clip = write_clip(tmp_path / "clip.mkv", frames=25)
        source = tmp_path / "in.mkv"
        with av.open(str(clip)) as reader, av.open(str(source), "w") as writer:
            video = writer.add_stream_from_template(reader.streams.video[0])
            images: Any = writer.add_stream("dvdsub")
            images.codec_context.time_base = Fraction(1, 1000)
            images.codec_context.open()
            images.codec_context.extradata = header
            for packet in reader.demux(video=0):
                if packet.size:
                    packet.stream = video
                    writer.mux(packet)
            shown = av.Packet(b"\0\x04\0\x02")
            shown.stream, shown.pts, shown.dts, shown.duration = images, 200, 200, 300
            shown.time_base = Fraction(1, 1000)
            writer.mux(shown)
        assert b"SECRET" in source.read_bytes()
        target = tmp_path / name
        assert rewritten(source, target) == ()
        assert b"SECRET" not in target.read_bytes()
        assert packets(target, "subtitle")[0][1] == b"\0\x04\0\x02"
        with av.open(str(target)) as container:
            setup = container.streams.subtitles[0].codec_context.extradata or b""
        assert b"720x576" in setup


class TestChoice:
    """What the user keeps and drops."""

    @pytest.mark.parametrize(
        ("settings", "kept"),
        [
            ({}, [1, 2, 3, 4]),
            ({"audio": "drop"}, [3, 4]),
            ({"subtitles": "drop"}, [1, 2]),
            ({"audio": "drop", "subtitles": "drop"}, []),
            ({"tracks_kept": (2, 3)}, [2, 3]),
            ({"tracks_kept": (0, 4, "audio")}, [1, 2, 4]),
            ({"tracks_kept": ("subtitles",)}, [3, 4]),
        ],
    )
    def test_tracks(
        self, rich: Path, tmp_path: Path, settings: dict[str, Any], kept: list[int]
    ) -> None:
        target = tmp_path / "out.mkv"
        assert rewritten(rich, target, **settings) == ()
        expected = {1: ("audio", 0), 2: ("audio", 1), 3: ("subtitle", 0), 4: ("subtitle", 1)}
        assert kinds(target) == ["video", *(expected[index][0] for index in kept)]
        counts = {"audio": 0, "subtitle": 0}
        for index in kept:
            kind, number = expected[index]
            assert packets(target, kind, counts[kind]) == packets(rich, kind, number)
            counts[kind] += 1

    @pytest.mark.parametrize(
        ("settings", "problem"),
        [
            ({"tracks_kept": (9,)}, r"has no track 9, only 0 \(the redacted video\), 1 \(audio\)"),
            ({"tracks_kept": (3,), "subtitles": "drop"}, "track 3 is dropped with all subtitles"),
        ],
    )
    def test_tracks_that_cannot_be_kept(
        self, rich: Path, tmp_path: Path, settings: dict[str, Any], problem: str
    ) -> None:
        with VideoReader(rich) as frames, pytest.raises(SourceError, match=problem):
            VideoWriter(tmp_path / "out.mkv", rich, frames, Settings(**settings))

    def test_a_kind_that_does_not_exist(self, tmp_path: Path) -> None:
        source = write_clip(tmp_path / "in.mp4", frames=3, audio_tracks=[AudioTrack()])
        with pytest.raises(SourceError, match=r"in\.mp4: has no subtitles: leave it out of"):
            rewritten(source, tmp_path / "out.mp4", tracks_kept=("subtitles",))

    @pytest.mark.parametrize("names", [(-1,), ("video",), (True,), [1], "audio", (1.5,)])
    def test_names_that_make_no_sense(self, names: Any) -> None:
        with pytest.raises(SettingsError, match="tracks_kept"):
            Settings(tracks_kept=names)

    def test_a_kind_is_not_kept_and_dropped(self) -> None:
        with pytest.raises(SettingsError, match="names audio, which is dropped: leave out `audio`"):
            Settings(tracks_kept=("audio",), audio="drop")
