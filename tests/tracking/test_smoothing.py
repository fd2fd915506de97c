"""From what was seen to what is hidden: nothing that was surely found is ever uncovered."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from fractions import Fraction
from typing import Any

import hypothesis.strategies as st
import numpy as np
import pytest
from hypothesis import given, settings

from tracker_blur.core.box import Box
from tracker_blur.core.tracks import Face, Origin, Timeline, Track, Tracks, TracksBuilder
from tracker_blur.tracking.appearance import Appearance
from tracker_blur.tracking.first_pass import RawTracks
from tracker_blur.tracking.smoothing import refine

CONFIDENCE = 0.5
MARGIN = 0.2
SIZE = (640, 360)
BOX = Box.from_xywh(200, 100, 40, 50)
MILLISECOND = Fraction(1, 1000)
RED, BLUE = (bytes([255 if index == bin_ else 0 for index in range(24)]) for bin_ in (3, 20))

Row = tuple[int, Face, bytes]


def sightings(
    rows: Iterable[Row],
    frame_count: int = 60,
    *,
    times: Sequence[int] | None = None,
    cuts: tuple[int, ...] = (),
    links: tuple[tuple[int, int], ...] = (),
) -> RawTracks:
    """Return what a first pass would have seen; 25 frames a second, unless there are times."""
    builder, looks = TracksBuilder(), Appearance()
    for frame, face, look in rows:
        builder.add(frame, face)
        if face.origin is Origin.DETECTED:
            looks.add(face.track_id, frame, look)
    stamps = np.array([40 * i for i in range(frame_count)] if times is None else times, np.int64)
    looked = np.arange(len(stamps), dtype=np.int32)
    tracks = Tracks(SIZE, MILLISECOND, stamps, cuts, builder.tracks())
    return RawTracks(tracks, looked, links, looks)


def found(
    frames: Iterable[int],
    track_id: int = 0,
    *,
    box: Box = BOX,
    score: float = 0.9,
    origin: Origin = Origin.DETECTED,
    look: bytes = RED,
    speed: float = 0.0,
) -> list[Row]:
    """Return rows of a face that moves `speed` pixels a frame from where it is in frame 0."""
    return [
        (frame, Face(track_id, box.moved(speed * frame, 0), score, origin), look)
        for frame in frames
    ]


def hidden(seen: RawTracks, margin_seconds: float = 0.0) -> tuple[Track, ...]:
    return refine(seen, CONFIDENCE, margin_seconds).tracks


def spans(tracks: Sequence[Track]) -> list[tuple[int, int]]:
    return [(track.first, track.last) for track in tracks]


@st.composite
def any_sightings(draw: st.DrawFn, highest_score: float = 1.0) -> RawTracks:
    """Draw what a first pass might see: no raw track and no link crosses a cut."""
    steps = draw(st.lists(st.sampled_from([1, 33, 40, 40, 40, 200, 5000]), min_size=1, max_size=50))
    count = len(steps)
    cuts = tuple(sorted(draw(st.sets(st.integers(1, count), max_size=2)) - {count}))
    edges = [0, *cuts, count]
    scenes: dict[int, int] = {}
    rows: list[Row] = []
    chance = np.random.default_rng(draw(st.integers(0, 2**32)))  # boxes by hand take too long
    origins = [*[Origin.DETECTED] * 3, Origin.FOLLOWED, Origin.HELD]
    for track_id in range(draw(st.integers(0, 5))):
        scenes[track_id] = scene = draw(st.integers(0, len(edges) - 2))
        density, jitter = draw(st.sampled_from([0.1, 0.5, 1.0])), draw(st.sampled_from([0, 5, 40]))
        center = chance.uniform((-50, -50), SIZE)
        for frame in range(edges[scene], edges[scene + 1]):
            if chance.random() <= density:
                x, y = center + chance.normal(0, jitter + 1e-9, 2)
                width, height = 40 + chance.uniform(-0.9, 2, 2) * jitter
                score = chance.uniform(0, highest_score)
                origin = origins[chance.integers(len(origins))]
                face = Face(track_id, Box.from_xywh(x, y, width, height), score, origin)
                rows.append((frame, face, RED if chance.random() < 0.8 else BLUE))
    together = [(a, b) for a in scenes for b in scenes if a < b and scenes[a] == scenes[b]]
    links = tuple(draw(st.lists(st.sampled_from(together), max_size=4))) if together else ()
    start = draw(st.sampled_from([0, -7000, 2**40]))
    times = np.cumsum([start, *steps[1:]], dtype=np.int64).tolist()
    return sightings(rows, times=times, cuts=cuts, links=links)


MARGINS = st.sampled_from([0.0, 0.2, 3.0])
often = settings(max_examples=60)


@often
@given(any_sightings(), MARGINS)
def test_what_was_surely_found_is_covered_in_its_frame(seen: RawTracks, margin: float) -> None:
    timeline = Timeline(refine(seen, CONFIDENCE, margin))
    for track in seen.tracks.tracks:
        sure = track.has(Origin.DETECTED) & (track.scores >= CONFIDENCE)
        for row in np.flatnonzero(sure).tolist():
            boxes = [face.box for face in timeline.faces(int(track.frames[row]))]
            assert any(box.covers(track.box(row)) for box in boxes)


@often
@given(any_sightings(), MARGINS)
def test_tracks_have_no_gaps_and_cross_no_cut(seen: RawTracks, margin: float) -> None:
    refined = refine(seen, CONFIDENCE, margin)
    assert refined.cuts == seen.tracks.cuts
    for track in refined.tracks:
        assert track.frames.tolist() == list(range(track.first, track.last + 1))
        assert 0 <= track.first <= track.last < refined.frame_count
        assert not any(track.first < cut <= track.last for cut in refined.cuts)


@often
@given(any_sightings(), MARGINS)
def test_every_row_is_whole_and_every_box_finite(seen: RawTracks, margin: float) -> None:
    refined = refine(seen, CONFIDENCE, margin)
    assert (refined.size, refined.time_base) == (SIZE, MILLISECOND)
    np.testing.assert_array_equal(refined.times, seen.tracks.times)
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
@given(any_sightings(), MARGINS)
def test_refining_changes_nothing_of_what_was_seen(seen: RawTracks, margin: float) -> None:
    before = [(track.frames.copy(), track.boxes.copy()) for track in seen.tracks.tracks]
    one, other = (refine(seen, CONFIDENCE, margin).tracks for _ in range(2))
    for track, (frames, boxes) in zip(seen.tracks.tracks, before, strict=True):
        np.testing.assert_array_equal(track.frames, frames)
        np.testing.assert_array_equal(track.boxes, boxes)
    for track, again in zip(one, other, strict=True):
        np.testing.assert_array_equal(track.boxes, again.boxes)


@often
@given(any_sightings(highest_score=0.4), MARGINS)
def test_weak_finds_alone_hide_nothing(seen: RawTracks, margin: float) -> None:
    assert refine(seen, CONFIDENCE, margin).tracks == ()


@often
@given(any_sightings())
def test_a_longer_margin_uncovers_nothing(seen: RawTracks) -> None:
    without, with_margin = hidden(seen), hidden(seen, 0.5)
    assert len(without) == len(with_margin)
    for short, long in zip(without, with_margin, strict=True):
        assert long.first <= short.first
        assert short.last <= long.last


def test_nothing_seen_hides_nothing() -> None:
    assert hidden(sightings([])) == ()
    assert hidden(sightings([], frame_count=0)) == ()


def test_a_single_strong_find_is_hidden() -> None:
    (track,) = hidden(sightings(found([7])))
    assert spans([track]) == [(7, 7)]
    assert track.box(0) == BOX


def test_weak_finds_count_near_a_sure_one_and_not_far_from_it() -> None:
    rows = found(range(6, 11)) + found(range(11, 60), score=0.3)
    ((first, last),) = spans(hidden(sightings(rows)))
    assert first == 6
    assert 40 <= last <= 50  # 1.5 seconds


def test_weak_finds_that_agree_in_a_row_are_a_face() -> None:
    assert spans(hidden(sightings(found(range(10, 14), score=0.45)))) == [(10, 13)]
    assert hidden(sightings(found(range(10, 13), score=0.45))) == ()
    assert hidden(sightings(found(range(10, 24), score=0.35))) == ()


def test_what_a_tracker_alone_says_is_cut_off_the_ends() -> None:
    rows = found([20, 21, 22]) + found([*range(5, 20), *range(23, 40)], origin=Origin.FOLLOWED)
    times = [33 * index for index in range(60)]
    assert spans(hidden(sightings(rows, times=times))) == [(18, 24)]  # but for 0.08 seconds


def test_what_was_held_is_not_hidden_for_it_was_a_guess() -> None:
    rows = found([20, 21]) + found(range(22, 30), origin=Origin.HELD)
    assert spans(hidden(sightings(rows))) == [(20, 21)]


def test_a_gap_is_filled_by_boxes_that_grow_with_what_is_not_known() -> None:
    rows = found([10], speed=2.0) + found([17], speed=2.0)
    (track,) = hidden(sightings(rows))
    assert spans([track]) == [(10, 17)]
    assert np.flatnonzero(track.has(Origin.BETWEEN)).tolist() == list(range(1, 7))
    widths = (track.boxes[:, 2] - track.boxes[:, 0]).tolist()
    assert widths[3] > widths[1] > BOX.width
    for row in range(8):
        assert track.box(row).covers(BOX.moved(2.0 * (10 + row), 0))


@pytest.mark.parametrize("seconds", [0.0, 0.2, 1.0, 60.0])
def test_a_margin_covers_the_frames_around_and_stops_at_the_ends_of_the_video(
    seconds: float,
) -> None:
    (track,) = hidden(sightings(found(range(10, 50))), seconds)
    frames = round(seconds * 25)
    assert spans([track]) == [(max(0, 10 - frames), min(59, 49 + frames))]
    in_margin = track.frames[track.has(Origin.MARGIN)]
    assert set(in_margin.tolist()) == set(track.frames.tolist()) - set(range(10, 50))
    for row in range(len(track)):
        assert track.box(row).covers(BOX)


def test_a_margin_stops_at_a_cut() -> None:
    seen = sightings(found(range(20, 30)), cuts=(18, 31))
    assert spans(hidden(seen, 1.0)) == [(18, 30)]


def test_a_margin_is_measured_in_time() -> None:
    times = [0, 1000, 1100, 1200, 1250, 1400, 9000]
    assert spans(hidden(sightings(found([3]), times=times), 0.2)) == [(1, 5)]


@pytest.mark.parametrize("start", [0, 3, 10, 123456789])
def test_no_frame_of_a_margin_is_lost_to_rounding(start: int) -> None:
    times = [40 * (start + index) for index in range(60)]
    for frame in range(10, 50):
        seen = sightings(found([frame]), times=times)
        assert spans(hidden(seen, 0.2)) == [(frame - 5, frame + 5)]


@pytest.mark.parametrize("speed", [0.0, 1.5, -1.5])
def test_a_face_that_is_lost_and_found_keeps_one_number(speed: float) -> None:
    rows = found(range(10), speed=speed) + found(range(30, 40), 1, speed=speed)
    (track,) = hidden(sightings(rows))
    assert (track.track_id, track.first, track.last) == (0, 0, 39)
    assert track.has(Origin.BETWEEN).sum() == 20


def test_pieces_of_one_face_become_one_track_whatever_their_number() -> None:
    rows = [row for i in range(5) for row in found(range(12 * i, 12 * i + 4), 9 - i)]
    (track,) = hidden(sightings(rows))
    assert (track.track_id, track.first, track.last) == (0, 0, 51)


@pytest.mark.parametrize(
    "changes",
    [
        {"look": BLUE},
        {"box": BOX.moved(300, 0)},
        {"box": BOX.padded(0.5)},
        {"box": BOX.moved(0, -95)},
    ],
)
def test_faces_of_other_looks_size_or_place_are_not_joined(changes: dict[str, Any]) -> None:
    rows = found(range(10)) + found(range(20, 30), 1, **changes)
    assert spans(hidden(sightings(rows))) == [(0, 9), (20, 29)]


def test_faces_at_the_same_time_are_not_joined() -> None:
    rows = found(range(20)) + found(range(10, 30), 1, box=BOX.moved(45, 0))
    assert spans(hidden(sightings(rows))) == [(0, 19), (10, 29)]


def test_faces_on_both_sides_of_a_cut_are_not_joined() -> None:
    rows = found(range(10)) + found(range(12, 20), 1)
    assert spans(hidden(sightings(rows))) == [(0, 19)]
    assert spans(hidden(sightings(rows, cuts=(11,)))) == [(0, 9), (12, 19)]


@pytest.mark.parametrize(("gap", "count"), [(60, 1), (90, 2)])
def test_a_face_that_is_away_for_long_is_another(gap: int, count: int) -> None:
    rows = found(range(10)) + found(range(10 + gap, 20 + gap), 1)
    assert len(hidden(sightings(rows, 130))) == count


def test_each_of_two_faces_goes_on_as_itself() -> None:
    other = BOX.moved(70, 0)
    rows = found(range(10)) + found(range(10), 1, box=other)
    rows += found(range(20, 30), 2, box=other) + found(range(20, 30), 3)
    one, two = hidden(sightings(rows))
    assert spans([one, two]) == [(0, 29), (0, 29)]
    for track in (one, two):
        assert np.ptp(track.boxes[:, 0] + track.boxes[:, 2]) < 1


def test_what_following_found_to_be_one_face_is_joined_however_it_looks() -> None:
    rows = found(range(10)) + found(range(20, 30), 1, look=BLUE, box=BOX.moved(150, 0))
    assert spans(hidden(sightings(rows, links=((0, 1),)))) == [(0, 29)]


def test_links_to_tracks_that_are_gone_or_that_came_before_are_passed_over() -> None:
    weak = found(range(12, 15), 1, score=0.1, box=BOX.moved(300, 0))
    far = found(range(20, 30), 2, box=BOX.moved(300, 0))
    links = ((0, 1), (1, 2), (2, 0), (5, 6))
    assert spans(hidden(sightings([*found(range(10)), *weak, *far], links=links))) == [
        (0, 9),
        (20, 29),
    ]


def test_a_box_that_jitters_is_steadied() -> None:
    shakes = np.random.default_rng(1).normal(0, 3, 50)
    rows = [row for i, dx in enumerate(shakes) for row in found([i], box=BOX.moved(dx, 0))]
    (track,) = hidden(sightings(rows))
    centers = (track.boxes[:, 0] + track.boxes[:, 2]) / 2
    assert np.abs(np.diff(centers)).mean() < 0.6 * np.abs(np.diff(shakes)).mean()
    assert (track.boxes[:, 2] - track.boxes[:, 0]).max() < 2 * BOX.width


@pytest.mark.parametrize("frame", [0, 1, 20, 39])
def test_a_sure_find_that_jumps_is_covered_all_the_same(frame: int) -> None:
    jump = BOX.padded(1.0).moved(15, -10)
    rows = found([i for i in range(40) if i != frame]) + found([frame], box=jump)
    (track,) = hidden(sightings(rows))
    assert track.box(frame).covers(jump)
    assert all(track.box(row).covers(BOX) for row in range(40) if row != frame)


def test_a_tracker_that_jumps_does_not_drag_the_box_along() -> None:
    jump = found([20], box=BOX.padded(1.0), origin=Origin.FOLLOWED)
    rows = found([i for i in range(40) if i != 20]) + jump
    (track,) = hidden(sightings(rows))
    np.testing.assert_allclose(track.boxes, [BOX.as_tuple()] * 40, atol=1e-3)
