"""What a change made of tracks, counted in boxes, for a person to check."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from tracker_blur.core.tracks import Track, Tracks


@dataclass(frozen=True, slots=True)
class Changes:
    """How tracks differ from what they were.

    before    boxes that there were
    after     boxes that there are
    added     of a track in a frame where it had none
    removed   of a track in a frame where it has none now
    changed   boxes that are elsewhere, or of another size
    is_other  whether anything else is not as it was: who is hidden, by what, scores, origins
    """

    before: int
    after: int
    added: int
    removed: int
    changed: int
    is_other: bool

    @property
    def are_none(self) -> bool:
        """Whether all is as it was."""
        return not (self.added or self.removed or self.changed or self.is_other)

    def __str__(self) -> str:
        """Return it in a few words."""
        if self.are_none:
            return "nothing changed"
        counts = {"added": self.added, "removed": self.removed, "changed": self.changed}
        said = ", ".join(f"{count} {name}" for name, count in counts.items() if count)
        return f"boxes: {self.before} -> {self.after} ({said or 'all as they were'})"


def between(before: Tracks, after: Tracks) -> Changes:
    """Count what became of the boxes of `before`."""
    was = {track.track_id: track for track in before.tracks}
    now = {track.track_id: track for track in after.tracks}
    boxes_before, boxes_after = _boxes(before), _boxes(after)
    kept, changed, is_other = 0, 0, was.keys() != now.keys()
    for track_id in was.keys() & now.keys():
        one, other = was[track_id], now[track_id]
        _, here, there = np.intersect1d(one.frames, other.frames, True, return_indices=True)
        kept += len(here)
        changed += int(np.any(one.boxes[here] != other.boxes[there], axis=1).sum())
        is_other |= _said(one) != _said(other)
        is_other |= bool(np.any(one.scores[here] != other.scores[there]))
        is_other |= bool(np.any(one.origins[here] != other.origins[there]))
    return Changes(
        boxes_before, boxes_after, boxes_after - kept, boxes_before - kept, changed, is_other
    )


def _boxes(tracks: Tracks) -> int:
    return sum(len(track) for track in tracks.tracks)


def _said(track: Track) -> tuple[bool, str | None, str]:
    return track.hide, track.method, track.label
