"""The state of a review: tracks, people and what was looked at."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field, replace
from types import MappingProxyType
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tracker_blur.annotations.track_file import TrackFile
    from tracker_blur.core.tracks import Track, Tracks

_NONE: Mapping[int, int] = MappingProxyType({})
_NO_NAMES: Mapping[int, str] = MappingProxyType({})
_NO_FRAMES: Mapping[int, frozenset[int]] = MappingProxyType({})


@dataclass(frozen=True, eq=False)
class ReviewState:
    """The track file after the edits so far; never changed, but followed by another one.

    Attributes:
        tracks: the tracks, with zones, limits and sounds.
        people: for tracks that a person has moved to a person: the number of that person.
        names: names of people, by number.
        seen: the doubts that were marked as seen.
        is_looked_through: whether a person has said that they have looked through all of it.
        decided: tracks that a person has said to hide or to keep.
        corrected: by track, the frames whose boxes a person has placed.
        method: how all are hidden that have no method of their own; None: as the track file says.
    """

    tracks: Tracks
    people: Mapping[int, int] = field(default_factory=lambda: _NONE)
    names: Mapping[int, str] = field(default_factory=lambda: _NO_NAMES)
    seen: frozenset[str] = frozenset()
    is_looked_through: bool = False
    decided: frozenset[int] = frozenset()
    corrected: Mapping[int, frozenset[int]] = field(default_factory=lambda: _NO_FRAMES)
    method: str | None = None
    used: int = 0
    """The largest number that a track or a person ever had: numbers are not reused."""

    def after(self, before: ReviewState) -> ReviewState:
        """Return the state without what it knows about tracks that are gone.

        Args:
            before: the state that an edit made this one of.
        """
        ids = {track.track_id for track in self.tracks.tracks}
        numbers = (before.free_id - 1, *ids, *self.people.values())
        return replace(
            self,
            people={one: person for one, person in self.people.items() if one in ids},
            decided=self.decided & ids,
            corrected={one: frames for one, frames in self.corrected.items() if one in ids},
            used=max(numbers),
        )

    def is_as(self, other: ReviewState) -> bool:
        """Return whether another state hides the same, and holds the same decisions.

        That someone has confirmed a hidden track is no decision: it was hidden without them.
        """
        return (
            self.people == other.people
            and self.names == other.names
            and self.seen == other.seen
            and self.is_looked_through == other.is_looked_through
            and self._kept == other._kept
            and self.corrected == other.corrected
            and self.method == other.method
            and _are_same(self.tracks, other.tracks)
        )

    @property
    def _kept(self) -> set[int]:
        """The tracks that a person has said to keep visible."""
        return {one.track_id for one in self.tracks.tracks if not one.hide} & self.decided

    def edited(self, content: TrackFile) -> TrackFile:
        """Return a track file, as it was, with all edits: someone has looked at it."""
        looked_at = content.reviewed()
        settings = looked_at.settings
        if self.method is not None:
            settings = {**settings, "method": self.method}
        return replace(looked_at, tracks=self.tracks, settings=settings)

    @property
    def free_id(self) -> int:
        """A number that no track and no person has, or had."""
        ids = (track.track_id for track in self.tracks.tracks)
        return max((self.used, *ids, *self.people.values())) + 1

    def groups(self, grouped: Mapping[int, int]) -> dict[int, list[Track]]:
        """Return the tracks of each person, by the person's number, ascending.

        Args:
            grouped: the person that embeddings suggest for a track; a track without one is a
                person of its own, with its own number.
        """
        people: defaultdict[int, list[Track]] = defaultdict(list)
        for track in self.tracks.tracks:
            suggested = grouped.get(track.track_id, track.track_id)
            people[self.people.get(track.track_id, suggested)].append(track)
        return dict(sorted(people.items()))


def _are_same(one: Tracks, other: Tracks) -> bool:
    """Return whether tracks of one video hide the same."""
    return (
        one.rules == other.rules
        and len(one.tracks) == len(other.tracks)
        and all(map(_is_same, one.tracks, other.tracks))
    )


def _is_same(one: Track, other: Track) -> bool:
    """Return whether two tracks hide the same, in the same way."""
    if one is other:
        return True
    rest = (one.track_id, one.hide, one.method, one.label)
    return rest == (other.track_id, other.hide, other.method, other.label) and all(
        mine is theirs or np.array_equal(mine, theirs)
        for mine, theirs in (
            (one.frames, other.frames),
            (one.boxes, other.boxes),
            (one.scores, other.scores),
            (one.origins, other.origins),
        )
    )
