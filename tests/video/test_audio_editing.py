"""Parts of the audio are replaced, exact to the sample; the rest is as it was heard."""

from __future__ import annotations

from fractions import Fraction
from typing import TYPE_CHECKING, Any

import av
import numpy as np
import pytest

from tests.video.test_lossless_audio import with_audio
from tracker_blur.core.audio_spans import AudioSpan
from tracker_blur.redaction.redactor import FrameRedactor
from tracker_blur.settings import Settings
from tracker_blur.video.audio_editing import AudioEditor
from tracker_blur.video.reader import VideoReader
from tracker_blur.video.writer import VideoWriter

if TYPE_CHECKING:
    from pathlib import Path

    import numpy.typing as npt

RATE = 48_000
MUTE, BLEEP = (AudioSpan.parse(*each) for each in (("mute", "0.3s..0.5s"), ("bleep", "0.6s..0.8s")))
LOSSLESS_DB, OPUS_DB = 120, 30


def edited(source: Path, target: Path, *spans: AudioSpan, **options: Any) -> VideoWriter:
    settings = Settings(overwrite=True, **options)
    redactor = FrameRedactor(settings)
    with (
        VideoReader(source) as video,
        VideoWriter(target, source, video, settings, spans) as writer,
    ):
        for frame in video:
            writer.write(redactor.redact(frame, ()))
    return writer


def heard(path: Path, track: int = 0) -> npt.NDArray[np.float64]:
    """Return the left samples of the first second from the first video frame, at 48 kHz."""
    with av.open(str(path)) as container:
        frame = next(container.decode(video=0))
        assert frame.pts is not None
        origin = frame.pts * (frame.time_base or Fraction(0))
    samples = np.zeros(RATE)
    resampler = av.AudioResampler("fltp", "stereo", RATE)
    first: int | None = None
    parts = []
    with av.open(str(path)) as container:
        for audio in container.decode(audio=track):
            assert audio.pts is not None
            if first is None:
                first = round((audio.pts * (audio.time_base or Fraction(0)) - origin) * RATE)
            parts += resampler.resample(audio)
    decoded = np.concatenate([part.to_ndarray()[0] for part in parts])
    assert first is not None
    begin = max(0, first)
    decoded = decoded[begin - first : begin - first + RATE - begin]
    samples[begin : begin + len(decoded)] = decoded
    return samples


def lead_and_lag(path: Path) -> tuple[int, int]:
    """Return by how many samples the audio begins before the video, and after it."""
    with av.open(str(path)) as container:
        video, audio = (
            (stream.start_time or 0) * (stream.time_base or Fraction(0))
            for stream in (container.streams.video[0], container.streams.audio[0])
        )
    lead = round((video - audio) * RATE)
    return max(0, lead), max(0, -lead)


def ratio_db(before: npt.NDArray[Any], after: npt.NDArray[Any]) -> float:
    """Return the ratio of signal to noise."""
    noise = max(float(np.mean(np.square(before - after))), 1e-30)
    return 10 * float(np.log10(np.mean(np.square(before)) / noise))


@pytest.mark.parametrize(
    ("name", "codec", "out", "stored", "least_db"),
    [
        ("in.mp4", "aac", "out.mp4", "flac", LOSSLESS_DB),
        ("in.mp4", "aac", "out.mov", "pcm_s24le", LOSSLESS_DB),
        ("in.mp4", "libmp3lame", "out.mkv", "flac", LOSSLESS_DB),
        ("in.mkv", "ac3", "out.mp4", "flac", LOSSLESS_DB),
        ("in.mkv", "libopus", "out.mkv", "flac", LOSSLESS_DB),
        ("in.ts", "aac", "out.mp4", "flac", LOSSLESS_DB),
        ("in.mkv", "libopus", "out.webm", "opus", OPUS_DB),
    ],
)
def test_outside_of_the_spans_the_audio_is_as_it_was_and_in_step(
    name: str, codec: str, out: str, stored: str, least_db: float, tmp_path: Path
) -> None:
    source, target = with_audio(tmp_path / name, codec), tmp_path / out
    writer = edited(source, target, MUTE, BLEEP)
    assert f"is stored as {'libopus' if stored == 'opus' else stored}" in writer.warnings[0]
    with av.open(str(target)) as container:
        assert container.streams.audio[0].codec_context.name == stored
    before, after = heard(source), heard(target)
    edge = 1440 if stored == "opus" else 0  # a codec with loss needs 30 ms to change
    early, late = lead_and_lag(source)  # transport streams
    for start, end in (
        (4800, 14_400 - early),
        (24_000 + late, 28_800 - early),
        (38_400 + late, 43_200),
    ):
        inner = np.s_[start + edge : end - edge]
        assert ratio_db(before[inner], after[inner]) > least_db
    assert np.abs(after[14_400 + edge : 24_000 - edge]).max() == pytest.approx(0, abs=5e-3)
    tone = after[29_040:38_160]
    assert np.abs(tone).max() == pytest.approx(0.1, rel=0.05)
    spectrum = np.abs(np.fft.rfft(tone * np.hanning(len(tone))))
    assert np.argmax(spectrum) * RATE / len(tone) == pytest.approx(1000, abs=6)


@pytest.mark.parametrize(
    ("name", "codec", "out"),
    [
        ("in.mov", "pcm_s16le", "out.mov"),
        ("in.mkv", "pcm_s24le", "out.mkv"),
        ("in.mkv", "pcm_f32le", "out.mkv"),
        ("in.mkv", "flac", "out.mkv"),
        ("in.mp4", "alac", "out.mov"),
    ],
)
def test_audio_without_loss_stays_so_to_the_bit(
    name: str, codec: str, out: str, tmp_path: Path
) -> None:
    source, target = with_audio(tmp_path / name, codec), tmp_path / out
    edited(source, target, MUTE)
    before, after = heard(source), heard(target)
    np.testing.assert_array_equal(after[:14_400], before[:14_400])
    np.testing.assert_array_equal(after[24_000:], before[24_000:])
    assert not after[14_400:24_000].any()
    assert before[14_400:24_000].any()


def test_all_tracks_are_edited_and_an_editors_times_are_covered(tmp_path: Path) -> None:
    """An editor's 0.3 s is 0.2 s after the first frame in a track, its 0.5 s 0.7 s in another.

    Tracks that are not kept do not count.
    """
    one, several, target = (tmp_path / f"{name}.mkv" for name in ("one", "several", "out"))
    begins = {"video": [100], "audio": [0, 300, 500]}  # milliseconds, as Matroska counts
    with av.open(str(with_audio(one, "flac"))) as reader, av.open(str(several), "w") as writer:
        outputs = {
            stream.index: [
                (writer.add_stream_from_template(stream), begin) for begin in begins[stream.type]
            ]
            for stream in reader.streams
        }
        for packet in reader.demux():
            for stream, begin in outputs[packet.stream.index] if packet.size else ():
                copy: Any = av.Packet(bytes(packet))
                copy.pts, copy.dts = (
                    None if time is None else time + begin for time in (packet.pts, packet.dts)
                )
                copy.time_base, copy.stream = packet.time_base, stream
                copy.is_keyframe = packet.is_keyframe
                writer.mux(copy)
    written = edited(several, target, MUTE, tracks_kept=(1, 2))
    early, late = written.warnings[-2:]
    assert "audio begins 0.100 seconds before the first frame" in early
    assert "begins that much earlier than asked" in early
    assert "audio begins 0.200 seconds after the first frame" in late
    assert "ends that much later than asked" in late
    for track in range(2):
        before, after = heard(several, track), heard(target, track)
        assert before[9600:33_600].any()
        assert not after[9600:33_600].any()
        for part in (np.s_[:9600], np.s_[33_600:]):
            np.testing.assert_array_equal(after[part], before[part])
    assert edited(several, target, MUTE, audio="drop").warnings == ()
    assert not any(
        "begins" in text for text in edited(several, target, AudioSpan("mute", "..")).warnings
    )


def test_a_sample_that_lies_in_a_span_in_part_is_replaced() -> None:
    editor = AudioEditor([AudioSpan.parse("mute", "1.00001s..1.00009s")])
    editor.origin = Fraction(2)
    frame: Any = av.AudioFrame.from_ndarray(np.full((1, 40), 9, np.int16), "s16", "stereo")
    frame.sample_rate, frame.pts, frame.time_base = RATE, 3 * RATE - 5, Fraction(1, RATE)
    after = editor.edited(frame)
    left = after.to_ndarray().reshape(-1, 2)[:, 0].tolist()
    assert left == [9] * 5 + [0] * 5 + [9] * 10  # samples 0.48 to 4.32 of the second second
    assert (after.pts, after.sample_rate, after.samples) == (3 * RATE - 5, RATE, 20)
    elsewhere: Any = av.AudioFrame.from_ndarray(np.full((1, 40), 9, np.int16), "s16", "stereo")
    elsewhere.sample_rate, elsewhere.pts, elsewhere.time_base = RATE, 0, Fraction(1, RATE)
    assert editor.edited(elsewhere) is elsewhere


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("10s", "is no span of time: give one such as 10s..15s"),
        ("10..15", "has '10', which has no unit, as in 10s: give one such as 10s..15s"),
        ("-1s..3s", "has '-1s', which is negative, and times count from the first frame"),
        ("1s..x", "has 'x', which is no time: give one such as 10s..15s"),
        ("5s...7s", "is no span of time"),
        ("15s..10s", "ends before it begins: swap the two"),
        ("10s..10s", "lasts no time"),
        ("", "is no span of time"),
    ],
)
def test_nonsense_is_refused(text: str, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        AudioSpan.parse("mute", text)


def test_a_span_may_be_open() -> None:
    open_ends = [AudioSpan.parse("mute", text) for text in ("..5s", "0:05..", "..")]
    assert [(span.start, span.end) for span in open_ends] == [(None, 5), (5, None), (None, None)]
