"""Subtitles that are shown while the audio is replaced are left out; all others stay."""

from __future__ import annotations

import struct
from fractions import Fraction
from typing import TYPE_CHECKING, Any

import av
import pytest

from tests.video.rewriting import packets, seconds
from tests.video.test_audio_editing import edited
from tests.video_files import AudioTrack, CaptionTrack, write_clip
from tracker_blur.core.audio_spans import AudioSpan
from tracker_blur.video.stream_copy import cue_starts

if TYPE_CHECKING:
    from pathlib import Path

MUTE = AudioSpan.parse("mute", "0.8s..1.2s")
BLEEP = AudioSpan.parse("bleep", "2s..")
LINES = (
    (0.0, 0.4, "before"),
    (0.5, 0.8, "until it begins"),
    (0.82, 0.9, "Jane Roe"),
    (1.0, 1.1, "within"),
    (1.12, 1.5, "into the time after"),
    (1.52, 1.9, "after"),
    (1.92, 2.1, "into the tone"),
)
KEPT = [b"before", b"until it begins", b"after"]


def written(path: Path, number: int = 0) -> list[bytes]:
    return [payload for _, payload in packets(path, "subtitle", number)]


def clip(path: Path, codec: str, start: int = 0) -> Path:
    tracks = [CaptionTrack(codec, LINES), CaptionTrack(codec, LINES, "deu")]
    return write_clip(
        path,
        frames=60,
        pts=range(start, start + 60),
        captions=[
            CaptionTrack(
                track.codec,
                [(begin + start / 25, end + start / 25, text) for begin, end, text in track.lines],
                track.language,
            )
            for track in tracks
        ],
        audio_tracks=[AudioTrack(start=start / 25)],
    )


@pytest.mark.parametrize(
    ("name", "codec", "out"),
    [
        ("in.mkv", "subrip", "out.mkv"),
        ("in.mp4", "mov_text", "out.mp4"),
        ("in.mkv", "ass", "out.mkv"),
        ("in.mp4", "mov_text", "out.mkv"),
        ("in.mkv", "subrip", "out.mp4"),
    ],
)
def test_cues_that_meet_a_span_are_left_out_of_all_tracks(
    name: str, codec: str, out: str, tmp_path: Path
) -> None:
    source, target = clip(tmp_path / name, codec), tmp_path / out
    writer = edited(source, target, MUTE, BLEEP)
    for number in range(2):
        payloads = written(target, number)
        assert len(payloads) == len(KEPT)
        for payload, text in zip(payloads, KEPT, strict=True):
            assert text in payload
    assert b"Jane" not in target.read_bytes()
    assert writer.warnings[-1] == (
        f"{target}: 8 subtitles are left out: the audio is muted or bleeped while shown"
    )


def test_times_count_from_the_first_frame(tmp_path: Path) -> None:
    source, target = clip(tmp_path / "in.mkv", "subrip", start=50), tmp_path / "out.mkv"
    edited(source, target, MUTE, BLEEP)
    assert written(target) == KEPT


def test_without_spans_all_cues_stay_without_a_message(tmp_path: Path) -> None:
    source, target = clip(tmp_path / "in.mkv", "subrip"), tmp_path / "out.mkv"
    writer = edited(source, target)
    assert written(target) == [text.encode() for _, _, text in LINES]
    assert writer.warnings == ()


def test_a_track_may_lose_all_of_its_cues(tmp_path: Path) -> None:
    for suffix, codec in ((".mkv", "subrip"), (".mp4", "mov_text")):
        source, target = clip(tmp_path / f"in{suffix}", codec), tmp_path / f"out{suffix}"
        writer = edited(source, target, AudioSpan("mute", ".."))
        assert written(target) == []
        assert "14 subtitles are left out" in writer.warnings[-1]


def pgs(*objects: int) -> bytes:
    """Return what is shown together: a composition of objects, and its end."""
    placed = b"".join(struct.pack(">HBBHH", number, 0, 0, 4, 4) for number in objects)
    composition = struct.pack(">HHBHBBBB", 96, 64, 16, 0, 0x80, 0, 0, len(objects)) + placed
    return struct.pack(">BH", 0x16, len(composition)) + composition + b"\x80\0\0"


def dvb(*regions: int) -> bytes:
    """Return a page of regions."""
    page = b"\x05\0" + b"".join(struct.pack(">BBHH", number, 0, 4, 4) for number in regions)
    return struct.pack(">BBHH", 0x0F, 0x10, 1, len(page)) + page


def with_images(path: Path, codec: str, cues: list[tuple[float, bytes]]) -> Path:
    """Write a video of 60 frames with subtitles as images that have no durations."""
    plain = write_clip(path.with_name("plain.mp4"), frames=60, audio_tracks=[AudioTrack()])
    with av.open(str(plain)) as reader, av.open(str(path), "w") as writer:
        tracks: dict[int, Any] = {
            stream.index: writer.add_stream_from_template(stream, opaque=True)
            for stream in reader.streams
        }
        images: Any = writer.add_mux_stream(codec)
        waiting = list(cues)
        for packet in reader.demux():
            if not packet.size:
                continue
            while waiting and waiting[0][0] <= seconds(packet.dts, packet.time_base):
                at, payload = waiting.pop(0)
                cue: Any = av.Packet(payload)
                cue.pts = cue.dts = round(at * 1000)
                cue.time_base, cue.stream = Fraction(1, 1000), images
                writer.mux(cue)
            packet.stream = tracks[packet.stream.index]
            writer.mux(packet)
    return path


@pytest.mark.parametrize(
    ("name", "codec", "show"),
    [("in.mkv", "hdmv_pgs_subtitle", pgs), ("in.ts", "dvb_subtitle", dvb)],
    ids=["pgs", "dvb"],
)
def test_images_are_shown_until_the_next_one(
    name: str, codec: str, show: Any, tmp_path: Path
) -> None:
    cues = [
        (0.1, show(1)),
        (0.4, show()),
        (0.6, show(2)),  # into the span
        (1.0, show(3)),
        (1.3, show()),  # the screen is cleared, and stays so
        (1.5, show(4)),
        (1.8, show()),
    ]
    source, target = with_images(tmp_path / name, codec, cues), tmp_path / "out.mkv"
    assert len(cue_starts(source, 0, [2])[2]) == 7
    writer = edited(source, target, MUTE)
    found = written(target)
    assert [payload for payload in found if payload != show()] == [show(1), show(4)]
    assert found[1] == show()
    assert "2 subtitles are left out" in writer.warnings[-1]
