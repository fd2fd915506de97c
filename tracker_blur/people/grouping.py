"""Groups tracks into people; no pixels.

Average linkage: two groups of tracks are one person while the mean cosine between their faces is
above a threshold. Tracks that are visible together are never one person's, however alike they are.
A track without good faces is a person of its own: nothing says whose it is.
"""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from tracker_blur.core.tracks import Origin
from tracker_blur.settings import FACE

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

    from tracker_blur.core.tracks import Track, Tracks
    from tracker_blur.people.parameters import PeopleParameters
    from tracker_blur.people.samples import TrackFaces

_NEVER = 1e12
"""The distance of tracks that must not be linked: no mean over pairs brings it near a cosine's."""

Pair = tuple[int, int]


@dataclass(frozen=True, slots=True)
class Person:
    """Tracks of one person, as far as their faces say.

    Attributes:
        number: From 0, by the first frame.
        label: The class of its tracks.
        track_ids: Its tracks, ascending.
        likeness: The least mean cosine at which a track was added; None for one track alone.
    """

    number: int
    label: str
    track_ids: tuple[int, ...]
    likeness: float | None = None


def people_of(
    tracks: Tracks,
    faces: Mapping[int, TrackFaces],
    threshold: float,
    parameters: PeopleParameters,
) -> tuple[Person, ...]:
    """Return the people of a video, by their first frames; what is no face has a person a track.

    Args:
        tracks: Its tracks.
        faces: The good faces of tracks, by identifier; empty without an embedder.
        threshold: The mean cosine from which two groups of tracks are one person.
        parameters: Thresholds.
    """
    voting = [
        track
        for track in tracks.tracks
        if track.label == FACE and len(faces.get(track.track_id, ()))
    ]
    apart = seen_together(voting, parameters)
    groups = grouped(
        {track.track_id: faces[track.track_id].vectors for track in voting}, apart, threshold
    )
    known = {track.track_id for track in voting}
    alone = [((track.track_id,), None) for track in tracks.tracks if track.track_id not in known]
    by_id = {track.track_id: track for track in tracks.tracks}
    ordered = sorted(
        (*groups, *alone), key=lambda group: (min(by_id[one].first for one in group[0]), group[0])
    )
    return tuple(
        Person(number, by_id[track_ids[0]].label, track_ids, likeness)
        for number, (track_ids, likeness) in enumerate(ordered)
    )


def grouped(
    vectors: Mapping[int, npt.NDArray[np.floating]], apart: Collection[Pair], threshold: float
) -> list[tuple[tuple[int, ...], float | None]]:
    """Return groups of items whose embeddings are alike, each with the least likeness in it.

    Args:
        vectors: Unit vectors of each item, shape (n, 128), n at least 1.
        apart: Pairs of items that are never in one group.
        threshold: The mean cosine from which two groups are one.
    """
    items = sorted(vectors)
    if len(items) < 2:
        return [((item,), None) for item in items]
    from scipy.cluster.hierarchy import fcluster, linkage  # takes a moment, and most runs need none
    from scipy.spatial.distance import squareform

    means = np.stack([np.asarray(vectors[item], np.float64).mean(axis=0) for item in items])
    # The mean over all pairs of two items' unit vectors is the product of their means.
    distances = 1 - means @ means.T
    at = {item: index for index, item in enumerate(items)}
    for one, other in apart:
        if one in at and other in at:
            distances[at[one], at[other]] = distances[at[other], at[one]] = _NEVER
    np.fill_diagonal(distances, 0)
    tree = linkage(np.maximum(squareform(distances, checks=False), 0), "average")
    labels = fcluster(tree, 1 - threshold, "distance")
    members: dict[int, list[int]] = {}
    for item, label in zip(items, labels.tolist(), strict=True):
        members.setdefault(label, []).append(item)
    likeness = _least_likeness(tree, len(items), 1 - threshold)
    return [
        (tuple(group), likeness.get(at[group[0]]) if len(group) > 1 else None)
        for group in members.values()
    ]


def seen_together(tracks: Sequence[Track], parameters: PeopleParameters) -> set[Pair]:
    """Return pairs of tracks, by identifier, that are in different places of one frame.

    Only detections count: what was held or interpolated may lie where no face is. Two detectors may
    see one face in one frame, and each begin a track, one of them with all of the head or more: two
    boxes are one place if they overlap enough, or if one is a part of a much larger one.
    """
    detected = [_detections(track) for track in tracks]
    pairs: set[Pair] = set()
    for one, other in itertools.combinations(range(len(tracks)), 2):
        (frames, boxes), (other_frames, other_boxes) = detected[one], detected[other]
        if not len(frames) or not len(other_frames):
            continue
        if frames[0] > other_frames[-1] or other_frames[0] > frames[-1]:
            continue
        _, rows, other_rows = np.intersect1d(
            frames, other_frames, assume_unique=True, return_indices=True
        )
        if not len(rows):
            continue
        here, there = boxes[rows], other_boxes[other_rows]
        is_apart = _ious(here, there) < parameters.same_place_iou
        is_apart &= ~_is_face_of_head(here, there, parameters)
        if is_apart.any():
            pairs.add((tracks[one].track_id, tracks[other].track_id))
    return pairs


def _detections(track: Track) -> tuple[npt.NDArray[np.int32], npt.NDArray[np.float32]]:
    rows = track.has(Origin.DETECTED)
    return track.frames[rows], track.boxes[rows]


def _is_face_of_head(
    ones: npt.NDArray[np.floating], others: npt.NDArray[np.floating], parameters: PeopleParameters
) -> npt.NDArray[np.bool_]:
    """Return where one box may be all of a head, and the other one its face; shape (n,).

    Two faces cheek to cheek hold each other's center as well, but neither lies in the other, and
    they are about as large.
    """
    sizes, other_sizes = _sizes(ones), _sizes(others)
    smaller, larger = np.minimum(sizes, other_sizes), np.maximum(sizes, other_sizes)
    is_inside = _shared(ones, others) >= parameters.face_in_head_share * smaller
    is_inside &= larger >= parameters.head_to_face_ratio * smaller
    return is_inside & _hold_centers(ones, others) & _hold_centers(others, ones)


def _hold_centers(
    ones: npt.NDArray[np.floating], others: npt.NDArray[np.floating]
) -> npt.NDArray[np.bool_]:
    """Return which boxes hold the center of the other one in its row, shape (n,)."""
    centers = (others[:, :2] + others[:, 2:]) / 2
    return np.asarray(((centers >= ones[:, :2]) & (centers <= ones[:, 2:])).all(axis=1), np.bool_)


def _ious(
    ones: npt.NDArray[np.floating], others: npt.NDArray[np.floating]
) -> npt.NDArray[np.float64]:
    """Return the overlap of each box with the other one in its row, shape (n,)."""
    shared = _shared(ones, others)
    either = _sizes(ones) + _sizes(others) - shared
    return np.asarray(shared / np.maximum(either, 1e-9), np.float64)


def _shared(
    ones: npt.NDArray[np.floating], others: npt.NDArray[np.floating]
) -> npt.NDArray[np.float64]:
    """Return the area that each box shares with the other one in its row, shape (n,)."""
    low, high = np.maximum(ones[:, :2], others[:, :2]), np.minimum(ones[:, 2:], others[:, 2:])
    return np.asarray(np.maximum(high - low, 0).prod(axis=1), np.float64)


def _sizes(boxes: npt.NDArray[np.floating]) -> npt.NDArray[np.float64]:
    return np.asarray((boxes[:, 2:] - boxes[:, :2]).prod(axis=1), np.float64)


def _least_likeness(tree: npt.NDArray[np.float64], count: int, limit: float) -> dict[int, float]:
    """Return, for each leaf, the likeness of the last join of its group below a distance."""
    members: dict[int, list[int]] = {leaf: [leaf] for leaf in range(count)}
    likeness: dict[int, float] = {}
    for node, (one, other, distance, _) in enumerate(tree.tolist(), count):
        members[node] = members.pop(int(one)) + members.pop(int(other))
        if distance <= limit:
            likeness |= dict.fromkeys(members[node], 1 - distance)
    return likeness
