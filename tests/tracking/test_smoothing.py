"""From raw tracks to what is hidden: no reliable detection is ever uncovered."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import hypothesis.strategies as st
import numpy as np
import pytest
from hypothesis import given, settings

from tests.tracking.fakes import PARAMETERS
from tests.tracking.raw_tracks import (
    BOX,
    CONFIDENCE,
    MILLISECOND,
    SIZE,
    any_raw_tracks,
    face_rows,
    hidden_tracks,
    raw_tracks,
    refine,
    spans,
)
from tracker_blur.core.box import Box
from tracker_blur.core.parameters import PlausibilityParameters, TrackingParameters
from tracker_blur.core.timeline import Timeline
from tracker_blur.core.tracks import Origin
from tracker_blur.tracking.hidden_faces import SceneMemory, hidden_faces
from tracker_blur.tracking.plausibility import unconditional_score
from tracker_blur.tracking.smoothing import smooth_face

if TYPE_CHECKING:
    from tracker_blur.tracking.first_pass import RawTracks

MARGINS = st.sampled_from([0.0, 0.2, 3.0])
often = settings(max_examples=60)


@often
@given(any_raw_tracks(), MARGINS)
def test_unconditional_detections_are_covered_in_their_frames(
    raw: RawTracks, margin: float
) -> None:
    assert_covered(
        raw, unconditional_score(CONFIDENCE, PARAMETERS.plausibility), margin, PARAMETERS
    )


@often
@given(any_raw_tracks(), MARGINS)
def test_size_and_place_aside_high_confidence_detections_are_covered_in_their_frames(
    raw: RawTracks, margin: float
) -> None:
    off = PlausibilityParameters.for_any_size()
    assert_covered(raw, CONFIDENCE, margin, replace(PARAMETERS, plausibility=off))


def assert_covered(
    raw: RawTracks, score: float, margin: float, parameters: TrackingParameters
) -> None:
    timeline = Timeline(refine(raw, CONFIDENCE, margin, parameters))
    for track in raw.tracks.tracks:
        high = track.has(Origin.DETECTED) & (track.scores >= score)
        for row in np.flatnonzero(high).tolist():
            boxes = [face.box for face in timeline.faces(int(track.frames[row]))]
            assert any(box.covers(track.box(row)) for box in boxes)


@often
@given(any_raw_tracks(), MARGINS)
def test_tracks_have_no_gaps_and_cross_no_cut(raw: RawTracks, margin: float) -> None:
    refined = refine(raw, CONFIDENCE, margin, PARAMETERS)
    assert refined.cuts == raw.tracks.cuts
    for track in refined.tracks:
        assert track.frames.tolist() == list(range(track.first, track.last + 1))
        assert 0 <= track.first <= track.last < refined.frame_count
        assert not any(track.first < cut <= track.last for cut in refined.cuts)


@often
@given(any_raw_tracks(), MARGINS)
def test_every_row_is_whole_and_every_box_finite(raw: RawTracks, margin: float) -> None:
    refined = refine(raw, CONFIDENCE, margin, PARAMETERS)
    assert (refined.size, refined.time_base) == (SIZE, MILLISECOND)
    np.testing.assert_array_equal(refined.times, raw.tracks.times)
    assert [track.track_id for track in refined.tracks] == list(range(len(refined.tracks)))
    for track in refined.tracks:
        count = len(track)
        columns = (track.frames, track.boxes, track.scores, track.origins)
        names = [column.dtype.name for column in columns]
        assert names == ["int32", "float32", "float32", "uint8"]
        assert track.boxes.shape == (count, 4)
        assert track.scores.shape == track.origins.shape == track.frames.shape == (count,)
        assert np.isfinite(track.boxes).all()
        assert (track.boxes[:, :2] < track.boxes[:, 2:]).all()
        assert track.hide


@often
@given(any_raw_tracks(), MARGINS)
def test_refining_leaves_the_raw_tracks_unchanged(raw: RawTracks, margin: float) -> None:
    before = [(track.frames.copy(), track.boxes.copy()) for track in raw.tracks.tracks]
    one, other = (refine(raw, CONFIDENCE, margin, PARAMETERS).tracks for _ in range(2))
    for track, (frames, boxes) in zip(raw.tracks.tracks, before, strict=True):
        np.testing.assert_array_equal(track.frames, frames)
        np.testing.assert_array_equal(track.boxes, boxes)
    for track, again in zip(one, other, strict=True):
        np.testing.assert_array_equal(track.boxes, again.boxes)


@often
@given(any_raw_tracks())
def test_a_longer_margin_uncovers_nothing(raw: RawTracks) -> None:
    without, with_margin = hidden_tracks(raw), hidden_tracks(raw, 0.5)
    assert len(without) == len(with_margin)
    for short, long in zip(without, with_margin, strict=True):
        assert long.first <= short.first
        assert short.last <= long.last


def test_a_gap_is_filled_by_boxes_that_grow_with_the_distance_to_its_ends() -> None:
    rows = face_rows([10], speed=2.0) + face_rows([17], speed=2.0)
    (track,) = hidden_tracks(raw_tracks(rows))
    assert spans([track]) == [(10, 17)]
    assert np.flatnonzero(track.has(Origin.BETWEEN)).tolist() == list(range(1, 7))
    widths = (track.boxes[:, 2] - track.boxes[:, 0]).tolist()
    assert widths[3] > widths[1] > BOX.width
    for row in range(8):
        assert track.box(row).covers(BOX.moved(2.0 * (10 + row), 0))


@pytest.mark.parametrize("jump", [20.0, 30.0, 45.0])
def test_in_frames_left_out_before_a_jerk_a_face_is_hidden_where_it_was(jump: float) -> None:
    before = face_rows(range(6, 13, 3))
    after = face_rows(range(15, 24), box=BOX.moved(jump, 0))
    (track,) = hidden_tracks(raw_tracks(before + after))
    for frame in (13, 14):
        box = track.box(frame - track.first)
        assert box.padded(0.05).covers(BOX)
        assert box.width < BOX.width + 1.5 * jump


@pytest.mark.parametrize("seconds", [0.0, 0.2, 1.0, 60.0])
def test_a_margin_covers_the_frames_around_and_stops_at_the_ends_of_the_video(
    seconds: float,
) -> None:
    (track,) = hidden_tracks(raw_tracks(face_rows(range(10, 50))), seconds)
    frames = round(seconds * 25)
    assert spans([track]) == [(max(0, 10 - frames), min(59, 49 + frames))]
    in_margin = track.frames[track.has(Origin.MARGIN)]
    assert set(in_margin.tolist()) == set(track.frames.tolist()) - set(range(10, 50))
    for row in range(len(track)):
        assert track.box(row).covers(BOX)


def test_a_margin_stops_at_a_cut() -> None:
    raw = raw_tracks(face_rows(range(20, 30)), cuts=(18, 31))
    assert spans(hidden_tracks(raw, 1.0)) == [(18, 30)]


def test_a_margin_is_measured_in_time() -> None:
    times = [0, 1000, 1050, 1100, 1150, 1200, 1240, 1280, 1320, 1360, 1410, 9000]
    assert spans(hidden_tracks(raw_tracks(face_rows([5]), times=times), 0.2)) == [(1, 9)]


@pytest.mark.parametrize(
    ("rate", "frames"),
    [(0.1, 3), (1, 3), (5, 3), (10, 3), (12, 3), (15, 3), (24, 4), (25, 5), (30, 6), (60, 12)],
)
def test_a_margin_lasts_at_least_three_frames(rate: float, frames: int) -> None:
    times = [round(1000 * index / rate) for index in range(100)]
    raw = raw_tracks(face_rows(range(60, 63)), times=times)
    assert spans(hidden_tracks(raw, 0.2)) == [(60 - frames, 62 + frames)]
    assert spans(hidden_tracks(raw, 0.0)) == [(60, 62)]


def test_the_frames_of_a_margin_stop_at_a_cut_and_at_the_ends_of_the_video() -> None:
    times = [100 * index for index in range(12)]
    for frame in (0, 1, 4, 10, 11):
        raw = raw_tracks(face_rows([frame]), times=times, cuts=(3,))
        scene = (0, 2) if frame < 3 else (3, 11)
        assert spans(hidden_tracks(raw, 0.2)) == [
            (max(scene[0], frame - 3), min(scene[1], frame + 3))
        ]


@pytest.mark.parametrize("start", [0, 3, 10, 123456789])
def test_no_frame_of_a_margin_is_lost_to_rounding(start: int) -> None:
    times = [40 * (start + index) for index in range(60)]
    for frame in range(10, 50):
        raw = raw_tracks(face_rows([frame]), times=times)
        assert spans(hidden_tracks(raw, 0.2)) == [(frame - 5, frame + 5)]


def test_a_box_that_jitters_is_smoothed() -> None:
    shakes = np.random.default_rng(1).normal(0, 3, 50)
    rows = [row for i, dx in enumerate(shakes) for row in face_rows([i], box=BOX.moved(dx, 0))]
    (track,) = hidden_tracks(raw_tracks(rows))
    centers = (track.boxes[:, 0] + track.boxes[:, 2]) / 2
    assert np.abs(np.diff(centers)).mean() < 0.6 * np.abs(np.diff(shakes)).mean()
    assert (track.boxes[:, 2] - track.boxes[:, 0]).max() < 2 * BOX.width


@pytest.mark.parametrize("frame", [0, 1, 20, 39])
def test_a_reliable_detection_that_jumps_is_covered_all_the_same(frame: int) -> None:
    jump = BOX.padded(1.0).moved(15, -10)
    rows = face_rows([i for i in range(40) if i != frame]) + face_rows([frame], box=jump)
    (track,) = hidden_tracks(raw_tracks(rows))
    assert track.box(frame).covers(jump)
    assert all(track.box(row).covers(BOX) for row in range(40) if row != frame)


def test_a_tracker_that_jumps_does_not_drag_the_box_along() -> None:
    jump = face_rows([20], box=BOX.padded(1.0), origin=Origin.TRACKED)
    rows = face_rows([i for i in range(40) if i != 20]) + jump
    (track,) = hidden_tracks(raw_tracks(rows))
    np.testing.assert_allclose(track.boxes, [BOX.as_tuple()] * 40, atol=1e-3)


@often
@given(st.integers(31, 200), st.integers(-1200, 1200), st.floats(0.7, 1.5))
def test_a_tracker_that_jumps_away_in_a_gap_does_not_swell_the_box(
    gap: int, jump: int, scale: float
) -> None:
    rows = face_rows([10, 11]) + face_rows([12 + gap, 13 + gap])
    drifted = Box.around((220 + jump, 125), 40 * scale, 50 * scale)
    away = range(21, 3 + gap)  # trackers are believed close to a detection
    rows += face_rows(away, box=drifted, origin=Origin.TRACKED)
    times = [10 * index for index in range(20 + gap)]
    for track in hidden_tracks(raw_tracks(rows, times=times)):
        sides = track.boxes[:, 2:] - track.boxes[:, :2]
        ratio = PARAMETERS.smoothing.max_gap_size_ratio
        assert (sides <= 1.01 * ratio * np.array([BOX.width, BOX.height])).all()
        assert all(track.box(row).covers(BOX) for row in range(len(track)))


@pytest.mark.parametrize("rate", [10, 25, 30])
@pytest.mark.parametrize("speed", [40, 80, 200])
def test_a_face_that_enters_is_hidden_from_the_border_on(rate: int, speed: int) -> None:
    """It is 40 pixels wide, moves by `speed` pixels a second, and is detected once at 50."""
    times = [round(1000 * index / rate) for index in range(100)]
    first = 60
    rows = [
        row
        for frame in range(first, 70)
        for row in face_rows(
            [frame], box=Box.from_xywh(50 + speed * (frame - first) / rate, 100, 40, 50)
        )
    ]
    (track,) = hidden_tracks(raw_tracks(rows, times=times), 0.2)
    seconds = 90 / speed  # until it was out of the frame
    reach = seconds if seconds <= 1 else 0.0
    assert track.first == first - max(3, round(0.2 * rate), int(reach * rate + 1e-6))
    for frame in range(track.first, first):
        if (first - frame) / rate <= reach:
            x = 50 - speed * (first - frame) / rate
            assert track.box(frame - track.first).covers(Box.from_xywh(x + 1, 101, 38, 48))


@pytest.mark.parametrize("changes", [{"speed": 0.0}, {"box": BOX.moved(100, 100), "speed": 4.0}])
def test_a_face_that_stands_still_or_is_far_from_the_border_has_a_usual_margin(
    changes: dict[str, Any],
) -> None:
    rows = face_rows(range(20, 25), **changes)
    assert spans(hidden_tracks(raw_tracks(rows), 0.2)) == [(15, 29)]


def test_the_way_to_the_border_ends_at_a_cut_and_needs_a_margin() -> None:
    rows = face_rows(range(30, 40), box=Box.from_xywh(-80, 100, 40, 50), speed=4.0)
    assert spans(hidden_tracks(raw_tracks(rows), 0.2)) == [(10, 44)]
    assert spans(hidden_tracks(raw_tracks(rows), 0.0)) == [(30, 39)]
    assert spans(hidden_tracks(raw_tracks(rows, cuts=(25,)), 0.2)) == [(25, 44)]


def test_a_part_of_a_face_is_smoothed_as_the_whole() -> None:
    chance = np.random.default_rng(1)
    places = chance.normal(0, 30, (100, 2))
    rows = [
        row
        for frame in range(0, 100, 2)
        for row in face_rows([frame], box=BOX.moved(*places[frame].tolist()))
    ]
    raw = raw_tracks(rows, frame_count=110)
    ((face,), _) = hidden_faces(raw, CONFIDENCE, PARAMETERS, SceneMemory())
    whole = smooth_face(face, raw.tracks, 0.2, PARAMETERS.smoothing)
    assert whole is not None
    for start in range(0, 102, 3):
        part = smooth_face(face, raw.tracks, 0.2, PARAMETERS.smoothing, (start, start + 3))
        expected = whole.rows((whole.frames >= start) & (whole.frames < start + 3))
        assert part is not None
        assert expected is not None
        assert part.frames.tolist() == expected.frames.tolist()
        assert part.boxes.tolist() == expected.boxes.tolist()
    assert smooth_face(face, raw.tracks, 0.2, PARAMETERS.smoothing, (106, 110)) is None


@pytest.mark.parametrize("start", [0, 280, 3_600_000, 7_199_960])
def test_the_windows_that_smooth_do_not_depend_on_when_a_face_appears(start: int) -> None:
    rows = [row for i in range(40) for row in face_rows([i], speed=9.0 * (i % 2))]
    times = [start + 40 * i for i in range(40)]
    (track,) = hidden_tracks(raw_tracks(rows, times=times, frame_count=40))
    (expected,) = hidden_tracks(raw_tracks(rows, frame_count=40))
    assert track.boxes.tolist() == expected.boxes.tolist()
