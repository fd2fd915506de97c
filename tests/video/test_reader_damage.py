"""A part of a video never passes for the whole."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import av
import pytest

from tests.video.rewriting import (
    read_frames,
)
from tests.video_files import (
    AudioTrack,
    CaptionTrack,
    write_clip,
)
from tracker_blur.errors import SourceError
from tracker_blur.video.reader import VideoReader

if TYPE_CHECKING:
    from pathlib import Path


def cut(path: Path, ratio: float) -> Path:
    """Return a copy of a truncated file."""
    data = path.read_bytes()
    target = path.with_name(f"cut_{path.name}")
    target.write_bytes(data[: int(len(data) * ratio)])
    return target


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
    """A part never passes for the whole."""

    @pytest.mark.slow
    @pytest.mark.parametrize(("name", "codec", "options"), BROKEN)
    @pytest.mark.parametrize("ratio", [0.97, 0.6])
    def test_a_file_that_breaks_off_is_refused_or_read_in_part(
        self, tmp_path: Path, name: str, codec: str, options: dict[str, Any], ratio: float
    ) -> None:
        path = cut(
            write_clip(tmp_path / name, codec=codec, frames=60, noise=True, **options), ratio
        )
        with pytest.raises(SourceError, match=r"is truncated.*`partial`") as caught:
            read_frames(path)
        assert str(path) in str(caught.value)
        assert "\n" not in str(caught.value)
        with VideoReader(path, partial=True) as source:
            assert not source.is_partial
            count = sum(1 for _ in source)
        assert source.is_partial
        assert 0 < count <= 60
        (warning,) = source.warnings
        assert "is truncated" in warning

    def test_a_transport_stream_that_ends_within_a_frame(self, tmp_path: Path) -> None:
        path = write_clip(tmp_path / "a.ts", frames=40, size=(320, 240), noise=True, gop=40)
        with av.open(str(path)) as container:
            last = [packet for packet in container.demux(video=0) if packet.size][30]
        assert last.pos is not None
        path.write_bytes(path.read_bytes()[: last.pos + last.size // 2 // 188 * 188])
        with pytest.raises(SourceError, match="is truncated after"):
            read_frames(path)

    def test_a_recording_that_starts_between_key_frames_is_complete(self, tmp_path: Path) -> None:
        path = write_clip(
            tmp_path / "a.ts", frames=60, noise=True, gop=12, audio_tracks=[AudioTrack()]
        )
        data = path.read_bytes()
        packets = len(data) // 188
        for skipped in range(1, packets // 2, packets // 12):
            path.write_bytes(data[skipped * 188 :])
            with VideoReader(path) as source:
                count = sum(1 for _ in source)
            assert 24 <= count <= 60
            assert not source.is_partial

    def test_a_live_recording_without_length_or_index_is_complete(self, tmp_path: Path) -> None:
        # As browsers record: unknown sizes, no duration, no cues.
        path = write_clip(
            tmp_path / "a.webm",
            codec="libvpx",
            frames=60,
            container_options={"live": "1"},
            audio_tracks=[AudioTrack("libopus")],
        )
        with av.open(str(path)) as container:
            assert container.duration is None
        assert len(read_frames(path)) == 60

    def test_audio_longer_than_the_video_is_no_damage(self, tmp_path: Path) -> None:
        for name in ("a.mp4", "a.mkv", "a.flv"):
            path = write_clip(tmp_path / name, frames=25, audio_tracks=[AudioTrack(seconds=4)])
            assert len(read_frames(path)) == 25

    def test_video_longer_than_the_audio_is_no_damage(self, tmp_path: Path) -> None:
        for name in ("a.mp4", "a.mkv"):
            path = write_clip(tmp_path / name, frames=75, audio_tracks=[AudioTrack(seconds=0.5)])
            assert len(read_frames(path)) == 75

    @pytest.mark.parametrize("name", ["a.mkv", "a.mp4", "a.flv", "a.ts"])
    def test_a_late_start_is_no_damage(self, tmp_path: Path, name: str) -> None:
        path = write_clip(tmp_path / name, frames=30, pts=range(150, 180))
        assert len(read_frames(path)) == 30

    def test_subtitles_longer_than_the_video_are_no_damage(self, tmp_path: Path) -> None:
        late = CaptionTrack(lines=[(0.1, 0.5, "early"), (5, 8, "late")])
        path = write_clip(tmp_path / "a.mkv", frames=25, captions=[late])
        assert len(read_frames(path)) == 25

    def test_frames_outside_of_an_edit_list_are_no_damage(self, tmp_path: Path) -> None:
        # Shifted before zero, the first frames are decoded but not shown.
        whole = write_clip(tmp_path / "a.mp4", frames=40, gop=40)
        path = tmp_path / "edited.mp4"
        with av.open(str(whole)) as source, av.open(str(path), "w") as target:
            track = target.add_stream_from_template(source.streams.video[0], opaque=True)
            for packet in source.demux(video=0):
                if packet.size:
                    assert packet.pts is not None
                    assert packet.dts is not None
                    packet.pts -= 10 * 512
                    packet.dts -= 10 * 512
                    packet.stream = track
                    target.mux(packet)
        assert len(read_frames(path)) == 30

    def test_bytes_lost_in_the_middle_are_noticed(self, tmp_path: Path) -> None:
        path = write_clip(tmp_path / "a.mp4", frames=60, noise=True)
        with av.open(str(path)) as container:
            packets = [packet for packet in container.demux(video=0) if packet.size]
        lost = packets[30]
        assert lost.pos is not None
        data = bytearray(path.read_bytes())
        data[lost.pos : lost.pos + lost.size] = bytes(lost.size)
        path.write_bytes(data)
        with pytest.raises(SourceError, match="is truncated after"):
            read_frames(path)
        with VideoReader(path, partial=True) as source:
            assert sum(1 for _ in source) > 0
        assert source.is_partial

    @pytest.mark.parametrize("number", [57, 58, 59])
    def test_frames_lost_at_the_very_end_are_noticed(self, tmp_path: Path, number: int) -> None:
        # PyAV drops a decoder's error if it comes together with frames, as at the end.
        path = write_clip(tmp_path / "a.mp4", frames=60, noise=True, options={"bf": "0"})
        with av.open(str(path)) as container:
            packets = [packet for packet in container.demux(video=0) if packet.size]
        lost = packets[number]
        assert lost.pos is not None
        data = bytearray(path.read_bytes())
        data[lost.pos : lost.pos + lost.size] = b"\xff" * lost.size
        path.write_bytes(data)
        with pytest.raises(SourceError, match="is truncated after"):
            read_frames(path)

    def test_an_end_that_was_never_downloaded_is_noticed(self, tmp_path: Path) -> None:
        # Some programs reserve the whole length first: the size is right, the end is zeros.
        path = write_clip(tmp_path / "a.mkv", frames=200, noise=True)
        with av.open(str(path)) as container:
            first_lost = [packet for packet in container.demux(video=0) if packet.size][100]
        assert first_lost.pos is not None
        data = path.read_bytes()
        path.write_bytes(data[: first_lost.pos].ljust(len(data), b"\0"))
        with pytest.raises(SourceError, match=r"ends at [\d.]+ of 8.0 seconds"):
            read_frames(path)

    def test_a_missing_index_is_refused(self, tmp_path: Path) -> None:
        path = cut(write_clip(tmp_path / "a.mp4", frames=60, noise=True), 0.5)
        with pytest.raises(SourceError, match="not complete"):
            VideoReader(path)


def test_an_empty_packet_shows_the_frame_before_it_on(tmp_path: Path) -> None:
    clip = write_clip(tmp_path / "clip.nut", frames=6, codec="mpeg4")
    source = tmp_path / "in.nut"
    with av.open(str(clip)) as given, av.open(str(source), "w") as written:
        target = written.add_stream_from_template(given.streams.video[0])
        for index, packet in enumerate(given.demux(video=0)):
            if packet.dts is None:
                continue
            if index == 4:
                empty: av.Packet[Any] = av.Packet(b"")
                empty.pts, empty.dts, empty.time_base = packet.pts, packet.dts, packet.time_base
                packet = empty
            packet.stream = target
            written.mux(packet)
    with VideoReader(source) as reader:
        frames = list(reader)
    assert [round(frame.pts * frame.time_base * 25) for frame in frames] == [0, 1, 2, 3, 5]
    with VideoReader(clip) as reader:
        assert len(list(reader)) == 6
