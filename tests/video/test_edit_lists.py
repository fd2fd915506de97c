"""What an edit list cuts away does not come back, and is not in the output."""

from __future__ import annotations

import struct
from collections import Counter
from fractions import Fraction
from typing import TYPE_CHECKING, Any

import av
import numpy as np
import pytest

from tests.video.rewriting import packets, rewrite, times
from tests.video_files import AudioTrack, CaptionTrack, write_clip
from tracker_blur.settings import Settings
from tracker_blur.verification.verifier import Verifier

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    import numpy.typing as npt

Edit = tuple[float | None, float]
"""(start in the media, None for an empty edit; duration), in seconds."""

RATE, SECONDS = 48000, 4.0
SHOWN_HZ, CUT_HZ = 1000, 3000
SHOWN_GRAY, CUT_GRAY = 200, 40
CUT_AWAY = 0.02  # of the amplitude of what is shown


def write_media(path: Path, codec: str, edits: Sequence[Edit]) -> Path:
    """Write a video whose shown and cut parts look and sound different, with its edit lists."""
    whole = path.with_stem("whole")
    with av.open(str(whole), "w") as container:
        video: Any = container.add_stream("libx264", rate=25, options={"crf": "20"})
        video.width, video.height, video.pix_fmt = 64, 48, "yuv420p"
        video.codec_context.gop_size = 1000
        audio: Any = container.add_stream(codec, rate=RATE)
        audio.layout = "mono"
        for index in range(round(SECONDS * 25)):
            gray = SHOWN_GRAY if is_shown(np.array(index / 25), edits) else CUT_GRAY
            image = np.full((48, 64, 3), gray, np.uint8)
            frame = av.VideoFrame.from_ndarray(image, "rgb24").reformat(format="yuv420p")
            frame.pts, frame.time_base = index, Fraction(1, 25)
            container.mux(video.encode(frame))
        container.mux(video.encode(None))
        moments = np.arange(round(SECONDS * RATE)) / RATE
        hertz = np.where(is_shown(moments, edits), SHOWN_HZ, CUT_HZ)
        wave = np.sin(2 * np.pi * hertz * moments) * 12000
        audio.codec_context.open(strict=False)
        step = audio.codec_context.frame_size or 1024
        for first in range(0, len(wave), step):
            part = av.AudioFrame.from_ndarray(
                wave[None, first : first + step].astype(np.int16), "s16", "mono"
            )
            part.sample_rate, part.pts, part.time_base = RATE, first, Fraction(1, RATE)
            if audio.format.name != "s16":
                part = av.AudioResampler(audio.format.name, "mono", RATE).resample(part)[0]
            container.mux(audio.encode(part))
        container.mux(audio.encode(None))
    path.write_bytes(with_edits(whole.read_bytes(), edits))
    whole.unlink()
    return path


def is_shown(moments: npt.NDArray[np.float64], edits: Sequence[Edit]) -> npt.NDArray[np.bool_]:
    shown = np.zeros(moments.shape, bool)
    for start, duration in edits:
        if start is not None:
            shown |= (start <= moments) & (moments < start + duration)
    return shown


def boxes(data: bytes) -> list[tuple[bytes, bytes]]:
    """Return the (type, body) of each box; all sizes have 32 bits here."""
    found, at = [], 0
    while at < len(data):
        size = int.from_bytes(data[at : at + 4], "big")
        found.append((data[at + 4 : at + 8], data[at + 8 : at + size]))
        at += size
    return found


def box(kind: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body) + 8) + kind + body


def with_edits(data: bytes, edits: Sequence[Edit]) -> bytes:
    """Return an MP4 whose tracks have these edits; its "moov" must be the last box."""
    top = boxes(data)
    assert top[-1][0] == b"moov"
    moov = boxes(top[-1][1])
    movie_scale = struct.unpack(">I", dict(moov)[b"mvhd"][12:16])[0]
    changed = b""
    for kind, body in moov:
        if kind == b"trak":
            parts = boxes(body)
            named = dict(parts)
            scale = struct.unpack(">I", dict(boxes(named[b"mdia"]))[b"mdhd"][12:16])[0]
            elst = dict(boxes(named[b"edts"]))[b"elst"] if b"edts" in named else None
            encoder_delay = struct.unpack(">i", elst[12:16])[0] if elst else 0
            entries = b"".join(
                struct.pack(
                    ">IiI",
                    round(duration * movie_scale),
                    -1 if start is None else round(start * scale) + encoder_delay,
                    1 << 16,
                )
                for start, duration in edits
            )
            edts = box(b"edts", box(b"elst", struct.pack(">II", 0, len(edits)) + entries))
            body = b"".join(box(*part) for part in parts if part[0] == b"tkhd") + edts
            body += b"".join(box(*part) for part in parts if part[0] not in (b"tkhd", b"edts"))
        changed += box(kind, body)
    return b"".join(box(*part) for part in top[:-1]) + box(b"moov", changed)


def whole_audio(path: Path) -> npt.NDArray[np.float64]:
    """Return all samples of a file, also those that its edit list hides."""
    options = {} if path.suffix == ".mkv" else {"ignore_editlist": "1"}
    samples = []
    with av.open(str(path), container_options=options) as container:
        stream: Any = container.streams.audio[0]
        stream.codec_context.flags2 |= 1 << 29  # skip nothing
        for frame in container.decode(stream):
            assert isinstance(frame, av.AudioFrame)
            plain = av.AudioResampler("s16", "mono", RATE).resample(frame)
            samples += [part.to_ndarray()[0].astype(float) for part in plain]
    return np.concatenate(samples)


def loudest(samples: npt.NDArray[np.float64], hertz: float) -> float:
    """Return the largest amplitude at a frequency, in windows of 20 ms."""
    size = RATE // 50
    window = np.hanning(size) * np.exp(-2j * np.pi * hertz * np.arange(size) / RATE)
    parts = np.lib.stride_tricks.sliding_window_view(samples, size)[:: size // 4]
    return float(np.abs(parts @ window).max()) / size * 4


def shown_grays(path: Path, *, all_media: bool) -> list[float]:
    is_mov = path.suffix != ".mkv"
    options = {"ignore_editlist": "1"} if all_media and is_mov else {}
    with av.open(str(path), container_options=options) as container:
        return [
            float(frame.to_ndarray(format="gray").mean()) for frame in container.decode(video=0)
        ]


START = [(1.37, 2.63)]
END = [(0.0, 2.21)]
BOTH = [(0.81, 1.9)]
SEVERAL = [(0.31, 0.8), (1.5, 0.6), (2.9, 0.7)]
LATER = [(None, 0.5), (1.37, 1.5)]
SWAPPED = [(2.4, 0.8), (0.0, 0.8)]


def packet_seconds(path: Path) -> float:
    with av.open(str(path)) as container:
        packet = next(container.demux(audio=0))
        return float((packet.duration or 0) * packet.time_base)


CODECS = [
    pytest.param("aac", ".mp4"),
    pytest.param("pcm_s16le", ".mov"),
    pytest.param("libmp3lame", ".mp4", marks=pytest.mark.slow),
    pytest.param("libopus", ".mp4", marks=pytest.mark.slow),
    pytest.param("flac", ".mp4", marks=pytest.mark.slow),
    pytest.param("alac", ".mov", marks=pytest.mark.slow),
]


@pytest.mark.parametrize(("codec", "suffix"), CODECS)
@pytest.mark.parametrize(
    "edits",
    [START, END, BOTH, SEVERAL, LATER, SWAPPED],
    ids=["start", "end", "both", "several", "later", "swapped"],
)
def test_what_is_cut_away_is_not_in_the_output(
    tmp_path: Path, codec: str, suffix: str, edits: list[Edit]
) -> None:
    source = write_media(tmp_path / f"in{suffix}", codec, edits)
    assert loudest(whole_audio(source), CUT_HZ) > 8000
    for name in ("out.mkv", f"out{suffix}"):
        target = rewrite(source, tmp_path / name)
        samples = whole_audio(target)
        assert loudest(samples, SHOWN_HZ) > 8000
        assert loudest(samples, CUT_HZ) < CUT_AWAY * 12000
        assert min(shown_grays(target, all_media=True)) > (SHOWN_GRAY + CUT_GRAY) / 2
        parts = [duration for start, duration in edits if start is not None]
        lost_seconds = sum(parts) - len(samples) / RATE
        at_a_cut = (1 if codec == "pcm_s16le" else 3.5) * packet_seconds(source)
        assert -0.05 < lost_seconds < at_a_cut * len(parts)
        # What is left is heard when it is seen. MOV has no gaps in PCM: FFmpeg's add up there.
        shift = times(target)[0] - times(source)[0]
        before = packets(source, "audio")
        gaps = (len(parts) - 1) * packet_seconds(source) if name == "out.mov" else 0
        slack = 0.002 + gaps
        counts = Counter(data for _, data in before)
        when = {data: time for time, data in before if counts[data] == 1}
        for time, data in packets(target, "audio"):
            if data in when:
                assert abs(time - shift - when[data]) < slack


@pytest.mark.parametrize(
    ("codec", "suffix"), [("aac", ".mp4"), ("pcm_s16le", ".mov"), ("libopus", ".mp4")]
)
def test_what_the_encoder_put_in_front_stays(tmp_path: Path, codec: str, suffix: str) -> None:
    source = write_clip(
        tmp_path / f"in{suffix}", frames=25, audio_tracks=[AudioTrack(codec, start=0.2)]
    )
    for name in ("out.mkv", f"out{suffix}"):
        target = rewrite(source, tmp_path / name)
        assert [data for _, data in packets(target, "audio")] == [
            data for _, data in packets(source, "audio")
        ]


def test_subtitles_outside_of_the_edits_are_dropped(tmp_path: Path) -> None:
    lines = ((0.2, 0.6, "cut away"), (1.0, 1.4, "kept"), (2.2, 2.6, "also cut away"))
    whole = write_clip(tmp_path / "a.mp4", frames=75, captions=[CaptionTrack("mov_text", lines)])
    source = tmp_path / "in.mp4"
    source.write_bytes(with_edits(whole.read_bytes(), [(0.9, 0.8)]))
    for name in ("out.mp4", "out.mkv"):
        target = rewrite(source, tmp_path / name)
        texts = [data for _, data in packets(target, "subtitle")]
        assert len(texts) == 1
        assert b"kept" in texts[0]
        assert b"cut away" not in target.read_bytes()


def test_verification_compares_what_is_shown(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tracker_blur.verification.verifier.load_probes", lambda *_: ())
    source = write_media(tmp_path / "in.mp4", "aac", BOTH)
    for name in ("out.mp4", "out.mkv"):
        target = rewrite(source, tmp_path / name)
        verdict = Verifier(Settings()).verify(target, source=source)
        assert verdict.failed_checks == ()
