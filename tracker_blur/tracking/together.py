"""Several kinds of things in one video, each followed by itself: a face never becomes a plate."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

from tracker_blur.core.frame import Image
from tracker_blur.core.tracks import Face, Tracks
from tracker_blur.tracking.backtracking import Rewind, Rewound
from tracker_blur.tracking.online import Follower, Step


class _Ids:
    """Gives every track an identifier of its own, and its label: those of a kind are n apart."""

    def __init__(self, labels: Sequence[str]) -> None:
        self._labels = labels

    def shared(self, place: int, face: Face) -> Face:
        """Return a face of the kind at this place as all see it."""
        number = self.shared_number(place, face.track_id)
        return replace(face, track_id=number, label=self._labels[place])

    def shared_number(self, place: int, number: int) -> int:
        return number * len(self._labels) + place

    def own(self, place: int, faces: Sequence[Face]) -> tuple[Face, ...]:
        """Return the faces of one kind as its own follower sees them."""
        count = len(self._labels)
        mine = (face for face in faces if face.track_id % count == place)
        return tuple(replace(face, track_id=face.track_id // count) for face in mine)


class Followers:
    """A follower for each label, as one."""

    def __init__(self, followers: Sequence[tuple[str, Follower]]) -> None:
        self._followers = [follower for _, follower in followers]
        self._ids = _Ids([label for label, _ in followers])

    def step(self, image: Image, seconds: float) -> Step:
        """Return what is in the next frame, as `Follower.step` does."""
        steps = [follower.step(image, seconds) for follower in self._followers]
        faces = tuple(
            self._ids.shared(place, face) for place, step in enumerate(steps) for face in step.faces
        )
        return Step(faces, steps[0].change, any(step.is_looked_at for step in steps))


class Rewinds:
    """A rewind for each label, as one; the labels in the followers' order."""

    def __init__(self, rewinds: Sequence[tuple[str, Rewind]]) -> None:
        self._rewinds = [rewind for _, rewind in rewinds]
        self._ids = _Ids([label for label, _ in rewinds])

    def step(self, index: int, image: Image, step: Step) -> Iterator[tuple[Face, Rewound]]:
        """Give each face that is new with where it was before, as `Rewind.step` does."""
        for place, rewind in enumerate(self._rewinds):
            own = replace(step, faces=self._ids.own(place, step.faces))
            for face, before in rewind.step(index, image, own):
                faces = tuple(
                    (earlier, seen, self._ids.shared(place, one))
                    for earlier, seen, one in before.faces
                )
                link = before.link
                if link is not None:
                    link = self._ids.shared_number(place, link)
                yield self._ids.shared(place, face), Rewound(faces, link)


def merged(found: Sequence[tuple[str, Tracks]]) -> Tracks:
    """Return the tracks of several kinds, each with its label, of one video as one."""
    tracks = [replace(track, label=label) for label, part in found for track in part.tracks]
    numbered = tuple(replace(track, track_id=number) for number, track in enumerate(tracks))
    return replace(found[0][1], tracks=numbered)
