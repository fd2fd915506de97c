"""Faces in an image: one face alone must be more alike."""

from __future__ import annotations

from typing import Any

import pytest

from tests.people.drawn_people import THRESHOLDS, face_of, known
from tracker_blur.people.stills import hide_in_still, keep_in_still

ANNA, STRANGER = 1, 2
PEOPLE = [known("anna", face_of(ANNA))]


@pytest.mark.parametrize(
    ("faces", "visible", "reasons"),
    [
        ([face_of(ANNA, 0.7)], [True], [None]),
        ([face_of(ANNA, 0.6)], [False], ["not sure"]),  # enough for a stretch of a video
        ([face_of(STRANGER)], [False], [None]),
        ([None], [False], [None]),
        ([face_of(ANNA, 0.9), face_of(ANNA, 0.85)], [False, False], ["look-alike"] * 2),
        ([face_of(ANNA, 0.9), face_of(STRANGER), None], [True, False, False], [None] * 3),
    ],
)
def test_only_a_sure_face_of_a_known_person_stays_visible(
    faces: list[Any], visible: list[bool], reasons: list[str | None]
) -> None:
    decisions = keep_in_still(PEOPLE, THRESHOLDS, faces)
    assert [decision.is_visible for decision in decisions] == visible
    assert [decision.reason for decision in decisions] == reasons


@pytest.mark.parametrize(
    ("face", "visible", "reason"),
    [
        (face_of(STRANGER), True, None),
        (face_of(ANNA, 0.7), False, None),
        (face_of(ANNA, 0.3), False, "possible"),
        (None, False, "no vote"),
    ],
)
def test_only_who_is_surely_someone_else_stays_visible(
    face: Any, visible: bool, reason: str | None
) -> None:
    (decision,) = hide_in_still(PEOPLE, THRESHOLDS, [face])
    assert (decision.is_visible, decision.reason) == (visible, reason)
