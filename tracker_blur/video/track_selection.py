"""Chooses the tracks of audio and subtitles that get into the output.

All do, unless the user drops them, or names those that stay. Text tracks that are telemetry never
do, unless the user keeps metadata.
"""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING

import av
from av.stream import Discard, Stream

from tracker_blur.errors import SourceError
from tracker_blur.video.opening import has_no_content, open_input
from tracker_blur.video.programs import program_tracks
from tracker_blur.video.subtitle_tracks import CueReader, is_text
from tracker_blur.video.telemetry import Evidence, evidence, is_telemetry_track

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from pathlib import Path

    from av.container import InputContainer

    from tracker_blur.settings import Settings

_KINDS = {"audio": "audio", "subtitle": "subtitles"}  # FFmpeg's words, and those of settings
_NAME_TAGS = frozenset({"title", "name", "handler_name"})


@dataclass(frozen=True, slots=True)
class TrackSelection:
    """The tracks that are kept.

    Attributes:
        indexes: Of the tracks in the input.
        warnings: What the user should know: telemetry that is left out.
    """

    indexes: frozenset[int] = frozenset()
    warnings: tuple[str, ...] = ()


def select_tracks(
    path: Path, container: InputContainer, video_index: int, settings: Settings
) -> TrackSelection:
    """Return the tracks of audio and subtitles to keep, without telemetry.

    Args:
        path: The input; it is read once more if it has text.
        container: The input, open; not read.
        video_index: The track that is redacted.
        settings: `audio`, `subtitles`, `tracks_kept` and `metadata` are used.

    Raises:
        SourceError: A track that shall be kept does not exist or cannot be kept.
    """
    kept = wanted_tracks(path, container, video_index, settings)
    indexes = {stream.index for stream in kept}
    program = program_tracks(path, container, video_index)
    warnings = [
        f"{path}: track {stream.index} is left out: it belongs to another program"
        for stream in container.streams
        if stream.type in _KINDS and stream.index not in program | indexes
    ]
    if settings.metadata == "keep":
        return TrackSelection(frozenset(indexes), tuple(warnings))
    for index, cues in _cues(path, [stream for stream in kept if is_text(stream)]).items():
        tags = container.streams[index].metadata
        names = [value for key, value in tags.items() if key.lower() in _NAME_TAGS]
        if is_telemetry_track(cues, names):
            indexes.remove(index)
            warnings.append(
                f"{path}: track {index} is left out: it holds telemetry (such as place, time, "
                "speed), not speech"
            )
        elif count := sum(evidence(cue) is Evidence.STRONG for cue in cues):
            warnings.append(
                f"{path}: {count} of the {len(cues)} subtitles of track {index} are left out: "
                "they are telemetry"
            )
    return TrackSelection(frozenset(indexes), tuple(warnings))


def wanted_tracks(
    path: Path, container: InputContainer, video_index: int, settings: Settings
) -> list[Stream]:
    """Return the tracks that the settings keep; see `select_tracks`.

    Of several programs, only the one with the redacted video counts, unless a track of another one
    is named.
    """
    _check_names(path, container, video_index, settings)
    rules = {"audio": settings.audio, "subtitle": settings.subtitles}
    program = program_tracks(path, container, video_index)
    return [
        stream
        for stream in container.streams
        if stream.index in program | set(settings.tracks_kept)
        and stream.codec_context is not None
        and not has_no_content(stream)
        and rules.get(stream.type, "drop") != "drop"
        and _is_named(stream, settings.tracks_kept)
    ]


def _is_named(stream: Stream, names: Sequence[int | str]) -> bool:
    return not names or stream.index in names or _KINDS[stream.type] in names


def _check_names(
    path: Path, container: InputContainer, video_index: int, settings: Settings
) -> None:
    """Raise SourceError for a name in `tracks_kept` that stands for no track that can be kept."""
    streams = {stream.index: stream for stream in container.streams}
    kinds = {_KINDS.get(stream.type) for stream in container.streams}
    for name in settings.tracks_kept:
        if isinstance(name, str):
            if name not in kinds:
                raise SourceError(f"{path}: has no {name}: leave it out of", remedy="tracks_kept")
        elif name not in streams:
            known = _listed(streams.values(), video_index)
            raise SourceError(
                f"{path}: has no track {name}, only {known}: correct", remedy="tracks_kept"
            )
        elif name != video_index and (reason := _obstacle(streams[name], settings)):
            raise SourceError(
                f"{path}: track {name} {reason}: leave it out of", remedy="tracks_kept"
            )


def _obstacle(stream: Stream, settings: Settings) -> str | None:
    """Return why a track cannot be kept, if so."""
    if stream.type not in _KINDS:
        return f"is a {stream.type} track, which is never kept"
    if stream.codec_context is None:
        return "is of an unknown codec"
    setting = _KINDS[stream.type]
    return f"is dropped with all {setting}" if getattr(settings, setting) == "drop" else None


def _listed(streams: Iterable[Stream], video_index: int) -> str:
    described = (
        f"{stream.index} ({'the redacted video' if stream.index == video_index else stream.type})"
        for stream in streams
    )
    return ", ".join(described)


def _cues(path: Path, tracks: Sequence[Stream]) -> dict[int, list[str]]:
    """Return what the text tracks of a file say, by their indexes, as far as it can be read."""
    cues: dict[int, list[str]] = {stream.index: [] for stream in tracks}
    if not cues:
        return cues
    with open_input(path) as container, suppress(av.FFmpegError, OSError, IndexError):
        readers = {index: CueReader(container.streams[index]) for index in cues}
        for stream in container.streams:
            if stream.index not in cues:
                stream.discard = Discard.all
        for packet in container.demux([container.streams[index] for index in cues]):
            text = readers[packet.stream.index].text(packet).strip() if packet.size else ""
            if text:
                cues[packet.stream.index].append(text)
    return cues
