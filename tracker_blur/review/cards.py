"""People: one card for each, with the tracks that are theirs, and faces to show."""

from __future__ import annotations

from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np
import numpy.typing as npt

from tracker_blur.core.tracks import Origin

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from tracker_blur.core.tracks import Track, Tracks
    from tracker_blur.review.doubt import Doubt
    from tracker_blur.review.person_numbers import PersonNumbers
    from tracker_blur.review.state import ReviewState

Seconds: TypeAlias = npt.NDArray[np.float64]

_DOUBTFUL_RISK = 0.3
"""A person with a place as risky as this is shown as doubtful."""


@dataclass(frozen=True, slots=True)
class Grouping:
    """Which tracks are one person, as their faces suggest.

    Attributes:
        person_of: the person's number by track; others are people of their own.
        reasons: why a person's tracks may not be one person, by the person's number.
    """

    person_of: Mapping[int, int]
    reasons: Mapping[int, tuple[str, ...]]


NO_GROUPING = Grouping({}, {})
"""Each track is a person."""


def cards(
    state: ReviewState,
    grouping: Grouping,
    doubts: Sequence[Doubt],
    numbers: PersonNumbers,
    shown: Mapping[int, Sequence[tuple[int, int]]] = MappingProxyType({}),
) -> list[dict[str, Any]]:
    """Return the people of a video as the review API describes them.

    Args:
        state: the state of the review.
        grouping: what the faces suggest.
        doubts: those that are not seen yet.
        numbers: how people are numbered.
        shown: (first, last) of each stretch of frames in which zones or limits show a track.
    """
    risky = {
        doubt.track: doubt.kind
        for doubt in sorted(doubts, key=lambda one: one.risk)
        if doubt.track is not None and doubt.risk >= _DOUBTFUL_RISK
    }
    durations = _durations(state.tracks)
    counts = {one: sum(last - first + 1 for first, last in spans) for one, spans in shown.items()}
    return [
        {"number": numbers.of(person)}
        | _card(state, person, tracks, grouping.reasons.get(person, ()), risky, durations, counts)
        for person, tracks in state.groups(grouping.person_of).items()
    ]


def _card(
    state: ReviewState,
    person: int,
    tracks: Sequence[Track],
    suggested: Sequence[str],
    risky: Mapping[int, str],
    durations: Seconds,
    shown: Mapping[int, int],
) -> dict[str, Any]:
    hidden = {track.hide for track in tracks}
    own = (risky[track.track_id] for track in tracks if track.track_id in risky)
    reasons = list(dict.fromkeys([*suggested, *own]))
    frames = np.unique(np.concatenate([track.frames for track in tracks]))
    return {
        "id": person,
        "class": tracks[0].label,
        "name": state.names.get(person),
        "tracks": [track.track_id for track in tracks],
        "hidden": hidden.pop() if len(hidden) == 1 else None,
        "visible": sum(shown.get(track.track_id, 0) for track in tracks),
        "doubtful": bool(reasons),
        "reasons": reasons,
        "frames": len(frames),
        "seconds": round(float(durations[frames].sum()), 3),
        "first": int(frames[0]),
        "last": int(frames[-1]),
        "faces": _faces(tracks),
    }


def _durations(tracks: Tracks) -> Seconds:
    """Return for how long each frame is on the screen; the last one as long as is usual."""
    steps = np.diff(tracks.seconds)
    return np.append(steps, np.median(steps) if len(steps) else 0.0)


def _faces(tracks: Sequence[Track]) -> list[dict[str, Any]]:
    """Return the best, the first and the last face of a person.

    The box, in whole pixels, tells a picture of the face from one before an edit.
    """
    ordered = sorted(tracks, key=lambda track: track.first)
    best = max(((_quality(track), track) for track in tracks), key=lambda one: one[0].max())
    faces = [(best[1], int(best[0].argmax()))]
    faces.append((ordered[0], int(_seen(ordered[0])[0])))
    latest = max(tracks, key=lambda track: track.last)
    faces.append((latest, int(_seen(latest)[-1])))
    return [
        {
            "track": track.track_id,
            "frame": int(track.frames[row]),
            "box": [round(edge) for edge in track.boxes[row].tolist()],
        }
        for track, row in faces
    ]


def _seen(track: Track) -> np.ndarray[Any, np.dtype[np.intp]]:
    """Return the rows in which the face was detected, or all."""
    rows = np.flatnonzero(track.has(Origin.DETECTED))
    return rows if len(rows) else np.arange(len(track))


def _quality(track: Track) -> np.ndarray[Any, np.dtype[np.float64]]:
    """Return how well each row shows the face: detected, with a high score, and large."""
    areas = np.prod(track.boxes[:, 2:] - track.boxes[:, :2], axis=1, dtype=np.float64)
    detected = np.where(track.has(Origin.DETECTED), 1.0, 0.1)
    return np.asarray(detected * track.scores * np.sqrt(np.maximum(areas, 0)), np.float64)
