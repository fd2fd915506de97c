"""What was seen of the frames of a piece, as a sealed file: boxes and numbers, no pixels.

They are written as JSON, which keeps every number exactly.
"""

from __future__ import annotations

import gzip
import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from tracker_blur.core.box import Box, Detection
from tracker_blur.core.tracks import Face, Origin
from tracker_blur.files.sealed import sealing, unsealed
from tracker_blur.tracking.evidence import ClassifiedCrop
from tracker_blur.tracking.first_pass import Seen, SeenFace
from tracker_blur.tracking.handover import Handover, Numbers
from tracker_blur.tracking.scene_cuts import Change

if TYPE_CHECKING:
    from pathlib import Path

_FASTEST = 1  # of gzip: a third larger, and several times faster


@dataclass(frozen=True, slots=True)
class SeenPiece:
    """What was seen of the frames of a piece, or of the first of them.

    Attributes:
        frames: For each frame, what was seen of each target class.
        handover: Where another observer takes over after the last one, if one does.
    """

    frames: tuple[tuple[Seen, ...], ...]
    handover: Handover | None = None


def write_seen(path: Path, piece: SeenPiece) -> None:
    """Write what was seen; raises SinkError."""
    value = {
        "frames": [[_from_seen(seen) for seen in classes] for classes in piece.frames],
        "handover": None if piece.handover is None else _from_handover(piece.handover),
    }
    content = json.dumps(value, separators=(",", ":")).encode()
    with sealing(path) as append:
        append(gzip.compress(content, _FASTEST, mtime=0))


def read_seen(path: Path) -> SeenPiece:
    """Return what was seen; raises SourceError where the file is damaged."""
    value = json.loads(gzip.decompress(unsealed(path)))
    handover = value["handover"]
    return SeenPiece(
        tuple(tuple(_to_seen(seen) for seen in classes) for classes in value["frames"]),
        None if handover is None else _to_handover(handover),
    )


def _from_seen(seen: Seen) -> list[Any]:
    return [
        seen.pts,
        seen.change.value,
        seen.is_detection_frame,
        [_from_face(one) for one in seen.faces],
        [[one.track_id, float(one.log_odds), float(one.view_px)] for one in seen.evidence],
        seen.links,
        [
            [[float(edge) for edge in one.box.as_tuple()], float(one.score), one.label, float(odds)]
            for one, odds in seen.untracked
        ],
    ]


def _to_seen(value: list[Any]) -> Seen:
    pts, change, is_detection_frame, faces, evidence, links, untracked = value
    return Seen(
        pts,
        Change(change),
        is_detection_frame,
        tuple(_to_face(one) for one in faces),
        tuple(ClassifiedCrop(*crop) for crop in evidence),
        tuple((one, other) for one, other in links),
        tuple((Detection(Box(*box), score, label), odds) for box, score, label, odds in untracked),
    )


def _from_face(seen: SeenFace) -> list[Any]:
    face = seen.face
    box = [float(edge) for edge in face.box.as_tuple()]
    colors = None if seen.colors is None else seen.colors.hex()
    return [seen.back, face.track_id, box, float(face.score), face.origin.value, colors]


def _to_face(value: list[Any]) -> SeenFace:
    back, track_id, box, score, origin, colors = value
    face = Face(track_id, Box(*box), score, Origin(origin))
    return SeenFace(back, face, None if colors is None else bytes.fromhex(colors))


def _from_handover(handover: Handover) -> list[Any]:
    numbers = [[list(one.known.items()), one.offset] for one in handover.numbers]
    return [handover.start, handover.pts, numbers]


def _to_handover(value: list[Any]) -> Handover:
    start, pts, numbers = value
    return Handover(start, pts, tuple(Numbers(dict(known), offset) for known, offset in numbers))
