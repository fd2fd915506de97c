"""Combines what several observers have seen into the tracks of a whole video."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from tracker_blur.core.tracks import Tracks, between, joined
from tracker_blur.redaction.redactor import turned_areas
from tracker_blur.tracking.handover import UNCHANGED

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from tracker_blur.cluster.pieces import Pieces
    from tracker_blur.cluster.seen_files import SeenPiece
    from tracker_blur.tracking.final_tracks import TrackFinalizer
    from tracker_blur.tracking.handover import Numbers


@dataclass(frozen=True, slots=True)
class KnownPiece:
    """A piece whose tracks no later frame changes.

    Attributes:
        number: Its number.
        tracks: What is hidden in its frames.
        turned: Of tracks that began earlier, whether their areas are turned.
    """

    number: int
    tracks: Tracks
    turned: Mapping[int, bool | None]


class Assembly:
    """Takes what was seen, from the first frame to the last, and turns it into tracks.

    Args:
        pieces: How the video is cut.
        finalizer: Makes the tracks, for each target class.
        classes: How many classes there are.

    Attributes:
        span: The piece with which the observer began whose turn it is.
        piece: The piece whose observations are read next.
        frame_count: How many frames have been taken.
        is_over: Whether all have been.
    """

    def __init__(self, pieces: Pieces, finalizer: TrackFinalizer, classes: int) -> None:
        self._pieces = pieces
        self._finalizer = finalizer
        self._numbers: list[Numbers] = [UNCHANGED] * classes
        self._taken_pts: int | None = None
        self._waiting: list[Tracks] = []  # final, and not yet handed over
        self._next_known = 0
        self._turned: dict[int, bool | None] = {}
        self.span = self.piece = self.frame_count = 0
        self.is_over = False

    def add(self, seen: SeenPiece) -> Iterator[KnownPiece]:
        """Take what the observer whose turn it is has seen in its next piece.

        Yields:
            The pieces whose tracks are known by then.
        """
        for classes in seen.frames:
            pts = classes[0].pts
            if self._taken_pts is not None and pts <= self._taken_pts:
                continue  # the previous one has reported it
            self._taken_pts = pts
            self.frame_count += 1
            pairs = zip(self._numbers, classes, strict=True)
            self._finalizer.add([numbers.renumbered(one) for numbers, one in pairs])
            self._waiting += self._finalizer.pieces()
        if seen.handover is not None:
            pairs_of_numbers = zip(self._numbers, seen.handover.numbers, strict=True)
            self._numbers = [own.after(other) for own, other in pairs_of_numbers]
            self.span = self._pieces.starting(seen.handover.start)
            self.piece = max(self.span, self._pieces.at(max(0, self.frame_count - 1)))
        elif self.frame_count == self._pieces.frame_count:
            self._finalizer.end()
            self._waiting += self._finalizer.pieces()
            self.is_over = True
        else:
            self.piece += 1
        yield from self._known()

    def _known(self) -> Iterator[KnownPiece]:
        """Yield the pieces whose frames are all final."""
        while self._next_known < len(self._pieces.parts):
            count = self._pieces.parts[self._next_known].frame_count
            if sum(piece.frame_count for piece in self._waiting) < count:
                return
            whole = joined(self._waiting)
            tracks = between(whole, 0, count)
            rest = between(whole, count, whole.frame_count)
            self._waiting = [rest] if rest.frame_count else []
            yield KnownPiece(self._next_known, tracks, dict(self._turned))
            self._turned = turned_areas(tracks, self._turned)
            self._next_known += 1
