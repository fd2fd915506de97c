"""Decides which faces stay visible because of who they are; no pixels.

A face that is wrongly left visible is a leak, and one that is wrongly hidden is not. So a stretch
of a track stays visible only if all of its seconds say so, by enough good faces. What is in doubt
is hidden, and reported.
"""

from __future__ import annotations

import itertools
from dataclasses import dataclass, replace
from fractions import Fraction
from typing import TYPE_CHECKING

import numpy as np

from tracker_blur.core.people_report import DoubtReason, Stretch
from tracker_blur.people.grouping import people_of, seen_together
from tracker_blur.people.samples import without_votes
from tracker_blur.people.stretches import Window, stretches, vouched_for
from tracker_blur.settings import FACE

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    import numpy.typing as npt

    from tracker_blur.core.tracks import Track, Tracks
    from tracker_blur.people.embedders import Thresholds
    from tracker_blur.people.gallery import KnownPerson
    from tracker_blur.people.parameters import PeopleParameters
    from tracker_blur.people.samples import TrackFaces


@dataclass(frozen=True)
class Choice:
    """What stays visible of a video's tracks.

    Attributes:
        tracks: The tracks; those parts that stay visible are tracks of their own.
        kept: What stays visible, by the first frame.
        doubts: What is hidden because it is in doubt, in the same order.
    """

    tracks: Tracks
    kept: tuple[Stretch, ...]
    doubts: tuple[Stretch, ...]


@dataclass(frozen=True, eq=False)
class _Part:
    """Some windows of a track with what was decided: a person stays visible, or why not."""

    windows: Sequence[Window]
    person: str | None
    likeness: float | None
    reason: DoubtReason | None
    is_kept: bool

    @property
    def rows(self) -> npt.NDArray[np.int64]:
        return np.concatenate([window.rows for window in self.windows])

    @property
    def votes(self) -> int:
        return sum(len(window.votes) for window in self.windows)


class Keeper:
    """Leaves the people of a gallery visible.

    Args:
        people: Those who stay visible.
        thresholds: Cosines of the network.
        parameters: Other thresholds.
    """

    def __init__(
        self, people: Sequence[KnownPerson], thresholds: Thresholds, parameters: PeopleParameters
    ) -> None:
        self._people = people
        self._means = np.stack([person.mean for person in people])
        self._thresholds = thresholds
        self._parameters = parameters

    def choose(self, tracks: Tracks, faces: Mapping[int, TrackFaces]) -> Choice:
        """Return what stays visible of a video.

        Args:
            tracks: Its tracks.
            faces: The good faces of its tracks, by identifier.
        """
        every = [track for track in tracks.tracks if track.label == FACE]
        rivals = self._rivals(every, faces)
        parts: dict[int, list[_Part]] = {}
        for track in every:
            own = faces.get(track.track_id, without_votes())
            if not track.hide or track.is_drawn:
                continue
            pieces = stretches(track, tracks, own, self._thresholds.changed, self._parameters)
            parts[track.track_id] = [
                trimmed
                for windows in pieces
                for part in self._judged(windows, own, rivals[track.track_id])
                for trimmed in _trimmed(part, own, track, tracks, self._parameters)
            ]
        return applied(tracks, parts)

    def _rivals(
        self, tracks: Sequence[Track], faces: Mapping[int, TrackFaces]
    ) -> dict[int, npt.NDArray[np.float64]]:
        """Return how much those who are seen together with a track are like each person."""
        nobody = np.full(len(self._people), -1.0)
        likeness = {
            track.track_id: (faces[track.track_id].vectors @ self._means.T).mean(axis=0)
            for track in tracks
            if len(faces.get(track.track_id, ()))
        }
        rivals = {track.track_id: nobody.copy() for track in tracks}
        for one, other in seen_together(tracks, self._parameters):
            for track_id, rival in ((one, other), (other, one)):
                rivals[track_id] = np.maximum(rivals[track_id], likeness.get(rival, nobody))
        return rivals

    def _judged(
        self, windows: Sequence[Window], faces: TrackFaces, rivals: npt.NDArray[np.float64]
    ) -> list[_Part]:
        """Return the parts of a stretch that stay visible, and those that do not."""
        votes = np.concatenate([window.votes for window in windows])
        if not len(votes):
            return [_Part(windows, None, None, None, is_kept=False)]
        likeness = faces.vectors @ self._means.T  # of all faces of the track, to each person
        means = likeness[votes].mean(axis=0)
        best = int(means.argmax())
        name, mean = self._people[best].name, float(means[best])

        def hidden(which: Sequence[Window], reason: DoubtReason) -> _Part:
            known = mean >= self._thresholds.changed
            return _Part(
                which, name if known else None, mean, reason if known else None, is_kept=False
            )

        seconds = [
            float(likeness[window.votes, best].mean()) for window in windows if len(window.votes)
        ]
        if mean < self._thresholds.keep:
            return [hidden(windows, "not sure")]
        if min(seconds) < self._thresholds.keep_second:
            return [hidden(windows, "another face")]
        if mean - rivals[best] < self._thresholds.margin:
            return [hidden(windows, "look-alike")]
        return _by_votes(
            windows,
            lambda some: _Part(some, name, mean, None, is_kept=True),
            hidden,
            self._parameters,
        )


class Hider:
    """Leaves everyone visible who is surely none of the people of a gallery.

    Args:
        people: Those who are hidden.
        thresholds: Cosines of the network.
        parameters: Other thresholds.
    """

    def __init__(
        self, people: Sequence[KnownPerson], thresholds: Thresholds, parameters: PeopleParameters
    ) -> None:
        self._people = people
        self._thresholds = thresholds
        self._parameters = parameters

    def choose(self, tracks: Tracks, faces: Mapping[int, TrackFaces]) -> Choice:
        """Return what stays visible of a video; arguments as for `Keeper.choose`."""
        meant = {
            person.track_ids
            for person in people_of(tracks, faces, self._thresholds.same, self._parameters)
        }
        group_of = {track_id: group for group in meant for track_id in group}
        hidden_groups = {
            group
            for track_id, group in group_of.items()
            if track_id in faces
            and self._likeness(faces[track_id]).max(initial=-1) >= (self._thresholds.same)
        }
        parts: dict[int, list[_Part]] = {}
        for track in tracks.tracks:
            if track.label != FACE or not track.hide or track.is_drawn:
                continue
            own = faces.get(track.track_id, without_votes())
            is_meant = group_of[track.track_id] in hidden_groups
            pieces = stretches(track, tracks, own, self._thresholds.changed, self._parameters)
            parts[track.track_id] = [
                trimmed
                for windows in pieces
                for part in self._judged(windows, own, is_meant)
                for trimmed in _trimmed(part, own, track, tracks, self._parameters)
            ]
        return applied(tracks, parts)

    def _likeness(self, faces: TrackFaces) -> npt.NDArray[np.float32]:
        """Return how much each face is like each person's most similar photo."""
        if not len(faces):
            return np.zeros((0, len(self._people)), np.float32)
        return np.stack(
            [
                np.maximum((faces.vectors @ one.vectors.T).max(axis=1), faces.vectors @ one.mean)
                for one in self._people
            ],
            axis=1,
        )

    def _judged(self, windows: Sequence[Window], faces: TrackFaces, is_meant: bool) -> list[_Part]:
        votes = np.concatenate([window.votes for window in windows])
        if not len(votes):
            return [_Part(windows, None, None, "no vote", is_kept=False)]
        # A track that may be theirs at any time is hidden at all times.
        likeness = self._likeness(faces)
        best = int(likeness.max(axis=0).argmax())
        highest = float(likeness.max())
        name = self._people[best].name

        def part(which: Sequence[Window], reason: DoubtReason | None, is_kept: bool) -> _Part:
            return _Part(which, None if is_kept else name, highest, reason, is_kept)

        if highest >= self._thresholds.same:
            return [part(windows, None, is_kept=False)]  # it is that person
        if is_meant:
            return [part(windows, "same person", is_kept=False)]
        if highest >= self._thresholds.other:
            return [part(windows, "possible", is_kept=False)]
        return _by_votes(
            windows,
            lambda some: part(some, None, is_kept=True),
            lambda some, reason: part(some, reason, is_kept=False),
            self._parameters,
        )


def _by_votes(
    windows: Sequence[Window],
    visible: Callable[[Sequence[Window]], _Part],
    hidden: Callable[[Sequence[Window], DoubtReason], _Part],
    parameters: PeopleParameters,
) -> list[_Part]:
    """Return the parts of a stretch that could stay visible: those seen well, every second."""
    parts = []
    for has_votes, group in itertools.groupby(windows, lambda window: len(window.votes) > 0):
        some = list(group)
        part = visible(some)
        if not has_votes:
            part = hidden(some, "no vote")
        elif part.votes < parameters.min_good_faces:
            part = hidden(some, "few faces")
        parts.append(part)
    return parts


def _trimmed(
    part: _Part, faces: TrackFaces, track: Track, tracks: Tracks, parameters: PeopleParameters
) -> list[_Part]:
    """Return a part without the rows that no good face vouches for, which are hidden."""
    if not part.is_kept:
        return [part]
    rows = part.rows
    votes = np.concatenate([window.votes for window in part.windows])
    vote_rows = np.searchsorted(track.frames, faces.frames[votes])
    vouched = vouched_for(rows, vote_rows, track, tracks, parameters)
    starts = [0, *(np.flatnonzero(np.diff(vouched)) + 1).tolist(), len(rows)]
    trimmed = []
    for start, stop in itertools.pairwise(starts):
        some = rows[start:stop]
        own = votes[(vote_rows >= some[0]) & (vote_rows <= some[-1])]
        piece = replace(part, windows=[Window(some, own)])
        is_end = start == 0 or stop == len(rows)
        if not vouched[start]:
            piece = replace(piece, is_kept=False, reason=None if is_end else "no vote")
        elif len(own) < parameters.min_good_faces:
            piece = replace(piece, is_kept=False, reason="few faces")
        trimmed.append(piece)
    return trimmed


def applied(tracks: Tracks, parts: Mapping[int, Sequence[_Part]]) -> Choice:
    """Return the tracks with what stays visible as tracks of their own.

    Args:
        tracks: The tracks of the video.
        parts: All parts of those that were judged, by identifier.
    """
    numbers = itertools.count(max((track.track_id for track in tracks.tracks), default=-1) + 1)
    result: list[Track] = []
    kept: list[Stretch] = []
    doubts: list[Stretch] = []
    for track in tracks.tracks:
        of_track = parts.get(track.track_id, ())
        is_visible = np.zeros(len(track), bool)
        for part in of_track:
            if part.is_kept:
                is_visible[part.rows] = True
        is_whole = bool(of_track) and bool(is_visible.all())
        hidden = None if is_whole else track.rows(~is_visible)
        if hidden is not None:
            result.append(hidden)
        for part in of_track:
            track_id = track.track_id
            if part.is_kept:
                visible = track.rows(np.isin(np.arange(len(track)), part.rows))
                assert visible is not None
                track_id = track_id if is_whole and len(of_track) == 1 else next(numbers)
                result.append(replace(visible, track_id=track_id, hide=False))
                kept.append(_stretch(tracks, track, part, track_id))
            elif part.reason is not None:
                doubts.append(_stretch(tracks, track, part, track_id))
    result.sort(key=lambda track: track.track_id)

    def order(stretch: Stretch) -> tuple[int, int]:
        return stretch.first, stretch.track_id

    return Choice(
        replace(tracks, tracks=tuple(result)),
        tuple(sorted(kept, key=order)),
        tuple(sorted(doubts, key=order)),
    )


def _stretch(tracks: Tracks, track: Track, part: _Part, track_id: int) -> Stretch:
    first, last = (int(track.frames[part.rows[at]]) for at in (0, -1))
    start, end = (
        Fraction(int(tracks.times[at] - tracks.times[0])) * tracks.time_base for at in (first, last)
    )
    return Stretch(
        track_id, first, last, start, end, part.person, part.likeness, part.votes, part.reason
    )
