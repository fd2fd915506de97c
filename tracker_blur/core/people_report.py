"""What a run says about chosen people: who stays visible and when, and what is in doubt."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Literal

from tracker_blur.core.times import format_seconds

if TYPE_CHECKING:
    from fractions import Fraction

PeopleRule = Literal["keep", "hide"]
"""Whether the people of the photos stay visible, or only they are hidden."""

DoubtReason = Literal[
    "few faces", "no vote", "another face", "not sure", "look-alike", "possible", "same person"
]
"""Why a stretch of a track that may be a chosen person's is hidden all the same."""

DOUBT_TEXTS: dict[DoubtReason, str] = {
    "few faces": "too few good faces",
    "no vote": "a second without a good face",
    "another face": "a second in which the face looks like someone else's",
    "not sure": "not alike enough",
    "look-alike": "someone seen at the same time looks nearly as much like the photos",
    "possible": "too much like the photos to be surely someone else",
    "same person": "another track of the same person is to be hidden",
}
"""The reasons in words."""


@dataclass(frozen=True, slots=True)
class Stretch:
    """A part of a track.

    Attributes:
        track_id: the track that has these frames in the result.
        first: its first frame.
        last: its last frame.
        start: when the first is shown, in seconds since the video's first frame.
        end: when the last is.
        person: the name of the known person it is most like; None: not like any.
        likeness: the mean cosine of its faces to that person; None without a good face.
        faces: how many good faces it has.
        reason: why it is hidden; None: it stays visible.
    """

    track_id: int
    first: int
    last: int
    start: Fraction
    end: Fraction
    person: str | None
    likeness: float | None
    faces: int
    reason: DoubtReason | None = None

    @property
    def span(self) -> str:
        """When it is seen, such as "0:00:04.800 to 0:00:05.000"."""
        if self.first == self.last:
            return format_seconds(self.start)
        return f"{format_seconds(self.start)} to {format_seconds(self.end)}"

    def to_dict(self) -> dict[str, Any]:
        """Return it as data for JSON."""
        return {
            "track": self.track_id,
            "first_frame": self.first,
            "last_frame": self.last,
            "from": format_seconds(self.start),
            "to": format_seconds(self.end),
            "person": self.person,
            "likeness": None if self.likeness is None else round(self.likeness, 3),
            "faces": self.faces,
            "reason": self.reason,
        }


@dataclass(frozen=True, slots=True)
class PeopleReport:
    """What happened to the faces of a video or an image where people were chosen.

    Attributes:
        rule: what the user chose.
        embedder: the network that compared faces.
        kept: what stays visible.
        doubts: what is hidden because it is in doubt.
        unused_photos: what is wrong with photos that were not used, a line each.
        is_measured: whether it is known how often the network is wrong.
    """

    rule: PeopleRule
    embedder: str
    kept: tuple[Stretch, ...] = ()
    doubts: tuple[Stretch, ...] = ()
    unused_photos: tuple[str, ...] = ()
    is_measured: bool = True

    def with_more(self, more: PeopleReport) -> PeopleReport:
        """Return it with what another one says, too."""
        return replace(self, kept=self.kept + more.kept, doubts=self.doubts + more.doubts)

    def to_dict(self) -> dict[str, Any]:
        """Return it as data for JSON."""
        return {
            "rule": self.rule,
            "embedder": self.embedder,
            "kept": [stretch.to_dict() for stretch in self.kept],
            "doubts": [stretch.to_dict() for stretch in self.doubts],
            "unused_photos": list(self.unused_photos),
        }
