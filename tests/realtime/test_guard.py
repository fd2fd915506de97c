"""The guard blanks frames in every doubt."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from tracker_blur.realtime.guard import Situation, reason_to_blank

SAFE = Situation(
    hide_all=False,
    has_source=True,
    failure="",
    detection_age=0.5,
    is_face_lost=False,
    is_unsettled=False,
)


def test_a_safe_frame_may_leave() -> None:
    assert reason_to_blank(SAFE, 1.0) is None


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"hide_all": True}, "on request"),
        ({"has_source": False}, "source sends nothing"),
        ({"failure": "detection failed"}, "detection failed"),
        ({"detection_age": None}, "has not run yet"),
        ({"detection_age": 1.1}, "late"),
        ({"is_face_lost": True}, "lost"),
        ({"is_unsettled": True}, "source has changed"),
    ],
)
def test_each_doubt_blanks_the_frame(change: dict[str, Any], reason: str) -> None:
    assert reason in (reason_to_blank(replace(SAFE, **change), 1.0) or "")
