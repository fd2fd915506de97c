"""The numbers by which the page and its reports call people."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tracker_blur.core.tracks import Tracks


class PersonNumbers:
    """Numbers people from 1 on, as the track file knows them; no edit changes anyone's number.

    When people are merged, the others' numbers are not used again.

    Args:
        tracks: those of the track file, before any edit. Each may be a person; those that edits add
            have larger numbers.
    """

    def __init__(self, tracks: Tracks) -> None:
        ids = sorted(track.track_id for track in tracks.tracks)
        self._numbers = {track_id: number for number, track_id in enumerate(ids, 1)}
        self._last = max(ids, default=-1)

    def of(self, person: int) -> int:
        """Return the number of a person, whose id is that of a track or was given later."""
        return self._numbers.get(person) or len(self._numbers) + person - self._last
