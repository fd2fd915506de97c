"""Puts an output together: new pictures, and everything else of the input beside them."""

from __future__ import annotations

import math
from collections.abc import Iterable
from contextlib import suppress
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
from av.container import InputContainer
from av.packet import Packet
from av.stream import AttachmentStream, Stream
from av.video.stream import VideoStream

from tracker_blur.errors import SinkError
from tracker_blur.settings import Settings
from tracker_blur.video.containers import ContainerFormat
from tracker_blur.video.encoder import PictureEncoder
from tracker_blur.video.encoder_settings import Encoder
from tracker_blur.video.gif import GifEncoder
from tracker_blur.video.metadata import chapter_tags, file_tags, track_tags
from tracker_blur.video.priority import kept_priority
from tracker_blur.video.stream_copy import CopiedTrack, Copier
from tracker_blur.video.stream_info import VideoTrack

_FONT_SUFFIXES = (".ttf", ".otf", ".ttc", ".woff", ".woff2")
_MOST_TICKS_A_SECOND = 10_000_000


class Assembly:
    """An output file under way; its header is written at once, so that faults show early.

    Raises SinkError when a track or the encoder does not fit; av.FFmpegError, OSError or
    ValueError when the file cannot be written.
    """

    def __init__(
        self,
        path: Path,
        source_path: Path,
        source: InputContainer,
        track: VideoTrack,
        form: ContainerFormat,
        encoder: Encoder,
        settings: Settings,
    ) -> None:
        self._path = path
        self._start = track.clock_start
        self._end = Fraction(0)
        self._frame_seconds = 1 / track.rate
        self._output = av.open(
            f"file:{path}",
            "w",
            format=form.muxer,
            container_options=_muxer_options(form, source, track, settings),
        )
        copied: dict[int, CopiedTrack] = {}
        for stream in source.streams:
            if stream.index == track.index:
                self._pictures = self._picture_track(stream, track, encoder, settings)
            elif form.holds_tracks and stream.type in ("audio", "subtitle"):
                if stream.codec_context is not None:
                    copied[stream.index] = CopiedTrack(
                        stream, self._output, form, settings.metadata, self._start
                    )
            elif form.holds_fonts and isinstance(stream, AttachmentStream) and _is_font(stream):
                self._output.add_attachment(stream.name or "", stream.mimetype or "", stream.data)
        self._output.metadata.update(file_tags(source.metadata, settings.metadata))
        if form.holds_tracks:
            self._output.set_chapters(_chapters(source))
        self._copier = Copier(source_path, source, copied, partial=settings.partial)
        self._output.start_encoding()

    def write(self, picture: av.VideoFrame) -> None:
        """Encode a picture, and write what is due by then."""
        time_base = picture.time_base or Fraction(0)
        seconds = picture.duration * time_base or self._frame_seconds
        self._end = (picture.pts or 0) * time_base + seconds
        self._write_in_step(self._pictures.encode(picture))

    def finish(self, *, is_partial: bool) -> None:
        """Write what is left; of a partial input, nothing after its last picture."""
        self._write_in_step(self._pictures.finish())
        for packet in self._copier.up_to(self._end if is_partial else None):
            self._output.mux(packet)
        self._output.close()

    def abandon(self) -> None:
        """Let go of the file, which is deleted."""
        with suppress(OSError):
            self._path.unlink()  # first, so that no time is spent on completing it
        with suppress(Exception):
            self._output.close()

    def _write_in_step(self, packets: Iterable[Packet[VideoStream]]) -> None:
        for packet in packets:
            time = (packet.dts or 0) * packet.time_base + self._start
            for other in self._copier.up_to(time):
                self._output.mux(other)
            self._output.mux(packet)

    def _picture_track(
        self,
        stream: Stream,
        track: VideoTrack,
        encoder: Encoder,
        settings: Settings,
    ) -> PictureEncoder | GifEncoder:
        pictures: PictureEncoder | GifEncoder
        if encoder.codec == "gif":
            pictures = GifEncoder(self._output, track)
        else:
            pictures = PictureEncoder(self._output, track, encoder, settings)
        pictures.stream.metadata.update(track_tags(stream.metadata, "video", settings.metadata))
        pictures.stream.disposition = stream.disposition
        try:
            with kept_priority():
                pictures.stream.codec_context.open()
        except av.FFmpegError as error:
            wishes = ", ".join(
                f"{name} {value}"
                for name, value in (("quality", settings.quality), ("preset", settings.preset))
                if value is not None
            )
            raise SinkError(
                f"encoder {encoder.name} does not work here{wishes and f' with {wishes}'} "
                f"({(error.strerror or '').lower()}): choose another encoder or other settings"
            ) from error
        return pictures


def _muxer_options(
    form: ContainerFormat, source: InputContainer, track: VideoTrack, settings: Settings
) -> dict[str, str]:
    options = dict(form.options)
    if "movflags" in options:
        if settings.metadata == "keep":
            options["movflags"] += "+use_metadata_tags"
        # Start times are stored in ticks of the whole file's clock: it must divide each track's.
        ticks = track.time_base.denominator
        rates = [sound.rate for sound in source.streams.audio if sound.codec_context is not None]
        exact = math.lcm(ticks, *filter(None, rates))
        options["movie_timescale"] = str(exact if exact <= _MOST_TICKS_A_SECOND else ticks)
    return options


def _chapters(source: InputContainer) -> list[Any]:
    return [
        {**chapter, "id": number, "metadata": chapter_tags(chapter["metadata"])}
        for number, chapter in enumerate(source.chapters(), 1)
    ]


def _is_font(stream: AttachmentStream) -> bool:
    return "font" in (stream.mimetype or "") or (stream.name or "").lower().endswith(_FONT_SUFFIXES)
