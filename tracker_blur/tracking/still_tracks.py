"""The faces of an image as tracks: one for each face, in the only frame that shows it."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from tracker_blur.core.rules import NO_RULES, Rules
from tracker_blur.core.tracks import Tracks
from tracker_blur.core.tracks_builder import TracksBuilder

if TYPE_CHECKING:
    from collections.abc import Container, Sequence
    from fractions import Fraction

    from tracker_blur.core.frame import Frame
    from tracker_blur.core.tracks import Face


class StillTracks:
    """Collects the faces of the pages of an image; keeps no pixels.

    Args:
        rules: Zones and limits.
    """

    def __init__(self, rules: Rules = NO_RULES) -> None:
        self._rules = rules
        self._builder = TracksBuilder()
        self._faces: list[tuple[Face, bool]] = []
        self._times: list[int] = []
        self._shape: tuple[tuple[int, int], Fraction] | None = None

    def add(self, frame: Frame, faces: Sequence[Face], visible: Container[int] = ()) -> None:
        """Add the next page.

        Args:
            frame: The page.
            faces: What is in it.
            visible: The identifiers, among those of the page, of what stays visible.
        """
        self._shape = self._shape or (frame.size, frame.time_base)
        for face in faces:
            self._builder.add(len(self._times), face.numbered(len(self._faces)))
            self._faces.append((face, face.track_id in visible))
        self._times.append(frame.pts)

    def tracks(self) -> Tracks:
        """Return the tracks of the pages so far, at least one, numbered from 0."""
        if self._shape is None:
            raise ValueError("there is no page yet")
        tracks = (
            replace(track, label=face.label, method=face.method, hide=not is_visible)
            for track, (face, is_visible) in zip(self._builder.tracks(), self._faces, strict=True)
        )
        times = np.array(self._times, np.int64)
        return Tracks(*self._shape, times, (), tuple(tracks), rules=self._rules)
