"""Copies audio and subtitles into the output, in step with the video."""

from __future__ import annotations

import io
from contextlib import suppress
from typing import TYPE_CHECKING

import av
from av.audio.stream import AudioStream

from tracker_blur.errors import SinkError, SourceError
from tracker_blur.video import ogg_chain
from tracker_blur.video.audio_cleaning import clean_packet, clean_setup
from tracker_blur.video.clock import demuxed
from tracker_blur.video.edit_lists import ShownMedia
from tracker_blur.video.lossless_audio import LosslessAudio
from tracker_blur.video.metadata import track_tags
from tracker_blur.video.opening import open_input
from tracker_blur.video.silenced_cues import SilencedCues, shown_at
from tracker_blur.video.subtitle_tracks import SubtitleTrack, is_text, stream_cleaner

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping, Sequence
    from fractions import Fraction
    from pathlib import Path

    from av.container import InputContainer, OutputContainer
    from av.packet import Packet
    from av.stream import Stream

    from tracker_blur.settings import MetadataRule
    from tracker_blur.video.audio_editing import AudioEditor
    from tracker_blur.video.containers import ContainerFormat

_MATROSKA = "write a .mkv file"


class StreamCopier:
    """Reads the tracks that are kept, no further than the video is written.

    Args:
        path: The input, for messages.
        container: The input.
        video_index: The track that is redacted.
        tracks: By the index of the track in the input.
        partial: Accept a truncated input.
    """

    def __init__(
        self,
        path: Path,
        container: InputContainer,
        video_index: int,
        tracks: Mapping[int, CopiedTrack],
        *,
        partial: bool,
    ) -> None:
        self._path = path
        self._tracks = tracks
        self._partial = partial
        self._shown = ShownMedia(path, container)
        self._packets = track_packets(path, container, video_index, tracks)
        self._next: tuple[int, Packet[Stream]] | None = None

    def up_to(self, seconds: Fraction | None) -> Iterator[Packet[Stream]]:
        """Yield the packets that are due before a time on the input's clock; None: all the rest.

        Raises:
            SourceError: The input cannot be read further.
        """
        if not self._tracks:
            return
        while True:
            if self._next is None:
                self._next = self._read()
            if self._next is None:
                return
            index, packet = self._next
            if seconds is not None and _time(packet) > seconds:
                return
            self._next = None
            yield from self._tracks[index].copy(packet)

    def rest(self, seconds: Fraction | None) -> Iterator[Packet[Stream]]:
        """Yield the last packets, as `up_to` does, and what the tracks have held back."""
        yield from self.up_to(seconds)
        for track in self._tracks.values():
            yield from track.finish()

    @property
    def silenced_cues(self) -> int:
        """How many subtitles were left out so far, as the audio is replaced meanwhile."""
        return sum(track.silenced_cues for track in self._tracks.values())

    def _read(self) -> tuple[int, Packet[Stream]] | None:
        try:
            for index, packet in self._packets:
                if not packet.size or (self._partial and packet.is_corrupt):
                    continue
                shown = self._shown.part(packet)
                if shown is not None:
                    return index, shown
        except (av.FFmpegError, OSError, IndexError) as error:  # IndexError: a joined recording
            if not self._partial:
                raise SourceError(
                    f"{self._path}: its audio cannot be read to the end: "
                    "get the complete file, or keep what can be read with",
                    remedy="partial",
                ) from error
        return None


def track_packets(
    path: Path, container: InputContainer, video_index: int, tracks: Collection[int]
) -> Iterator[tuple[int, Packet[Stream]]]:
    """Yield the packets of some tracks of an input, each with the index of its track."""
    for packet in demuxed(path, container, video_index, tracks):
        yield packet.stream.index, packet
    if ogg_chain.is_link(container):
        yield from ogg_chain.later_packets(path, container, tracks)


def cue_starts(path: Path, video_index: int, tracks: Collection[int]) -> dict[int, list[Fraction]]:
    """Return when each packet of subtitles is shown, in seconds on the input's clock, ascending.

    Where they cannot be read to the end, what follows is missing.

    Args:
        path: The input, which is opened once more.
        video_index: The track that is redacted.
        tracks: Those of subtitles.
    """
    starts: dict[int, list[Fraction]] = {index: [] for index in tracks}
    if not starts:
        return starts
    with open_input(path) as container, suppress(av.FFmpegError, OSError, IndexError):
        for index, packet in track_packets(path, container, video_index, tracks):
            if packet.size:
                starts[index].append(shown_at(packet))
    return {index: sorted(times) for index, times in starts.items()}


class CopiedTrack:
    """A track of audio or subtitles in the output.

    Audio is copied as it is, or stored without loss where the container cannot hold its codec.
    Subtitles are cleaned, and converted where the container has them in another form only.

    Args:
        stream: The track in the input.
        output: The output.
        form: The format of the output.
        rule: Which metadata is kept.
        start: Seconds by which the output's clock is behind the input's.
        editor: Replaces parts of audio, and decides which subtitles are left out; None: all stays
            as it is.
        starts: Of subtitles: when each packet is shown, as `cue_starts` says.

    Attributes:
        target: The track in the output.
        needs_fonts: Whether it names fonts that may be attached.
        note: What the user should know of the track, if anything.

    Raises:
        SinkError: The container cannot hold the track.
    """

    def __init__(
        self,
        stream: Stream,
        output: OutputContainer,
        form: ContainerFormat,
        rule: MetadataRule,
        start: Fraction,
        editor: AudioEditor | None = None,
        starts: Sequence[Fraction] = (),
    ) -> None:
        self.needs_fonts = stream.codec_context.codec.canonical_name == "ass"
        self.note: str | None = None
        self._audio: LosslessAudio | None = None
        self._subtitles: SubtitleTrack | None = None
        self._silenced: SilencedCues | None = None
        if isinstance(stream, AudioStream):
            self.target = self._add_audio(stream, output, form, editor)
        else:
            keeps_all = rule == "keep"
            self._subtitles = SubtitleTrack(
                stream,
                output,
                _subtitle_encoder(stream, form, keeps_all=keeps_all),
                as_is=keeps_all,
            )
            self.target = self._subtitles.target
            self._silenced = None if editor is None else SilencedCues(stream, starts, editor)
        self.target.metadata.update(track_tags(stream.metadata, stream.type, rule))
        self.target.disposition = stream.disposition
        self._start = start
        self._least_step = 1 if form.is_strict and stream.type == "audio" else 0
        self._last: int | None = None

    @property
    def silenced_cues(self) -> int:
        """How many subtitles were left out so far, as the audio is replaced meanwhile."""
        return 0 if self._silenced is None else self._silenced.count

    def copy(self, packet: Packet[Stream]) -> Iterator[Packet[Stream]]:
        """Yield the output's packets for one of the input."""
        if self._audio is not None:
            yield from map(self._placed, self._audio.packets(packet))
            return
        if self._subtitles is None:
            copied: Packet[Stream] | None = clean_packet(packet)
        else:
            copied = self._subtitles.convert(packet)
            if copied is not None and self._silenced is not None and self._silenced.has(packet):
                return
        # No player shows a packet without a time.
        if copied is not None and (copied.pts is not None or copied.dts is not None):
            yield self._placed(copied)

    def finish(self) -> Iterator[Packet[Stream]]:
        """Yield the packets that have been held back."""
        if self._audio is not None:
            yield from map(self._placed, self._audio.finish())

    def _add_audio(
        self,
        stream: AudioStream,
        output: OutputContainer,
        form: ContainerFormat,
        editor: AudioEditor | None,
    ) -> Stream:
        codec = stream.codec_context.codec.canonical_name
        if editor is None and _is_copied(form, stream):
            target = output.add_stream_from_template(stream, opaque=True)
            setup = clean_setup(codec, stream.codec_context.extradata or b"")
            target.codec_context.extradata = setup or None
            return target
        if editor is not None:
            self._audio = LosslessAudio(stream, output, form.lossless_audio or "opus", editor)
            reason = "what was chosen is replaced, and all else stays as it was heard"
            self.note = f"{_described(stream)} is stored as {self._audio.codec}: {reason}"
            return self._audio.target
        check_fits(stream, form, "drop")
        assert form.lossless_audio is not None
        self._audio = LosslessAudio(stream, output, form.lossless_audio)
        reason = f"{form.muxer} files cannot hold {codec}"
        if ogg_chain.is_link(stream.container):
            reason = "what is needed to decode it changes within the file"
        self.note = f"{_described(stream)} is stored as {self._audio.codec}: {reason}"
        return self._audio.target

    def _placed(self, packet: Packet[Stream]) -> Packet[Stream]:
        """Return a packet at its time on the output's clock."""
        dts = packet.pts if packet.dts is None else packet.dts
        if dts is None:  # it only ends a track
            return packet
        pts = dts if packet.pts is None else packet.pts
        shift = round(self._start / packet.time_base)
        dts, pts = dts - shift, pts - shift
        if self._last is not None:  # muxers refuse decoding times that go back
            dts = max(dts, self._last + self._least_step)
        self._last = dts
        packet.dts, packet.pts = dts, max(dts, pts)
        packet.stream = self.target
        return packet


def check_fits(stream: Stream, form: ContainerFormat, rule: MetadataRule) -> None:
    """Check that a container can hold a track in some form; raises SinkError if not."""
    if isinstance(stream, AudioStream):
        if form.lossless_audio is None and not _is_copied(form, stream):
            raise SinkError(f"{form.muxer} files cannot hold {_described(stream)}: {_MATROSKA}")
    else:
        _subtitle_encoder(stream, form, keeps_all=rule == "keep")


def _subtitle_encoder(stream: Stream, form: ContainerFormat, *, keeps_all: bool) -> str | None:
    """Return the encoder for subtitles; None if the container holds them as they are."""
    if _can_hold(form, stream) and (keeps_all or stream_cleaner(stream) is not None):
        return None
    if form.subtitles and is_text(stream):
        return form.subtitles
    advice = f"drop track {stream.index}" if form.muxer == "matroska" else _MATROSKA
    raise SinkError(f"{form.muxer} files cannot hold {_described(stream)}: {advice}")


def _is_copied(form: ContainerFormat, stream: AudioStream) -> bool:
    """Return whether audio is copied; in a chained file, only Opus needs nothing of its link."""
    is_alike = stream.codec_context.codec.canonical_name == "opus"
    return (is_alike or not ogg_chain.is_link(stream.container)) and _can_hold(form, stream)


def _can_hold(form: ContainerFormat, stream: Stream) -> bool:
    """Try it with a file in memory: muxers accept tracks that they then refuse to write."""
    try:
        with av.open(io.BytesIO(), "w", format=form.muxer) as trial:
            trial.add_stream_from_template(stream, opaque=True)
            trial.start_encoding()
    except (av.FFmpegError, ValueError):
        return False
    return True


def _time(packet: Packet[Stream]) -> Fraction:
    dts = packet.pts if packet.dts is None else packet.dts
    return (dts or 0) * packet.time_base


def _described(stream: Stream) -> str:
    codec = stream.codec_context.codec.canonical_name
    language = f", {stream.language}" if stream.language else ""
    return f"track {stream.index} ({stream.type}, {codec}{language})"
