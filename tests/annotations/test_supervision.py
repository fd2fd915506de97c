"""Tracks become supervision.Detections and back."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings

from tests.track_samples import any_tracks, assert_same, two_tracks
from tracker_blur.annotations.supervision import from_supervision, to_supervision
from tracker_blur.core.tracks import Origin, Tracks
from tracker_blur.errors import MissingPackageError, SettingsError

supervision = pytest.importorskip(
    "supervision", reason="the package supervision is not installed: pip install '.[supervision]'"
)


@settings(max_examples=25)
@given(any_tracks())
def test_a_round_trip_loses_nothing(tracks: Tracks) -> None:
    frames = [(frame, to_supervision(tracks, frame)) for frame in range(tracks.frame_count)]
    assert_same(from_supervision(frames, replace(tracks, tracks=())), tracks, px=0)


def test_every_face_of_a_frame_is_included() -> None:
    found: Any = to_supervision(two_tracks(), 12)
    assert found.tracker_id.tolist() == [3, 7]
    assert found.xyxy.tolist() == [[112, 50, 152, 100], [300.5, 60.25, 350, 120]]
    assert found["class_name"].tolist() == ["face", "face"]
    assert len(to_supervision(two_tracks(), 31)) == 0
    assert len(found[found["hide"]]) == 2


def detections(**more: Any) -> Any:
    return supervision.Detections(xyxy=np.array([[1.0, 2, 3, 4]]), **more)


def test_detections_of_other_programs_are_drawn_and_hidden() -> None:
    (track,) = from_supervision([(4, detections(tracker_id=np.array([2])))], two_tracks()).tracks
    assert (track.track_id, track.first, track.hide) == (2, 4, True)
    assert track.has(Origin.DRAWN).all()


def test_a_track_is_visible_only_if_all_its_detections_say_so() -> None:
    frames = [
        (frame, detections(tracker_id=np.array([2]), data={"hide": np.array([hide])}))
        for frame, hide in enumerate([False, True, False])
    ]
    (track,) = from_supervision(frames, two_tracks()).tracks
    assert track.hide


@pytest.mark.parametrize(
    ("frame", "more", "message"),
    [
        (0, {}, "frame 0: have no tracker_id"),
        (50, {"tracker_id": np.array([1])}, "frame is 50"),
        (0, {"tracker_id": np.array([1]), "confidence": np.array([np.nan])}, "score is nan"),
        (0, {"tracker_id": np.array([1]), "data": {"method": np.array(["x"])}}, "method is 'x'"),
    ],
)
def test_invalid_detections_are_rejected(frame: int, more: dict[str, Any], message: str) -> None:
    with pytest.raises(SettingsError) as caught:
        from_supervision([(frame, detections(**more))], two_tracks())
    assert message in str(caught.value)


def test_a_missing_package_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(__import__("sys").modules, "supervision", None)
    with pytest.raises(MissingPackageError, match=r"\.\[supervision\]"):
        to_supervision(two_tracks(), 0)
