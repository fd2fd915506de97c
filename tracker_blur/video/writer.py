"""VideoWriter: writes redacted frames, and the input's other tracks, into a video file.

MP4, MOV, Matroska, WebM or an animated GIF (PyAV).
"""

from __future__ import annotations

import math
from contextlib import contextmanager, suppress
from fractions import Fraction
from typing import TYPE_CHECKING, Any

import av

from tracker_blur.errors import SinkError, TrackerBlurError, reason_of
from tracker_blur.files.atomic import NO_SPACE, replacing
from tracker_blur.files.paths import exists
from tracker_blur.video.audio_editing import AudioEditor, audio_start
from tracker_blur.video.containers import ContainerFormat, container_format
from tracker_blur.video.encoder import FrameConformer, FrameEncoder, normal_priority
from tracker_blur.video.encoder_settings import Encoder, choose_encoder
from tracker_blur.video.fonts import fonts
from tracker_blur.video.frame import DecodedFrame
from tracker_blur.video.gif import GifEncoder
from tracker_blur.video.metadata import chapter_tags, file_tags, track_tags
from tracker_blur.video.opening import open_input
from tracker_blur.video.rendered import joined_packets
from tracker_blur.video.stream_copy import CopiedTrack, StreamCopier, check_fits, cue_starts
from tracker_blur.video.track_selection import TrackSelection, select_tracks, wanted_tracks

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from pathlib import Path
    from types import TracebackType

    from av.container import InputContainer
    from av.packet import Packet
    from av.stream import Stream
    from av.video.stream import VideoStream

    from tracker_blur.core.audio_spans import AudioSpan
    from tracker_blur.core.frame import RedactedFrame
    from tracker_blur.settings import Settings
    from tracker_blur.video.rendered import RenderedPiece
    from tracker_blur.video.stream_info import VideoInput, VideoTrack

_MAX_TICKS_PER_SECOND = 10_000_000
_LEAST_OFFSET_SECONDS = 0.04  # that anyone hears: encoders begin up to 27 ms early


class VideoWriter:
    """Encodes the frames again, and copies everything else of the input.

    Audio is copied, and subtitles are, cleaned and without telemetry. Chapters, languages,
    dispositions, fonts, timing and titles of tracks that name no one are kept. `settings` decides
    which tracks and other tags stay. Cover art, further video tracks and data tracks are never
    written.

    Args:
        path: The output; its suffix decides the container format.
        source_path: The input, read a second time for its other tracks.
        source: Where the frames come from.
        settings: Quality, encoder, metadata and whether to overwrite.
        audio_spans: What of the audio is replaced. Subtitles that are shown meanwhile are left out.
        in_pieces: Whether the frames come encoded, by `write_pieces`.

    Attributes:
        warnings: What the user should know: a size that the encoder changes; once written, that
            transparency was lost, or subtitles were left out.

    Raises:
        SinkError: The suffix is unknown, the output is the input, or no encoder can be used with
            the container. On entering: the output exists or cannot be written, cannot hold a track,
            or the encoder does not work on this machine.
        SourceError: On entering or at the end: the input is no longer the file that `source` reads.
        SettingsError: The encoder does not have a setting.
    """

    def __init__(
        self,
        path: Path,
        source_path: Path,
        source: VideoInput,
        settings: Settings,
        audio_spans: Sequence[AudioSpan] = (),
        *,
        in_pieces: bool = False,
    ) -> None:
        if exists(path) and path.samefile(source_path):
            raise SinkError(f"{path}: is the input itself: choose another name for the output")
        self._path = path
        self._source_path = source_path
        self._source = source
        self._settings = settings
        self._in_pieces = in_pieces
        self._editor = AudioEditor(audio_spans) if audio_spans else None
        self._form = container_format(path)
        with _sink_errors(path):
            self._encoder = choose_encoder(settings, source.track, self._form)
            self._encoder.options_for(settings)
        self.warnings = (
            *self._check_tracks(),
            *_size_warnings(path, source.track, self._encoder),
        )
        self._muxer: Muxer | None = None
        self._run = self._open()

    def write(self, redacted: RedactedFrame) -> None:
        """Write one frame; raises SinkError if that fails."""
        if not isinstance(redacted.frame, DecodedFrame):
            raise TypeError(f"a video is written from decoded frames, not {redacted.frame!r}")
        if self._muxer is None:
            raise ValueError("a writer is used inside its with block")
        with _sink_errors(self._path):
            self._muxer.write(redacted.frame.av_frame)

    def write_pieces(self, pieces: Sequence[RenderedPiece]) -> None:
        """Write all frames at once, from the pieces in which they are, redacted and encoded.

        Raises:
            SinkError: That fails.
            SourceError: A piece is damaged.
        """
        if self._muxer is None:
            raise ValueError("a writer is used inside its with block")
        with _sink_errors(self._path):
            self._muxer.write_pieces(pieces)

    def __enter__(self) -> VideoWriter:
        self._run.__enter__()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._run.__exit__(kind, error, trace)

    def _check_tracks(self) -> tuple[str, ...]:
        """Fail early, if a track does not exist or does not fit; warn where none can be kept."""
        index = self._source.track.index
        with open_input(self._source_path) as source, _sink_errors(self._path):
            wanted = wanted_tracks(self._source_path, source, index, self._settings)
            if wanted and not self._form.holds_tracks:
                name = self._form.muxer
                return (f"{self._path}: {name} files hold no audio or subtitles: left out",)
            for stream in wanted:
                if stream.type == "audio" and self._editor is not None:
                    continue  # it becomes what the container holds
                check_fits(stream, self._form, self._settings.metadata)
        return ()

    @contextmanager
    def _open(self) -> Iterator[None]:
        with (
            replacing(self._path, self._settings.overwrite) as temporary,
            open_input(self._source_path) as source,
        ):
            self._source.identity.check()  # now the audio is known to be that of the frames
            with _sink_errors(self._path):
                muxer = Muxer(
                    temporary,
                    self._source_path,
                    source,
                    self._source.track,
                    self._form,
                    self._encoder,
                    self._settings,
                    self._editor,
                    in_pieces=self._in_pieces,
                )
            self.warnings += muxer.warnings
            try:
                self._muxer = muxer
                yield
                with _sink_errors(self._path):
                    muxer.finish(is_partial=self._source.is_partial)
                self._source.identity.check_end()
                if muxer.has_flattened:
                    self.warnings += (_flattened(self._path, self._form, self._encoder),)
                if self._editor is not None:
                    self.warnings += _offset_warnings(self._path, self._editor.lead)
                if muxer.silenced_cues:
                    self.warnings += (_left_out(self._path, muxer.silenced_cues),)
            except BaseException:
                muxer.abandon()
                raise
            finally:
                self._muxer = None


def _size_warnings(path: Path, track: VideoTrack, encoder: Encoder) -> tuple[str, ...]:
    conformer = FrameConformer(track, encoder)
    if not conformer.is_padded:
        return ()
    before, after = ("x".join(map(str, size)) for size in (track.size, conformer.size))
    return (
        f"{path}: is {after} instead of {before}, its last column or row repeated: "
        f"{encoder.name} takes even sides only",
    )


def _flattened(path: Path, form: ContainerFormat, encoder: Encoder) -> str:
    remedy = "leave out the codec" if form.transparent else "choose .webm, .mov or .mkv"
    return (
        f"{path}: is written without transparency, on black, as {encoder.codec} in {form.muxer} "
        f"has none: {remedy} to keep it"
    )


def _left_out(path: Path, cues: int) -> str:
    what = "1 subtitle is" if cues == 1 else f"{cues} subtitles are"
    return f"{path}: {what} left out: the audio is muted or bleeped while shown"


def _offset_warnings(path: Path, lead: Fraction) -> tuple[str, ...]:
    """Return what the user should know where an audio editor's times are not the video's."""
    seconds = f"{abs(float(lead)):.3f} seconds"
    if abs(lead) < _LEAST_OFFSET_SECONDS:
        return ()
    if lead > 0:
        return (
            f"{path}: the audio begins {seconds} before the first frame: what is muted or bleeped "
            "begins that much earlier than asked, so that times from an audio editor are covered",
        )
    return (
        f"{path}: the audio begins {seconds} after the first frame: if the times to mute or bleep "
        "are an audio editor's, add that to them",
    )


@contextmanager
def _sink_errors(path: Path) -> Iterator[None]:
    """Turn write errors into one clear line."""
    try:
        yield
    except SinkError as error:
        raise SinkError.about(str(path), error) from error
    except TrackerBlurError:
        raise
    except (av.FFmpegError, OSError, ValueError) as error:
        if getattr(error, "errno", None) in NO_SPACE:
            advice = "no space left: free some, or choose another folder"
        else:
            advice = f"cannot be written ({reason_of(error)}): choose another container format"
        raise SinkError(f"{path}: {advice}") from error


class Muxer:
    """An output file being written. Its header is written at once, so that errors show early.

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
        self._audio_start = audio_start(source)
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
            self._editor.set_clock((frame.pts or 0) * time_base, self._audio_start)
        self._end = (frame.pts or 0) * time_base + seconds
        self._write_in_step(self._video.encode(frame))

    def write_pieces(self, pieces: Sequence[RenderedPiece]) -> None:
        """Write the packets of all frames, and those of all tracks that are due by then."""
        time_base = Fraction(pieces[0].info.time_base)
        if self._editor is not None:
            origin = pieces[0].info.first_pts * time_base + self._start
            self._editor.set_clock(origin, self._audio_start)
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
