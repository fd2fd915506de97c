"""When what is hidden is said to cover too much of the frame."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction

import numpy as np
import pytest

from tracker_blur.core.box import Box
from tracker_blur.core.hidden_share import HiddenShare
from tracker_blur.core.tracks import Face, Origin, Tracks
from tracker_blur.core.tracks_builder import TracksBuilder

SIZE = (200, 100)
LEFT_HALF = Box(-50, 0, 100, 100)  # it may reach beyond the frame
QUARTER = Box(0, 0, 100, 50)


def seen(box: Box, label: str, number: int = 0) -> Face:
    return Face(number, box, 0.9, Origin.DETECTED, label=label)


@pytest.mark.parametrize(
    ("frames", "said"),
    [
        ([[seen(QUARTER, "plate")], []], ""),  # 12 % on average
        ([[seen(QUARTER, "face"), seen(LEFT_HALF, "face")]] * 2, ""),  # a close-up
        ([[seen(Box(0, 0, 200, 60), "face")]], "out.mp4: faces cover 59 % of the frame"),
        ([[seen(QUARTER, "plate")] * 2], "out.mp4: plates cover 25 % of the frame"),
        ([[seen(LEFT_HALF, "plate")], []], "out.mp4: plates cover 25 % of the frame"),
        ([[seen(LEFT_HALF, "zone"), seen(LEFT_HALF, "screen")]], ""),
        ([[]], ""),
        ([], ""),
    ],
)
def test_more_than_real_faces_and_plates_cover_is_reported(
    frames: list[list[Face]], said: str
) -> None:
    one_by_one, whole, builder = HiddenShare(), HiddenShare(), TracksBuilder()
    for number, faces in enumerate(frames):
        one_by_one.add(faces, SIZE)
        for place, face in enumerate(faces):
            builder.add(number, replace(face, track_id=place))
    labels = [face.label for face in max(frames, key=len, default=[])]
    tracks = tuple(replace(each, label=labels[each.track_id]) for each in builder.tracks())
    whole.add_tracks(Tracks(SIZE, Fraction(1, 25), np.arange(len(frames)), tracks=tracks))
    for share in (one_by_one, whole):
        warnings = share.warnings("out.mp4")
        assert len(warnings) == bool(said)
        assert not said or warnings[0].startswith(said)
