"""CVAT for video 1.1, XML, as the annotation program CVAT reads and writes it.

Every box is a keyframe, and `outside` ends a track. Attributes carry what CVAT has no field for:
hide, method, score and origin; a task whose labels lack these attributes drops them. It can carry
everything except the times of frames. CVAT itself renumbers tracks and crops boxes at the frame's
border.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, NamedTuple, TextIO
from xml.parsers import expat
from xml.sax.saxutils import escape, quoteattr

import numpy as np

from tracker_blur.annotations.reading import Location, reading
from tracker_blur.annotations.rows import TrackCollector, rotated, rows
from tracker_blur.annotations.values import (
    InvalidValueError,
    check_same_video,
    parsed,
    parsed_whole,
    shown,
)
from tracker_blur.core.tracks import Origin, Track, Tracks
from tracker_blur.files.atomic import replacing

if TYPE_CHECKING:
    from pathlib import Path

_OTHER_SHAPES = {"polygon", "polyline", "points", "ellipse", "cuboid", "skeleton", "mask"}
_ATTRIBUTES = {  # of a label: whether it may change from frame to frame, input type, default
    "hide": ("False", "checkbox", "true"),
    "method": ("False", "text", ""),
    "score": ("True", "text", "1.0"),
    "origin": ("True", "text", "drawn"),
}


def write(tracks: Tracks, path: Path, overwrite: bool) -> None:
    """Write the tracks with a description of a matching task."""
    with (
        replacing(path, overwrite) as temporary,
        temporary.open("w", encoding="utf-8", newline="\n") as file,
    ):
        file.write('<?xml version="1.0" encoding="utf-8"?>\n<annotations>\n')
        file.write("  <version>1.1</version>\n")
        _write_task(file, tracks)
        for track in tracks.tracks:
            _write_track(file, track, tracks.frame_count)
        file.write("</annotations>\n")


def read(path: Path, like: Tracks) -> Tracks:
    """Read boxes in tracks, and interpolate between keyframes as CVAT does.

    The last box of a track stays until the end of the video, unless it is `outside`. A rotated box
    becomes the upright one around it. Other shapes are rejected, and so are document types, which
    can be used for attacks.
    """
    with reading(path) as location:
        reader = _Reader(like, location)
        reader.parse(path)
        return replace(like, tracks=reader.collector.tracks())


def _write_task(file: TextIO, tracks: Tracks) -> None:
    width, height = tracks.size
    file.write(
        "  <meta>\n    <task>\n"
        f"      <size>{tracks.frame_count}</size>\n      <mode>interpolation</mode>\n"
        f"      <start_frame>0</start_frame>\n"
        f"      <stop_frame>{max(0, tracks.frame_count - 1)}</stop_frame>\n      <labels>\n"
    )
    for label in sorted({track.label for track in tracks.tracks} | {"face"}):
        file.write(f"        <label>\n          <name>{escape(label)}</name>\n")
        file.write("          <attributes>\n")
        for name, (mutable, input_type, default) in _ATTRIBUTES.items():
            file.write(
                f"            <attribute><name>{name}</name><mutable>{mutable}</mutable>"
                f"<input_type>{input_type}</input_type><default_value>{default}</default_value>"
                f"<values>{default}</values></attribute>\n"
            )
        file.write("          </attributes>\n        </label>\n")
    file.write(
        "      </labels>\n      <original_size>\n"
        f"        <width>{width}</width>\n        <height>{height}</height>\n"
        "      </original_size>\n    </task>\n  </meta>\n"
    )


def _write_track(file: TextIO, track: Track, frame_count: int) -> None:
    file.write(
        f'  <track id="{track.track_id}" label={quoteattr(track.label)} source="automatic">\n'
    )
    attributes = (
        f'<attribute name="hide">{"true" if track.hide else "false"}</attribute>'
        f'<attribute name="method">{track.method or ""}</attribute>'
    )
    ends = set((track.frames[np.diff(track.frames, append=-1) != 1] + 1).tolist())
    for row in rows(track):
        left, top, right, bottom = row.edges
        place = f'xtl="{left}" ytl="{top}" xbr="{right}" ybr="{bottom}"'
        rest = 'occluded="0" keyframe="1" z_order="0"'
        file.write(
            f'    <box frame="{row.frame}" {place} outside="0" {rest}>{attributes}'
            f'<attribute name="score">{row.score}</attribute>'
            f'<attribute name="origin">{row.origin.value}</attribute></box>\n'
        )
        end = row.frame + 1
        if end in ends and end < frame_count:
            file.write(f'    <box frame="{end}" {place} outside="1" {rest}>{attributes}</box>\n')
    file.write("  </track>\n")


_MAX_DEPTH = 32  # of elements


class _Keyframe(NamedTuple):
    """A box element; it sorts by frame."""

    frame: int
    is_outside: bool
    edges: tuple[float, ...]
    score: float
    origin: str


@dataclass(slots=True)
class _OpenTrack:
    """A track element that is being parsed."""

    track_id: int
    label: str
    keyframes: list[_Keyframe] = field(default_factory=list)
    is_visible: list[bool] = field(default_factory=list)
    method: str | None = None


class _Reader:
    """Handles the events of an XML parser."""

    def __init__(self, like: Tracks, location: Location) -> None:
        self.collector = TrackCollector(like.frame_count)
        self._like = like
        self._location = location
        self._names: list[str] = []
        self._track: _OpenTrack | None = None
        self._box: dict[str, str] | None = None
        self._attributes: dict[str, str] = {}
        self._attribute = ""
        self._text: list[str] = []
        self._parser = expat.ParserCreate()
        self._parser.StartElementHandler = self._start
        self._parser.EndElementHandler = self._end
        self._parser.CharacterDataHandler = self._text.append
        self._parser.StartDoctypeDeclHandler = self._reject_document_type

    def parse(self, path: Path) -> None:
        """Read the whole file."""
        try:
            with path.open("rb") as file:
                self._parser.ParseFile(file)
        except expat.ExpatError as error:
            self._location.line = error.lineno
            reason = expat.errors.messages[error.code]
            raise InvalidValueError(
                f"is not valid XML ({reason}): check that it is the right file"
            ) from error
        except InvalidValueError:
            self._location.line = self._parser.CurrentLineNumber
            raise

    def _reject_document_type(self, *_: object) -> None:
        raise InvalidValueError("declares a document type, which CVAT never does: remove it")

    def _start(self, name: str, attributes: dict[str, str]) -> None:
        if not self._names and name != "annotations":
            raise InvalidValueError(f"is not a CVAT file: it starts with {shown(name)}")
        self._names.append(name)
        if len(self._names) > _MAX_DEPTH:
            raise InvalidValueError("is nested too deeply for a CVAT file: check that it is one")
        self._text.clear()
        if name == "track":
            track_id = parsed_whole(_required(attributes, "id"), "the track's id")
            self._track = _OpenTrack(track_id, attributes.get("label", "face"))
        elif name in _OTHER_SHAPES:
            raise InvalidValueError(
                f"holds a {name}, but only boxes are supported: draw a box instead"
            )
        elif name == "image":
            raise InvalidValueError(
                "is in the format CVAT for images: export it as 'CVAT for video 1.1'"
            )
        elif name == "box":
            self._box, self._attributes = attributes, {}
        elif name == "attribute":
            self._attribute = attributes.get("name", "")

    def _end(self, name: str) -> None:
        text = "".join(self._text).strip()
        self._text.clear()
        self._names.pop()
        if name == "box" and self._box is not None and self._track is not None:
            self._add_keyframe(self._track, self._box)
            self._box = None
        elif name == "attribute" and self._box is not None:
            self._attributes[self._attribute] = text
        elif name == "track" and self._track is not None:
            self._add_track(self._track)
            self._track = None
        elif name in ("width", "height") and self._names[-1:] == ["original_size"]:
            expected = self._like.size[name == "height"]
            check_same_video(parsed_whole(text, name), expected, f"the {name}")

    def _add_keyframe(self, track: _OpenTrack, box: dict[str, str]) -> None:
        edges = tuple(parsed(_required(box, key), key) for key in ("xtl", "ytl", "xbr", "ybr"))
        given = self._attributes
        keyframe = _Keyframe(
            frame=parsed_whole(_required(box, "frame"), "frame"),
            is_outside=box.get("outside") == "1",
            edges=rotated(edges, parsed(box.get("rotation", "0"), "rotation")),
            score=parsed(given.get("score", "1"), "score"),
            origin=given.get("origin", Origin.DRAWN.value),
        )
        track.keyframes.append(keyframe)
        track.is_visible.append(given.get("hide", "true").lower() == "false")
        track.method = track.method or given.get("method") or None

    def _add_track(self, track: _OpenTrack) -> None:
        is_visible = bool(track.is_visible) and all(track.is_visible)
        self.collector.describe(track.track_id, not is_visible, track.method, track.label)
        keyframes = sorted(track.keyframes)
        for keyframe, upcoming in zip(keyframes, [*keyframes[1:], None], strict=True):
            if not keyframe.is_outside:
                self._add_until(track.track_id, keyframe, upcoming)

    def _add_until(self, track_id: int, keyframe: _Keyframe, upcoming: _Keyframe | None) -> None:
        """Add a keyframe's box, and the boxes of all frames before the next keyframe."""
        self.collector.add(
            track_id, keyframe.frame, keyframe.edges, keyframe.score, keyframe.origin
        )
        end = self._like.frame_count if upcoming is None else upcoming.frame
        for frame in range(keyframe.frame + 1, min(end, self._like.frame_count)):
            edges, origin = keyframe.edges, Origin.HELD
            if upcoming is not None and not upcoming.is_outside:
                share = (frame - keyframe.frame) / (end - keyframe.frame)
                edges = tuple(
                    one + share * (other - one)
                    for one, other in zip(keyframe.edges, upcoming.edges, strict=True)
                )
                origin = Origin.BETWEEN
            self.collector.add(track_id, frame, edges, keyframe.score, origin.value)


def _required(attributes: dict[str, str], name: str) -> str:
    if name not in attributes:
        raise InvalidValueError(f"{name} is missing")
    return attributes[name]
