"""Puts an output together: new pictures, and everything else of the input beside them.

A video file: MP4, MOV, Matroska, WebM or an animated GIF (PyAV).
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from fractions import Fraction
from pathlib import Path
from types import TracebackType
from typing import Any

import av
from av.container import InputContainer
from av.packet import Packet
from av.stream import AttachmentStream, Stream
from av.video.stream import VideoStream

from tracker_blur.core.frame import RedactedFrame
from tracker_blur.errors import SinkError, TrackerBlurError, reason_of
from tracker_blur.files.atomic import NO_SPACE, replacing
from tracker_blur.settings import Settings
from tracker_blur.video.containers import ContainerFormat, container_format
from tracker_blur.video.encoder import FrameConformer, FrameEncoder, kept_priority
from tracker_blur.video.encoder_settings import Encoder, choose
from tracker_blur.video.frame import DecodedFrame
from tracker_blur.video.gif import GifEncoder
from tracker_blur.video.reader import open_input
from tracker_blur.video.stream_copy import CopiedTrack, Copier, chapter_tags, file_tags, track_tags
from tracker_blur.video.stream_info import VideoInput, VideoTrack

_FONT_SUFFIXES = (".ttf", ".otf", ".ttc", ".woff", ".woff2")
_MOST_TICKS_A_SECOND = 10_000_000


class Muxer:
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
    ) -> FrameEncoder | GifEncoder:
        pictures: FrameEncoder | GifEncoder
        if encoder.codec == "gif":
            pictures = GifEncoder(self._output, track)
        else:
            pictures = FrameEncoder(self._output, track, encoder, settings)
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
                f"({reason_of(error)}): choose another encoder or other settings"
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


class VideoWriter:
    """Writes the pictures anew, and everything else of the input as it was.

    Sound and subtitles are copied; chapters, languages, track titles, dispositions, fonts and
    timing are kept. Other tags go as `settings.metadata` says; cover art, further picture tracks
    and data tracks are never written.

    path         the output; its suffix says which kind of file
    source_path  the input, read a second time for its other tracks
    source       where the frames come from
    warnings     what a user should know: a size that the encoder changes

    Raises SinkError when the suffix is unknown, the output is the input, or no encoder fits; on
    entering, when the output exists or cannot be written, cannot hold a track, or the encoder
    does not work on this machine.
    """

    def __init__(
        self, path: Path, source_path: Path, source: VideoInput, settings: Settings
    ) -> None:
        if path.exists() and path.samefile(source_path):
            raise SinkError(f"{path}: is the input itself: choose another name for the output")
        self._path = path
        self._source_path = source_path
        self._source = source
        self._settings = settings
        self._form = container_format(path)
        with _explained(path):
            self._encoder = choose(settings, source.track, self._form)
            self._encoder.configured(settings)
        self.warnings = _resized(path, source.track, self._encoder)
        self._assembly: Muxer | None = None
        self._run = self._running()

    def write(self, redacted: RedactedFrame) -> None:
        """Write one frame; raises SinkError when that fails."""
        if not isinstance(redacted.frame, DecodedFrame):
            raise TypeError(f"a video is written from decoded frames, not {redacted.frame!r}")
        if self._assembly is None:
            raise ValueError("a sink is written to inside of its with block")
        with _explained(self._path):
            self._assembly.write(redacted.frame.picture)

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

    @contextmanager
    def _running(self) -> Iterator[None]:
        with (
            replacing(self._path, self._settings.overwrite) as temporary,
            open_input(self._source_path) as source,
        ):
            with _explained(self._path):
                assembly = Muxer(
                    temporary,
                    self._source_path,
                    source,
                    self._source.track,
                    self._form,
                    self._encoder,
                    self._settings,
                )
            try:
                self._assembly = assembly
                yield
                with _explained(self._path):
                    assembly.finish(is_partial=self._source.is_partial)
            except BaseException:
                assembly.abandon()
                raise
            finally:
                self._assembly = None


def _resized(path: Path, track: VideoTrack, encoder: Encoder) -> tuple[str, ...]:
    fit = FrameConformer(track, encoder)
    if not fit.is_padded:
        return ()
    before, after = ("x".join(map(str, size)) for size in (track.size, fit.size))
    return (
        f"{path}: is {after} instead of {before}, its last column or row repeated: "
        f"{encoder.name} takes even sides only",
    )


@contextmanager
def _explained(path: Path) -> Iterator[None]:
    """Turn what goes wrong while writing into one clear line."""
    try:
        yield
    except SinkError as error:
        raise SinkError(f"{path}: {error}") from error
    except TrackerBlurError:
        raise
    except (av.FFmpegError, OSError, ValueError) as error:
        if getattr(error, "errno", None) in NO_SPACE:
            advice = "no space left: free some, or choose another folder"
        else:
            advice = f"cannot be written ({reason_of(error)}): choose another kind of file"
        raise SinkError(f"{path}: {advice}") from error
