"""Samples the faces of tracks: which frames are looked at, and the embeddings of what is good."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING, Self

import numpy as np
import numpy.typing as npt

from tracker_blur.core.tracks import Origin
from tracker_blur.people.alignment import FaceAligner
from tracker_blur.people.embedders import load_embedder
from tracker_blur.people.parameters import PeopleParameters
from tracker_blur.settings import FACE

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from fractions import Fraction

    from tracker_blur.core.box import Box
    from tracker_blur.core.frame import Frame, Image
    from tracker_blur.core.tracks import Track, Tracks
    from tracker_blur.people.alignment import AlignedFace
    from tracker_blur.people.embedders import Embedder, Vectors
    from tracker_blur.weights.store import Weights


@dataclass(frozen=True, eq=False)
class TrackFaces:
    """The good faces of one track.

    Attributes:
        frames: In which frames they are, shape (n,), ascending.
        vectors: Their embeddings, shape (n, 128).
        qualities: How well they are seen, shape (n,): the larger, the better.
    """

    frames: npt.NDArray[np.int32]
    vectors: Vectors
    qualities: npt.NDArray[np.float32]

    def __len__(self) -> int:
        return len(self.frames)


class FaceReader:
    """Aligns faces and embeds them. One serves one thread at a time.

    Args:
        embedder: Makes the embeddings.
        aligner: Says which faces are good.
        parameters: Thresholds.
    """

    def __init__(
        self, embedder: Embedder, aligner: FaceAligner, parameters: PeopleParameters
    ) -> None:
        self.embedder = embedder
        self.aligner = aligner
        self.parameters = parameters

    @classmethod
    def of(cls, weights: Weights, parameters: PeopleParameters | None = None) -> Self | None:
        """Return a reader with the best network whose weights are installed; None without any.

        Raises:
            ModelError: A weight file is damaged.
        """
        parameters = parameters or PeopleParameters()
        embedder = load_embedder(weights)
        if embedder is None:
            return None
        return cls(embedder, FaceAligner(weights, parameters), parameters)

    def vectors(self, image: Image, boxes: Sequence[Box]) -> list[Vectors | None]:
        """Return the embedding of each face of an image, shape (128,); None for one not good."""
        return [each and each[0] for each in self._good(image, boxes)]

    def track_faces(
        self,
        frames: Iterable[Frame],
        tracks: Tracks,
        pixel_aspect: Fraction,
        *,
        most: int | None = None,
    ) -> dict[int, TrackFaces]:
        """Return the good faces of the tracks of faces of a video, by identifier.

        The frames are gone through once; those that no track needs are not converted.

        Args:
            frames: The frames of the video, from the first one on.
            tracks: Its tracks.
            pixel_aspect: Width of a pixel over its height: a squeezed face is another one.
            most: The most faces of a track that are looked at; None: all that may vote.

        Raises:
            ModelError: OpenCV cannot run a network.
        """
        rows = {
            track.track_id: sampled_rows(track, tracks, self.parameters, most)
            for track in tracks.tracks
            if track.label == FACE
        }
        by_id = {track.track_id: track for track in tracks.tracks}
        wanted: defaultdict[int, list[tuple[int, int]]] = defaultdict(list)
        for track_id, of_track in rows.items():
            for row in of_track:
                wanted[int(by_id[track_id].frames[row])].append((track_id, row))
        size, ratios = _square(tracks.size, pixel_aspect)
        found: defaultdict[int, list[tuple[int, Vectors, float]]] = defaultdict(list)
        last = max(wanted, default=-1)
        for number, frame in enumerate(frames):
            if number > last:
                break
            if number not in wanted:
                continue
            due = wanted[number]
            boxes = [by_id[track_id].box(row).scaled(*ratios) for track_id, row in due]
            for (track_id, _), good in zip(due, self._good(frame.view(size), boxes), strict=True):
                if good is not None:
                    found[track_id].append((number, *good))
        return {track_id: _track_faces(found[track_id]) for track_id in rows}

    def _good(self, image: Image, boxes: Sequence[Box]) -> list[tuple[Vectors, float] | None]:
        """Return the embedding of each face, at length 1, and how well it is seen; None: badly."""
        faces = [self.aligner.good(image, box) for box in boxes]
        rows = iter(self.embedder.embed([face.image for face in faces if face is not None]))
        found: list[tuple[Vectors, float] | None] = []
        for face in faces:
            row = None if face is None else next(rows)
            if face is None or row is None:
                found.append(None)
                continue
            length = float(np.linalg.norm(row))
            is_good = length >= self.embedder.thresholds.min_length
            found.append((row / np.float32(length), _quality(face)) if is_good else None)
        return found


def sampled_rows(
    track: Track, tracks: Tracks, parameters: PeopleParameters, most: int | None = None
) -> list[int]:
    """Return the rows of a track that are looked at: of each moment the best detection.

    Args:
        track: The track.
        tracks: All tracks of its video.
        parameters: How long a moment is.
        most: The most rows, evenly spread; None: any number.
    """
    rows = np.flatnonzero(track.has(Origin.DETECTED))
    if not len(rows):
        return []
    sides = (track.boxes[rows, 2:] - track.boxes[rows, :2]).min(axis=1)
    rows, sides = rows[sides >= parameters.min_face_px], sides[sides >= parameters.min_face_px]
    if not len(rows):
        return []
    seconds = tracks.seconds[track.frames[rows]]
    moments = np.floor((seconds - seconds[0]) / parameters.sample_seconds).astype(np.int64)
    ranks = sides * track.scores[rows]
    order = np.lexsort((-ranks, moments))
    firsts = np.flatnonzero(np.diff(moments[order], prepend=-1))
    best = np.sort(rows[order[firsts]])
    if most is not None and len(best) > most:
        best = best[np.linspace(0, len(best) - 1, most).round().astype(int)]
    result: list[int] = best.tolist()
    return result


def without_votes() -> TrackFaces:
    """Return the faces of a track without good ones."""
    return _track_faces([])


def _square(
    size: tuple[int, int], pixel_aspect: Fraction
) -> tuple[tuple[int, int], tuple[float, float]]:
    """Return a frame's size in square pixels, and how many times as large it is on each axis."""
    width, height = size
    square = max(width, round(width * pixel_aspect)), max(height, round(height / pixel_aspect))
    return square, (square[0] / width, square[1] / height)


def _quality(face: AlignedFace) -> float:
    return face.size_px * face.detail_share


def _track_faces(found: Sequence[tuple[int, Vectors, float]]) -> TrackFaces:
    vectors = np.array([vector for _, vector, _ in found], np.float32).reshape(-1, 128)
    return TrackFaces(
        np.array([frame for frame, _, _ in found], np.int32),
        vectors,
        np.array([quality for _, _, quality in found], np.float32),
    )
