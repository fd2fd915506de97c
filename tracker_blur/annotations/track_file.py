"""The track file: which faces of a video are hidden, when and where, as JSON Lines.

People, scripts and other programs may edit it; `docs/track-file.md` describes every line.
"""

from __future__ import annotations

import codecs
import io
import json
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from tracker_blur.annotations import box_lines
from tracker_blur.annotations.candidate_lines import candidate_lines
from tracker_blur.annotations.reading import MAX_LINE_BYTES, Location, lines, reading
from tracker_blur.annotations.rows import TrackCollector, rows
from tracker_blur.annotations.track_file_header import FORMAT, VERSION
from tracker_blur.annotations.track_file_parser import END_LINE, TrackFileParser
from tracker_blur.core.rules import NO_RULES
from tracker_blur.core.times import time_text
from tracker_blur.errors import SinkError, TrackFileError
from tracker_blur.files import atomic
from tracker_blur.files.identity import FileIdentity
from tracker_blur.settings import method_class_of
from tracker_blur.version import __version__

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tracker_blur.core.rules import Rules
    from tracker_blur.core.tracks import Track, Tracks
    from tracker_blur.settings import Settings

_FRAMES_PER_LINE = 1000
_UNREVIEWED = "unreviewed_people"
_HEADER_BYTES = 1 << 16  # enough for a header, whatever the order of its keys


@dataclass(frozen=True)
class TrackFile:
    """What a track file holds.

    Attributes:
        tracks: the tracks.
        source_name: the video's file name, without its folder.
        source_sha256: hash of the video's bytes.
        source_bytes: size of the video.
        settings: the settings that the tracks were made with, as plain data.
        detector: name of the detector.
        models: names of the weight files that it used.
    """

    tracks: Tracks
    source_name: str
    source_sha256: str
    source_bytes: int
    settings: dict[str, Any]
    detector: str
    models: tuple[str, ...] = ()

    @property
    def is_unreviewed(self) -> bool:
        """Whether someone must look at who stays visible before anything is rendered."""
        return self.settings.get(_UNREVIEWED) is True and not all(
            track.hide for track in self.tracks.tracks
        )

    def reviewed(self) -> TrackFile:
        """Return the same after someone has looked at it."""
        settings = {name: value for name, value in self.settings.items() if name != _UNREVIEWED}
        return replace(self, settings=settings)

    @classmethod
    def of(
        cls,
        source: FileIdentity,
        tracks: Tracks,
        settings: Settings,
        detector: str,
        models: tuple[str, ...] = (),
        *,
        is_unreviewed: bool = False,
    ) -> TrackFile:
        """Return the track file of a video; names of folders are left out of the settings.

        Args:
            source: the video as it was when the tracks were begun, with its hash.
            tracks: its tracks.
            settings: those that the tracks were made with.
            detector: name of the detector.
            models: names of the weight files that it used.
            is_unreviewed: whether someone must look at who stays visible.

        Raises:
            SourceError: The video has changed since.
        """
        if source.sha256 is None:
            raise ValueError("a track file needs the hash of its video")
        source.check_end()
        plain = {
            name: value.name if isinstance(value, Path) else value
            for name, value in settings.options().items()
        }
        plain["detector"] = Path(settings.detector).name
        if is_unreviewed:
            plain[_UNREVIEWED] = True
        return cls(
            tracks,
            source.path.name,
            source.sha256,
            source.size_bytes,
            plain,
            detector,
            models,
        )


def write(path: Path, track_file: TrackFile, overwrite: bool) -> None:
    """Write a track file, atomically.

    Box edges are rounded outward to 0.01 pixels, scores to 0.0001. Only a track file or an empty
    file is replaced.

    Raises:
        SinkError: The file cannot be written.
        ValueError: The tracks are invalid: boxes without an area, frames outside of the video,
            times that do not ascend, or unknown methods.
    """
    _check(track_file.tracks)
    if overwrite:
        _check_replaceable(path)
    with (
        atomic.replacing(path, overwrite) as temporary,
        # Bytes of file names that are not Unicode become escapes that JSON understands.
        temporary.open("w", encoding="utf-8", errors="backslashreplace", newline="\n") as file,
    ):
        file.writelines(f"{line}\n" for line in _lines(track_file))


def check_place(path: Path, overwrite: bool) -> None:
    """Raise SinkError if `write` could not write here; leaves nothing behind."""
    atomic.check_place(path, overwrite)
    _check_replaceable(path)


def is_track_file(path: Path) -> bool:
    """Return whether a file starts like a track file; a missing or empty file does not.

    Raises:
        TrackFileError: The file cannot be read.
    """
    if not path.is_file():
        return False
    with reading(path), path.open("rb") as file:
        first = file.read(_HEADER_BYTES).removeprefix(codecs.BOM_UTF8).lstrip()
    return first.startswith(b"{") and f'"{FORMAT}"'.encode() in first


def read(path: Path) -> TrackFile:
    """Read a track file that trackblur wrote or a person edited.

    Raises:
        TrackFileError: The file cannot be read, or is invalid.
    """
    parser = TrackFileParser()
    with reading(path) as location, path.open("rb") as file:
        for block in box_lines.blocks(file, MAX_LINE_BYTES):
            _feed(parser, block, location)
        location.line = 0
        header, tracks = parser.finish()
    return TrackFile(
        replace(tracks, source_sha256=header.source_sha256),
        header.source_name,
        header.source_sha256,
        header.source_bytes,
        header.settings,
        header.detector,
        header.models,
    )


def _feed(parser: TrackFileParser, block: bytes, location: Location) -> None:
    """Parse some lines: boxes as we write them together, others one by one."""
    start = 0
    while start < len(block):
        end = box_lines.end_of_boxes(block, start)
        rows = box_lines.boxes_of(block[start:end]) if end > start else None
        if rows is not None and parser.feed_boxes(rows):
            location.line += len(rows)
        else:
            end = max(end, block.find(b"\n", start) + 1 or len(block))
            for line in lines(io.BytesIO(block[start:end]), location):
                parser.feed(line)
        start = end


def check_source(track_file: TrackFile, path: Path) -> FileIdentity:
    """Check that the tracks were made for exactly this video, and return its identity.

    The caller must pass the identity on to what reads the video, so that this very file is read.

    Raises:
        TrackFileError: It is another video.
        SourceError: It cannot be read.
    """
    identity = FileIdentity.of(path, hashed=True)
    if (identity.size_bytes, identity.sha256) != (
        track_file.source_bytes,
        track_file.source_sha256,
    ):
        raise TrackFileError(
            f"{path}: is not the video that the tracks were made for "
            f"({track_file.source_name}, SHA-256 {track_file.source_sha256[:12]}…): "
            "give that video, or make tracks for this one with 'trackblur track'"
        )
    return identity


def check_reviewed(track_file: TrackFile, path: Path) -> None:
    """Check that no one stays visible who must be looked at first.

    Raises:
        TrackFileError: Somebody does.
    """
    if track_file.is_unreviewed:
        raise TrackFileError(
            f"{path}: shows people whom a network chose that was never measured: look at them in "
            "'trackblur review', and make the video there; or hide them with 'trackblur tracks'"
        )


def _check_replaceable(path: Path) -> None:
    if path.is_file() and path.stat().st_size and not is_track_file(path):
        raise SinkError(
            f"{path}: exists and is not a track file, so it is not replaced: choose another name"
        )


def _check(tracks: Tracks) -> None:
    if np.any(np.diff(tracks.times) <= 0):
        raise ValueError("the times of the frames do not ascend")
    collector = TrackCollector(tracks.frame_count)
    for track in tracks.tracks:
        collector.describe(track.track_id, track.hide, track.method, track.label)
        if track.first < 0 or track.last >= tracks.frame_count:
            raise ValueError(f"track {track.track_id} has frames that the video does not have")


def _lines(track_file: TrackFile) -> Iterator[str]:
    tracks = track_file.tracks
    yield _json(
        {
            "format": FORMAT,
            "version": VERSION if _needs_version_2(tracks) else 1,
            "trackblur": __version__,
            "source": {
                "name": track_file.source_name,
                "sha256": track_file.source_sha256,
                "bytes": track_file.source_bytes,
            },
            "size": list(tracks.size),
            "time_base": f"{tracks.time_base.numerator}/{tracks.time_base.denominator}",
            "frames": tracks.frame_count,
            "cuts": list(tracks.cuts),
            "detector": track_file.detector,
            "models": list(track_file.models),
            "settings": _with_method_class(track_file),
        }
    )
    for first in range(0, tracks.frame_count, _FRAMES_PER_LINE):
        yield _json(_times(first, tracks.times[first : first + _FRAMES_PER_LINE]))
    yield from map(_json, _rule_lines(tracks.rules))
    yield from map(_json, candidate_lines(tracks.candidates))
    for track in tracks.tracks:
        yield from _track_lines(track)
    yield END_LINE


def _needs_version_2(tracks: Tracks) -> bool:
    return tracks.rules != NO_RULES or bool(tracks.candidates)


def _with_method_class(track_file: TrackFile) -> dict[str, Any]:
    """Return the settings with the class of the methods that hide the tracks."""
    of_settings = track_file.settings.get("method")
    if not isinstance(of_settings, str):
        return track_file.settings
    methods = {track.method or of_settings for track in track_file.tracks.tracks if track.hide}
    return track_file.settings | {"method_class": method_class_of(*(methods or {of_settings}))}


def _times(first: int, times: npt.NDArray[np.int64]) -> dict[str, Any]:
    steps = np.diff(times)
    starts = np.flatnonzero(np.diff(steps, prepend=0))
    counts = np.diff(starts, append=len(steps))
    runs = np.stack([steps[starts], counts], axis=1)
    return {"frame": first, "pts": int(times[0]), "steps": runs.tolist()}


def _rule_lines(rules: Rules) -> Iterator[dict[str, Any]]:
    for number, zone in enumerate(rules.zones, 1):
        yield {"zone": number, "rule": zone.rule, "where": zone.text}
    for number, span in enumerate(rules.audio, 1):
        yield {"sound": number, "effect": span.effect, "where": span.text}
    limits = {
        "min_size": None if rules.min_size is None else str(rules.min_size),
        "max_size": None if rules.max_size is None else str(rules.max_size),
        "from": None if rules.start is None else time_text(rules.start),
        "to": None if rules.end is None else time_text(rules.end),
    }
    if any(value is not None for value in limits.values()):
        yield {"limits": limits}


def _track_lines(track: Track) -> Iterator[str]:
    yield _json(
        {
            "track": track.track_id,
            "label": track.label,
            "hide": track.hide,
            "method": track.method,
        }
    )
    start = f'{{"track":{track.track_id},"frame":'
    for row in rows(track):
        left, top, right, bottom = row.edges
        yield (
            f'{start}{row.frame},"box":[{left},{top},{right},{bottom}],'
            f'"score":{row.score},"origin":"{row.origin.value}"}}'
        )


def _json(value: dict[str, Any]) -> str:
    return json.dumps(value, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
