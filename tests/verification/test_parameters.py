"""Thresholds of verification that make no sense are refused."""

from __future__ import annotations

import math
from dataclasses import fields, replace
from typing import Any

import pytest

from tracker_blur.errors import SettingsError
from tracker_blur.verification.parameters import VerificationParameters


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"high_score": 1.5}, "from 0 to 1"),
        ({"max_noise": float("inf")}, "give a number"),
        ({"min_likely_detections": 0}, "of at least 1"),
        ({"core_padding_ratio": -0.6}, "of at least -0.5"),
        ({"other_view_px": ()}, "give a tuple of one number or more"),
        ({"face_view_px": (640,)}, "give a mapping"),
        ({"face_view_px": {"yunet": ()}}, "give a tuple"),
        ({"face_view_px": {"yunet": (0,)}}, "of at least 1"),
    ],
)
def test_a_threshold_that_makes_no_sense_is_refused(wrong: dict[str, Any], message: str) -> None:
    match = f"VerificationParameters has {next(iter(wrong))}=.*{message}"
    with pytest.raises(SettingsError, match=match):
        VerificationParameters(**wrong)


def test_every_threshold_has_a_unit() -> None:
    for field in fields(VerificationParameters):
        value: float = math.inf if field.name.endswith("log_odds") else -1
        wrong: dict[str, Any] = {field.name: value}
        with pytest.raises(SettingsError, match=f"has {field.name}={value}"):
            replace(VerificationParameters(), **wrong)


def test_views_may_be_swept() -> None:
    assert VerificationParameters(face_view_px={"yunet": (320,)}).face_view_px["yunet"] == (320,)
