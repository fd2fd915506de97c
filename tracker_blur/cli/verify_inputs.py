"""What `trackblur verify` is given besides the output: tracks, the original, settings."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tracker_blur.core.detector_choice import DetectorChoice
from tracker_blur.errors import SettingsError
from tracker_blur.settings import FACE, RULE_SETTINGS, Settings

if TYPE_CHECKING:
    import argparse
    from collections.abc import Sequence

    from tracker_blur.annotations.track_file import TrackFile
    from tracker_blur.core.tracks import Tracks
    from tracker_blur.files.identity import FileIdentity
    from tracker_blur.files.pairs import Pair

_ALWAYS_DETECTED = (FACE, "faces", "plate", "plates")


def inputs(
    options: argparse.Namespace, pair: Pair | None
) -> tuple[Tracks | None, Path | FileIdentity | None, Settings]:
    """Return the tracks and the original, if given, and the settings that matter here.

    Padding and classes are those of the track file, unless an option says otherwise. `pair` is the
    output and its original, if there is one output.

    Raises:
        TrackFileError: the track file cannot be read, or is another video's.
        SettingsError: there is no detector for what the track file hides.
        SourceError: the output or the original cannot be read.
    """
    given: dict[str, Any] = {
        name: getattr(options, name) for name in ("hide", "detector") if getattr(options, name)
    }
    same = (
        *("models_folder", "metadata", "audio", "subtitles", "tracks_kept"),
        *("partial", "max_megapixels"),
        *RULE_SETTINGS,
    )
    given.update({name: getattr(options, name) for name in same})
    source: Path | FileIdentity | None = None if pair is None else pair.source
    if options.tracks is None:
        return None, source, Settings(**given)
    from tracker_blur.annotations import track_file

    content = track_file.read(options.tracks)
    if isinstance(source, Path):
        source = track_file.check_source(content, source)
    hidden = _hidden_classes(content)
    if not options.hide:
        _check_detectable(options, hidden)
    padding = content.settings.get("padding_ratio", Settings().padding_ratio)
    settings = Settings(**{"hide": hidden, "padding_ratio": padding} | given)
    if pair is not None and pair.source is None:
        from tracker_blur.verification.track_check import check_tracks

        check_tracks(
            content.tracks,
            pair.output,
            settings,
            name=str(options.tracks),
            source_name=content.source_name,
        )
    return _with_methods(content), source, settings


def _with_methods(content: TrackFile) -> Tracks:
    """Return the tracks, each with the method that the track file names for all."""
    method = content.settings.get("method")
    if not isinstance(method, str):
        return content.tracks
    tracks = (replace(track, method=track.method or method) for track in content.tracks.tracks)
    return replace(content.tracks, tracks=tuple(tracks))


def _hidden_classes(content: TrackFile) -> tuple[str, ...]:
    """Return the value of the setting `hide` that a track file was made with."""
    hide = content.settings.get("hide")
    names = tuple(name for name in hide if name) if isinstance(hide, list) else ()
    if not names and any(track.label != FACE for track in content.tracks.tracks):
        return tuple(sorted({track.label for track in content.tracks.tracks}))
    return names


def _check_detectable(options: argparse.Namespace, classes: Sequence[str]) -> None:
    """Raise SettingsError when there is no detector for a class that the track file hides."""
    known = set(_ALWAYS_DETECTED)
    choice = None if options.detector is None else DetectorChoice.of(options.detector)
    if choice is not None and choice.is_file:
        from tracker_blur.detectors import onnx

        known.update(onnx.from_file(choice.name).labels)
    for name in classes:
        if name not in known:
            raise SettingsError(
                f"{options.tracks}: hides '{name}', for which there is no detector here: name its "
                "file with --detector FILE.onnx, or say with --hide what to search for"
            )
