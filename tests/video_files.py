"""Small video files for tests, written with PyAV."""

from __future__ import annotations

from dataclasses import dataclass, field
from fractions import Fraction
from typing import TYPE_CHECKING, Any

import av
import numpy as np
import numpy.typing as npt

from tracker_blur.video.encoder import normal_priority

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

ROTATED_90_CLOCKWISE = (0, 65536, 0, -65536, 0, 0, 0, 0, 1 << 30)
MIRRORED = (-65536, 0, 0, 0, 65536, 0, 0, 0, 1 << 30)


@dataclass(frozen=True)
class AudioTrack:
    """An audio track with a tone; times in seconds."""

    codec: str = "aac"
    start: float = 0.0
    seconds: float | None = None
    language: str | None = None
    title: str | None = None
    disposition: int | None = None


@dataclass(frozen=True)
class CaptionTrack:
    """A subtitle track of (start, end, text), times in seconds."""

    codec: str = "subrip"
    lines: Sequence[tuple[float, float, str]] = ((0.2, 0.6, "one"), (0.8, 1.1, "two"))
    language: str | None = "eng"


@dataclass(frozen=True)
class Clip:
    """The content of a test video; see `write_clip`."""

    frames: int = 25
    size: tuple[int, int] = (96, 64)
    codec: str = "libx264"
    pixel_format: str = "yuv420p"
    rate: Fraction = Fraction(25)
    time_base: Fraction | None = None
    pts: Sequence[int] | None = None
    gop: int = 12
    matrix: tuple[int, ...] | None = None
    pixel_aspect: Fraction | None = None
    color: tuple[int, int, int, int] | None = None  # primaries, transfer, matrix, range
    interlaced: bool = False
    options: Mapping[str, str] = field(default_factory=dict)
    container_options: Mapping[str, str] = field(default_factory=dict)
    container_format: str | None = None
    audio_tracks: Sequence[AudioTrack] = ()
    captions: Sequence[CaptionTrack] = ()
    chapters: Sequence[tuple[float, float, str]] = ()
    metadata: Mapping[str, str] = field(default_factory=dict)
    video_metadata: Mapping[str, str] = field(default_factory=dict)
    cover: bool = False
    font: bytes | None = None
    noise: bool = False


def pattern(index: int, size: tuple[int, int], noise: bool = False) -> npt.NDArray[np.uint8]:
    """Return frame `index` of the test pattern: moving gradients, as RGB."""
    width, height = size
    y, x = np.mgrid[0:height, 0:width]
    planes = (x * 3 + index * 5, y * 4 + index * 2, (x + y) * 2 + index * 7)
    image = np.stack(planes, axis=-1) % 256
    if noise:
        image = image + np.random.default_rng(index).integers(-9, 10, image.shape)
    return np.asarray(np.clip(image, 0, 255), np.uint8)


def write_clip(path: Path, clip: Clip | None = None, **changes: Any) -> Path:
    """Write a test video; `changes` are fields of Clip."""
    clip = Clip(**changes) if clip is None else clip
    with av.open(
        str(path),
        "w",
        format=clip.container_format,
        container_options=dict(clip.container_options),
    ) as container:
        _write(container, clip)
    return path


def write_frames(
    path: Path,
    frames: Sequence[av.VideoFrame],
    codec: str = "ffv1",
    color: tuple[int, int, int, int] | None = None,
) -> Path:
    """Write frames as they are, with a lossless codec, 25 a second."""
    with av.open(str(path), "w") as container:
        stream: Any = container.add_stream(codec, rate=25)
        stream.width, stream.height = frames[0].width, frames[0].height
        stream.pix_fmt = frames[0].format.name
        if color is not None:
            _set_color(stream.codec_context, color)
        for index, frame in enumerate(frames):
            frame.pts, frame.time_base = index, Fraction(1, 25)
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    return path


def _set_color(context: Any, color: tuple[int, int, int, int]) -> None:
    context.color_primaries, context.color_trc, context.colorspace, context.color_range = color


def _write(container: Any, clip: Clip) -> None:
    container.metadata.update(clip.metadata)
    video = _video_stream(container, clip)
    cover = _cover_stream(container) if clip.cover else None
    audio_tracks = [(audio, _audio_stream(container, audio)) for audio in clip.audio_tracks]
    captions = [(track, _caption_stream(container, track)) for track in clip.captions]
    if clip.font is not None:
        container.add_attachment("letters.ttf", "application/x-truetype-font", clip.font)
    if clip.chapters:
        container.set_chapters(
            [
                {
                    "id": number,
                    "start": round(start * 1000),
                    "end": round(end * 1000),
                    "time_base": Fraction(1, 1000),
                    "metadata": {"title": title},
                }
                for number, (start, end, title) in enumerate(clip.chapters, 1)
            ]
        )
    packets: list[tuple[float, Any]] = []
    if cover is not None:
        packets.append((-1.0, _cover_packet(cover)))
    seconds = clip.frames / float(clip.rate)
    for audio, stream in audio_tracks:
        packets.extend(_timed(_audio_packets(audio, stream, seconds)))
    for track, stream in captions:
        packets.extend(_timed(_caption_packets(track, stream)))
    packets.extend(_timed(_video_packets(clip, video)))
    for _, packet in sorted(packets, key=lambda timed: timed[0]):
        container.mux(packet)


def _timed(packets: list[Any]) -> list[tuple[float, Any]]:
    return [(float(packet.dts * packet.time_base), packet) for packet in packets]


def _video_stream(container: Any, clip: Clip) -> Any:
    options = dict(clip.options)
    if clip.codec == "libx265":
        quiet = "log-level=none"
        options["x265-params"] = ":".join(filter(None, (quiet, options.get("x265-params"))))
    if clip.codec == "libvpx":
        options["threads"] = "1"  # several are far slower on a loaded machine
    stream = container.add_stream(clip.codec, rate=clip.rate, options=options)
    stream.width, stream.height = clip.size
    stream.pix_fmt = clip.pixel_format
    context = stream.codec_context
    context.gop_size = clip.gop
    context.time_base = clip.time_base or 1 / clip.rate
    stream.time_base = context.time_base
    if clip.pixel_aspect is not None:
        context.sample_aspect_ratio = clip.pixel_aspect
    if clip.color is not None:
        _set_color(context, clip.color)
    if clip.interlaced:
        context.flags |= 1 << 18 | 1 << 29  # interlaced DCT and motion estimation
    if clip.matrix is not None:
        stream.set_display_matrix(clip.matrix)
    stream.metadata.update(clip.video_metadata)
    return stream


def _video_packets(clip: Clip, stream: Any) -> list[Any]:
    packets = []
    with normal_priority():
        stream.codec_context.open()
    time_base = stream.codec_context.time_base
    for index in range(clip.frames):
        rgb = av.VideoFrame.from_ndarray(pattern(index, clip.size, clip.noise), "rgb24")
        frame = rgb.reformat(format=clip.pixel_format)
        if clip.pts is None:
            frame.pts = round(index / clip.rate / time_base)
        else:
            frame.pts = clip.pts[index]
        frame.time_base = time_base
        packets.extend(stream.encode(frame))
    packets.extend(stream.encode(None))
    return packets


def _audio_stream(container: Any, audio: AudioTrack) -> Any:
    stream = container.add_stream(audio.codec, rate=48000)
    stream.layout = "mono"
    if audio.language is not None:
        stream.metadata["language"] = audio.language
    if audio.title is not None:
        stream.metadata["title"] = audio.title
    if audio.disposition is not None:
        stream.disposition = audio.disposition
    return stream


def _audio_packets(audio: AudioTrack, stream: Any, video_seconds: float) -> list[Any]:
    rate = stream.rate
    stream.codec_context.open(strict=False)
    step = stream.codec_context.frame_size or 1024
    start = round(audio.start * rate)
    end = start + round((audio.seconds or video_seconds) * rate)
    packets = []
    for pts in range(start, end, step):
        wave = np.sin(np.arange(pts, pts + step) * (2 * np.pi * 440 / rate)) * 8000
        frame = av.AudioFrame.from_ndarray(wave.astype(np.int16)[None], "s16", "mono")
        frame.sample_rate = rate
        if stream.format.name != "s16":
            frame = av.AudioResampler(stream.format.name, "mono", rate).resample(frame)[0]
        frame.pts, frame.time_base = pts, Fraction(1, rate)
        packets.extend(stream.encode(frame))
    packets.extend(stream.encode(None))
    return packets


def _caption_stream(container: Any, track: CaptionTrack) -> Any:
    stream = container.add_stream(track.codec)
    stream.codec_context.subtitle_header = (
        b"[Script Info]\nScriptType: v4.00+\n\n[V4+ Styles]\n"
        b"Format: Name, Fontname, Fontsize, PrimaryColour, Alignment\n"
        b"Style: Default,Arial,16,&Hffffff,2\n\n"
        b"[Events]\n"
        b"Format: Layer, Start, End, Style, Name, MarginL, MarginR, MarginV, Effect, Text\n"
    )
    stream.codec_context.time_base = Fraction(1, 1000)
    if track.language is not None:
        stream.metadata["language"] = track.language
    return stream


def _caption_packets(track: CaptionTrack, stream: Any) -> list[Any]:
    packets = []
    for number, (start, end, text) in enumerate(track.lines):
        event = f"{number},0,Default,,0,0,0,,{text}".encode()
        milliseconds = round((end - start) * 1000)
        shown = av.subtitles.subtitle.SubtitleSet.create(event, 0, milliseconds)
        packet = stream.codec_context.encode_subtitle(shown)
        packet.pts = packet.dts = round(start * 1000)
        packet.duration = milliseconds
        packet.time_base = Fraction(1, 1000)
        packet.stream = stream
        packets.append(packet)
    return packets


def _cover_stream(container: Any) -> Any:
    stream = container.add_stream("mjpeg", rate=1)
    stream.width = stream.height = 32
    stream.pix_fmt = "yuvj420p"
    stream.disposition = av.stream.Disposition.attached_pic
    return stream


def _cover_packet(stream: Any) -> Any:
    rgb = av.VideoFrame.from_ndarray(pattern(0, (32, 32)), "rgb24")
    frame = rgb.reformat(format="yuvj420p")
    frame.pts, frame.time_base = 0, Fraction(1)
    (packet,) = stream.encode(frame) + stream.encode(None)
    packet.pts = packet.dts = 0
    return packet


def write_two_video_tracks(path: Path) -> Path:
    """Write two video tracks of five frames each."""
    with av.open(str(path), "w") as container:
        streams = [container.add_stream("mpeg4", rate=25) for _ in range(2)]
        for stream in streams:
            stream.width, stream.height = 96, 64
        for index in range(5):
            for stream in streams:
                frame = av.VideoFrame.from_ndarray(pattern(index, (96, 64)), "rgb24")
                frame.pts, frame.time_base = index, Fraction(1, 25)
                container.mux(stream.encode(frame.reformat(format="yuv420p")))
    return path
