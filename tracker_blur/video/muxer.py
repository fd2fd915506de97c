"""Muxer: an output file that is being written, with the encoded frames and the copied tracks."""

from __future__ import annotations

import math
from contextlib import suppress
from fractions import Fraction
from typing import TYPE_CHECKING, Any

import av

from tracker_blur.errors import SinkError, reason_of
from tracker_blur.video.audio_editing import audio_starts
from tracker_blur.video.encoder import FrameEncoder, normal_priority
from tracker_blur.video.fonts import fonts
from tracker_blur.video.gif import GifEncoder
from tracker_blur.video.metadata import chapter_tags, file_tags, track_tags
from tracker_blur.video.rendered import joined_packets
from tracker_blur.video.stream_copy import CopiedTrack, StreamCopier, cue_starts
from tracker_blur.video.track_selection import TrackSelection, select_tracks

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from pathlib import Path

    from av.container import InputContainer
    from av.packet import Packet
    from av.stream import Stream
    from av.video.stream import VideoStream

    from tracker_blur.settings import Settings
    from tracker_blur.video.audio_editing import AudioEditor
    from tracker_blur.video.containers import ContainerFormat
    from tracker_blur.video.encoder_settings import Encoder
    from tracker_blur.video.rendered import RenderedPiece
    from tracker_blur.video.stream_info import VideoTrack

_MAX_TICKS_PER_SECOND = 10_000_000


class Muxer:
    """An output file being written. Its header is written at once, so that errors show early.

    Args:
        path: The file; it is written over.
        source_path: The input's name, for messages and to read it again.
        source: The input, opened.
        track: The video track that the frames are from.
        form: The container format.
        encoder: What encodes the frames.
        settings: Quality, metadata and which tracks are kept.
        editor: Replaces parts of the audio; None: audio is copied.
        in_pieces: Whether the frames come encoded, by `write_pieces`.

    Attributes:
        warnings: What the user should know of the tracks besides the video.

    Raises:
        SinkError: A track or the encoder cannot be used with the container.
        av.FFmpegError: The file cannot be written.
        OSError: The same.
        ValueError: The same.
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
        editor: AudioEditor | None = None,
        *,
        in_pieces: bool = False,
    ) -> None:
        self._path = path
        self._editor = editor
        self._start = track.clock_start
        self._end = Fraction(0)
        self._pieces_flattened, self._in_pieces = False, in_pieces
        self._frame_seconds = 1 / track.rate
        self._output = av.open(
            f"file:{path}",
            "w",
            format=form.muxer,
            container_options=_muxer_options(form, source, track, settings),
        )
        copied: dict[int, CopiedTrack] = {}
        selection = TrackSelection()
        if form.holds_tracks:
            selection = select_tracks(source_path, source, track.index, settings)
        self._audio_starts = audio_starts(source, selection.indexes)
        starts: dict[int, list[Fraction]] = {}
        if editor is not None:
            subtitles = {stream.index for stream in source.streams if stream.type == "subtitle"}
            starts = cue_starts(source_path, track.index, subtitles & set(selection.indexes))
        for stream in source.streams:
            if stream.index == track.index:
                self._video = self._video_encoder(stream, track, encoder, settings)
            elif stream.index in selection.indexes:
                copied[stream.index] = CopiedTrack(
                    stream,
                    self._output,
                    form,
                    settings.metadata,
                    self._start,
                    editor,
                    starts.get(stream.index, ()),
                )
        if form.holds_fonts and any(copy.needs_fonts for copy in copied.values()):
            for name, media_type, content in fonts(source.streams.attachments):
                self._output.add_attachment(name, media_type, content)
        notes = (f"{source_path}: {copy.note}" for copy in copied.values() if copy.note)
        self.warnings = (*selection.warnings, *notes)
        self._output.metadata.update(file_tags(source.metadata, settings.metadata))
        if form.holds_tracks:
            self._output.set_chapters(_chapters(source, settings))
        self._copier = StreamCopier(
            source_path, source, track.index, copied, partial=settings.partial
        )
        self._output.start_encoding()

    @property
    def has_flattened(self) -> bool:
        """Whether a frame so far was transparent somewhere, and is written on black."""
        return self._pieces_flattened or (
            isinstance(self._video, FrameEncoder) and self._video.has_flattened
        )

    @property
    def silenced_cues(self) -> int:
        """How many subtitles were left out so far, as the audio is replaced meanwhile."""
        return self._copier.silenced_cues

    def write(self, frame: av.VideoFrame) -> None:
        """Encode a frame, and write the packets of all tracks that are due by then."""
        time_base = frame.time_base or Fraction(0)
        seconds = frame.duration * time_base or self._frame_seconds
        if self._editor is not None and self._editor.origin is None:
            self._editor.set_clock((frame.pts or 0) * time_base, self._audio_starts)
        self._end = (frame.pts or 0) * time_base + seconds
        self._write_in_step(self._video.encode(frame))

    def write_pieces(self, pieces: Sequence[RenderedPiece]) -> None:
        """Write the packets of all frames, and those of all tracks that are due by then."""
        time_base = Fraction(pieces[0].info.time_base)
        if self._editor is not None:
            origin = pieces[0].info.first_pts * time_base + self._start
            self._editor.set_clock(origin, self._audio_starts)
        setup = bytes(self._video.stream.codec_context.extradata or b"")
        for packet in joined_packets(pieces, setup, round(self._frame_seconds / time_base)):
            packet.stream = self._video.stream
            self._write_in_step([packet])
        self._pieces_flattened = any(piece.info.has_flattened for piece in pieces)

    def finish(self, *, is_partial: bool) -> None:
        """Write what is left; of a partial input, nothing after its last frame."""
        if not self._in_pieces:  # then the encoder has had no frame
            self._write_in_step(self._video.finish())
        for packet in self._copier.rest(self._end if is_partial else None):
            self._output.mux(packet)
        self._output.close()

    def abandon(self) -> None:
        """Delete the file."""
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

    def _video_encoder(
        self,
        stream: Stream,
        track: VideoTrack,
        encoder: Encoder,
        settings: Settings,
    ) -> FrameEncoder | GifEncoder:
        video: FrameEncoder | GifEncoder
        if encoder.codec == "gif":
            video = GifEncoder(self._output, track)
        else:
            video = FrameEncoder(
                self._output, track, encoder, settings, reproducible=self._in_pieces
            )
        video.stream.metadata.update(track_tags(stream.metadata, "video", settings.metadata))
        video.stream.disposition = stream.disposition
        try:
            with normal_priority():
                video.stream.codec_context.open()
        except av.FFmpegError as error:
            given = " and ".join(
                f"{name} {value}"
                for name, value in (("quality", settings.quality), ("preset", settings.preset))
                if value is not None
            )
            raise SinkError(
                f"encoder {encoder.name} does not work here{given and f' with {given}'} "
                f"({reason_of(error)}): choose another encoder or other settings"
            ) from error
        return video


def _muxer_options(
    form: ContainerFormat, source: InputContainer, track: VideoTrack, settings: Settings
) -> dict[str, str]:
    options = dict(form.options)
    if "movflags" in options:
        if settings.metadata == "keep":
            options["movflags"] += "+use_metadata_tags"
        # Start times are stored in ticks of the whole file's clock: it must divide each track's.
        ticks = track.time_base.denominator
        rates = [audio.rate for audio in source.streams.audio if audio.codec_context is not None]
        exact = math.lcm(ticks, *filter(None, rates))
        options["movie_timescale"] = str(exact if exact <= _MAX_TICKS_PER_SECOND else ticks)
    return options


def _chapters(source: InputContainer, settings: Settings) -> list[Any]:
    return [
        {**chapter, "id": number, "metadata": chapter_tags(chapter["metadata"], settings.metadata)}
        for number, chapter in enumerate(source.chapters(), 1)
    ]
