"""Decides which faces stay visible because of who they are; no pixels.

A face that is wrongly left visible is a leak, and one that is wrongly hidden is not. So a stretch
of a track stays visible only if all of its seconds say so, by enough good faces. What is in doubt
is hidden, and reported.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from tracker_blur.people.grouping import people_of
from tracker_blur.people.parts import Choice, Part, applied, by_votes, trimmed
from tracker_blur.people.rivals import Rivals
from tracker_blur.people.samples import without_votes
from tracker_blur.people.stretches import Window, stretches
from tracker_blur.settings import FACE

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import numpy.typing as npt

    from tracker_blur.core.people_report import DoubtReason
    from tracker_blur.core.tracks import Track, Tracks
    from tracker_blur.people.embedders import Thresholds
    from tracker_blur.people.gallery import KnownPerson
    from tracker_blur.people.parameters import PeopleParameters
    from tracker_blur.people.samples import TrackFaces


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
        pieces = {
            track.track_id: stretches(
                track,
                tracks,
                faces.get(track.track_id, without_votes()),
                self._thresholds.changed,
                self._parameters,
            )
            for track in every
        }
        rivals = Rivals(every, pieces, faces, self._means, self._parameters)
        parts: dict[int, list[Part]] = {}
        for track in every:
            own = faces.get(track.track_id, without_votes())
            if not track.hide or track.is_drawn:
                continue
            parts[track.track_id] = [
                piece
                for windows in pieces[track.track_id]
                for part in self._judged(windows, own, track, rivals)
                for piece in trimmed(part, own, track, tracks, self._parameters)
            ]
        return applied(tracks, parts)

    def _judged(
        self, windows: Sequence[Window], faces: TrackFaces, track: Track, rivals: Rivals
    ) -> list[Part]:
        """Return the parts of a stretch that stay visible, and those that do not."""
        votes = np.concatenate([window.votes for window in windows])
        if not len(votes):
            return [Part(windows, None, None, None, is_kept=False)]
        likeness = faces.vectors @ self._means.T  # of all faces of the track, to each person
        means = likeness[votes].mean(axis=0)
        best = int(means.argmax())
        name, mean = self._people[best].name, float(means[best])

        def hidden(which: Sequence[Window], reason: DoubtReason) -> Part:
            known = mean >= self._thresholds.changed
            return Part(
                which, name if known else None, mean, reason if known else None, is_kept=False
            )

        voting = [window for window in windows if len(window.votes)]
        seconds = [float(likeness[window.votes, best].mean()) for window in voting]
        if mean < self._thresholds.keep:
            return [hidden(windows, "not sure")]
        if min(seconds) < self._thresholds.keep_second:
            return [hidden(windows, "another face")]
        ahead = [mean - rivals.at_best(track.track_id, *_frames_of(windows, track))[best]]
        for window, second in zip(voting, seconds, strict=True):
            rival = rivals.during(track.track_id, *_frames_of([window], track))
            ahead.append(second - float(rival[best]))
        if min(ahead) < self._thresholds.margin:
            return [hidden(windows, "look-alike")]
        return by_votes(
            windows,
            lambda some: Part(some, name, mean, None, is_kept=True),
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
        parts: dict[int, list[Part]] = {}
        for track in tracks.tracks:
            if track.label != FACE or not track.hide or track.is_drawn:
                continue
            own = faces.get(track.track_id, without_votes())
            is_meant = group_of[track.track_id] in hidden_groups
            pieces = stretches(track, tracks, own, self._thresholds.changed, self._parameters)
            parts[track.track_id] = [
                piece
                for windows in pieces
                for part in self._judged(windows, own, is_meant)
                for piece in trimmed(part, own, track, tracks, self._parameters)
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

    def _judged(self, windows: Sequence[Window], faces: TrackFaces, is_meant: bool) -> list[Part]:
        votes = np.concatenate([window.votes for window in windows])
        if not len(votes):
            return [Part(windows, None, None, "no vote", is_kept=False)]
        # A track that may be theirs at any time is hidden at all times.
        likeness = self._likeness(faces)
        best = int(likeness.max(axis=0).argmax())
        highest = float(likeness.max())
        name = self._people[best].name

        def part(which: Sequence[Window], reason: DoubtReason | None, is_kept: bool) -> Part:
            return Part(which, None if is_kept else name, highest, reason, is_kept)

        if highest >= self._thresholds.same:
            return [part(windows, None, is_kept=False)]  # it is that person
        if is_meant:
            return [part(windows, "same person", is_kept=False)]
        if highest >= self._thresholds.other:
            return [part(windows, "possible", is_kept=False)]
        return by_votes(
            windows,
            lambda some: part(some, None, is_kept=True),
            lambda some, reason: part(some, reason, is_kept=False),
            self._parameters,
        )


def _frames_of(windows: Sequence[Window], track: Track) -> tuple[int, int]:
    """Return the first and the last frame of successive windows of a track."""
    return int(track.frames[windows[0].rows[0]]), int(track.frames[windows[-1].rows[-1]])
