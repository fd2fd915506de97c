"""Parts of tracks: what was decided about each, and the resulting tracks; no pixels."""

from __future__ import annotations

import itertools
from dataclasses import dataclass, replace
from fractions import Fraction
from typing import TYPE_CHECKING

import numpy as np

from tracker_blur.core.people_report import DoubtReason, Stretch
from tracker_blur.people.stretches import Window, vouched_for

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    import numpy.typing as npt

    from tracker_blur.core.tracks import Track, Tracks
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
class Part:
    """Some windows of a track with what was decided.

    Attributes:
        windows: The windows, in order.
        person: The known person it is most like; None: like none of them.
        likeness: The mean cosine; None without a good face.
        reason: Why it is hidden although it may be one who stays visible.
        is_kept: Whether it stays visible.
    """

    windows: Sequence[Window]
    person: str | None
    likeness: float | None
    reason: DoubtReason | None
    is_kept: bool

    @property
    def rows(self) -> npt.NDArray[np.int64]:
        """Its rows in the track, ascending."""
        return np.concatenate([window.rows for window in self.windows])

    @property
    def votes(self) -> int:
        """How many good faces it has."""
        return sum(len(window.votes) for window in self.windows)


def by_votes(
    windows: Sequence[Window],
    visible: Callable[[Sequence[Window]], Part],
    hidden: Callable[[Sequence[Window], DoubtReason], Part],
    parameters: PeopleParameters,
) -> list[Part]:
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


def trimmed(
    part: Part, faces: TrackFaces, track: Track, tracks: Tracks, parameters: PeopleParameters
) -> list[Part]:
    """Return a part without the rows that no good face vouches for, which are hidden."""
    if not part.is_kept:
        return [part]
    rows = part.rows
    votes = np.concatenate([window.votes for window in part.windows])
    vote_rows = np.searchsorted(track.frames, faces.frames[votes])
    vouched = vouched_for(rows, vote_rows, track, tracks, parameters)
    starts = [0, *(np.flatnonzero(np.diff(vouched)) + 1).tolist(), len(rows)]
    pieces = []
    for start, stop in itertools.pairwise(starts):
        some = rows[start:stop]
        own = votes[(vote_rows >= some[0]) & (vote_rows <= some[-1])]
        piece = replace(part, windows=[Window(some, own)])
        is_end = start == 0 or stop == len(rows)
        if not vouched[start]:
            piece = replace(piece, is_kept=False, reason=None if is_end else "no vote")
        elif len(own) < parameters.min_good_faces:
            piece = replace(piece, is_kept=False, reason="few faces")
        pieces.append(piece)
    return pieces


def applied(tracks: Tracks, parts: Mapping[int, Sequence[Part]]) -> Choice:
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


def _stretch(tracks: Tracks, track: Track, part: Part, track_id: int) -> Stretch:
    first, last = (int(track.frames[part.rows[at]]) for at in (0, -1))
    start, end = (
        Fraction(int(tracks.times[at] - tracks.times[0])) * tracks.time_base for at in (first, last)
    )
    return Stretch(
        track_id, first, last, start, end, part.person, part.likeness, part.votes, part.reason
    )
