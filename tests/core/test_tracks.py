"""Faces become tracks, and tracks become faces again."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from itertools import pairwise
from typing import TYPE_CHECKING

import hypothesis.strategies as st
import numpy as np
import pytest
from hypothesis import given, settings

from tests.track_samples import any_tracks, assert_same, two_tracks
from tracker_blur.core.box import Box
from tracker_blur.core.timeline import Timeline
from tracker_blur.core.tracks import ORIGINS, Face, Origin, Track, Tracks, joined
from tracker_blur.core.tracks_builder import TracksBuilder

if TYPE_CHECKING:
    import random
    from collections.abc import Sequence

BOX = Box(10, 20, 30, 50)


def face(
    track_id: int = 0, box: Box = BOX, score: float = 0.5, origin: Origin = Origin.DETECTED
) -> Face:
    return Face(track_id, box, score, origin)


def built(*rows: tuple[int, Face]) -> tuple[Track, ...]:
    builder = TracksBuilder()
    for frame, each in rows:
        builder.add(frame, each)
    return builder.tracks()


def video(tracks: Sequence[Track], frame_count: int = 10) -> Tracks:
    times = np.arange(frame_count, dtype=np.int64)
    return Tracks((640, 360), Fraction(1, 25), times, (), tuple(tracks))


def test_nothing_added_gives_no_track() -> None:
    assert TracksBuilder().tracks() == ()


def test_of_two_boxes_in_a_frame_both_are_covered() -> None:
    (track,) = built(
        (4, face(box=Box(10, 20, 30, 50), score=0.3, origin=Origin.HELD)),
        (4, face(box=Box(5, 25, 28, 60), score=0.7, origin=Origin.TRACKED)),
        (4, face(box=Box(12, 22, 29, 40), score=0.6, origin=Origin.DETECTED)),
    )
    assert track.frames.tolist() == [4]
    assert track.box(0) == Box(5, 20, 30, 60)
    assert track.scores.tolist() == pytest.approx([0.7])
    assert track.has(Origin.DETECTED).all()  # the most reliable of the three


def test_tracks_come_in_the_order_of_their_numbers_and_rows_in_that_of_frames() -> None:
    rows = [(5, face(7)), (2, face(7)), (9, face(7)), (3, face(1)), (0, face(4))]
    tracks = built(*rows)
    assert [track.track_id for track in tracks] == [1, 4, 7]
    assert tracks[2].frames.tolist() == [2, 5, 9]
    assert (tracks[2].first, tracks[2].last, len(tracks[2])) == (2, 9, 3)


def test_a_builder_continues_after_it_returned_tracks() -> None:
    builder = TracksBuilder()
    builder.add(3, face())
    (before,) = builder.tracks()
    builder.add(1, face())
    (after,) = builder.tracks()
    assert before.frames.tolist() == [3]
    assert after.frames.tolist() == [1, 3]


@settings(max_examples=50)
@given(any_tracks(), st.randoms(use_true_random=False))
def test_the_order_in_which_faces_are_added_does_not_matter(
    tracks: Tracks, shuffler: random.Random
) -> None:
    faces = [
        (int(frame), Face(t.track_id, t.box(row), float(t.scores[row]), ORIGINS[t.origins[row]]))
        for t in tracks.tracks
        for row, frame in enumerate(t.frames)
    ]
    shuffler.shuffle(faces)
    again = replace(tracks, tracks=built(*faces))
    assert_same(again, tracks, carried=("origins", "scores"), px=0)


@settings(max_examples=50)
@given(any_tracks())
def test_a_timeline_gives_each_hidden_box_in_its_frame_and_no_others(tracks: Tracks) -> None:
    timeline = Timeline(tracks)
    given_faces = [
        (frame, each.track_id, each.box, each.origin, each.method)
        for frame in range(tracks.frame_count)
        for each in timeline.faces(frame)
    ]
    expected = [
        (int(frame), t.track_id, t.box(row), ORIGINS[t.origins[row]], t.method)
        for t in tracks.tracks
        if t.hide
        for row, frame in enumerate(t.frames)
    ]
    assert given_faces == sorted(expected, key=lambda row: (row[0], row[1]))


def test_a_timeline_leaves_out_the_tracks_that_are_meant_to_be_seen() -> None:
    tracks = two_tracks()
    shown = replace(tracks, tracks=(replace(tracks.tracks[0], hide=False), tracks.tracks[1]))
    assert [each.track_id for each in Timeline(tracks).faces(12)] == [3, 7]
    assert [each.track_id for each in Timeline(shown).faces(12)] == [7]
    assert Timeline(shown).faces(13) == ()


def test_a_timeline_without_tracks_is_empty_in_every_frame() -> None:
    timeline = Timeline(video(()))
    assert [timeline.faces(frame) for frame in range(10)] == [()] * 10


def test_a_face_carries_its_method_and_its_score() -> None:
    (track,) = built((2, face(score=0.25)))
    (only,) = Timeline(video([replace(track, method="solid")])).faces(2)
    assert (only.method, only.score, only.box) == ("solid", 0.25, BOX)


def test_a_track_without_rows_is_none() -> None:
    (track,) = built((1, face()), (2, face(origin=Origin.TRACKED)), (3, face()))
    found = track.rows(track.has(Origin.DETECTED))
    assert found is not None
    assert found.frames.tolist() == [1, 3]
    assert len(found.boxes) == len(found.scores) == len(found.origins) == 2
    assert track.rows(track.has(Origin.HELD)) is None


def test_the_times_of_frames_are_seconds() -> None:
    assert two_tracks().seconds[:3].tolist() == pytest.approx([0.0, 0.04, 0.08])
    assert two_tracks().frame_count == 50


def test_a_builder_returns_a_window_and_forgets_what_comes_before() -> None:
    builder = TracksBuilder()
    for frame in (7, 2, 5):
        builder.add(frame, face(0, score=frame / 10))
    builder.add(3, face(1))
    builder.add(4, face(1, BOX.moved(2, 0)))
    whole, other = builder.between(3, 6)
    assert (whole.frames.tolist(), other.frames.tolist()) == ([2], [0, 1])
    assert builder.between(8, 9) == ()
    builder.forget(4)
    assert [track.frames.tolist() for track in builder.tracks()] == [[5, 7], [4]]
    assert builder.tracks()[0].scores.tolist() == pytest.approx([0.5, 0.7])
    assert builder.tracks()[1].box(0) == BOX.moved(2, 0)
    builder.forget(5)
    assert builder.track_ids == {0}


def test_pieces_of_a_video_are_joined() -> None:
    first = replace(video(built((1, face(0)), (2, face(0)), (2, face(1))), 3), cuts=(2,))
    second = video(built((0, face(0, score=0.9)), (1, face(2))), 2)
    second = replace(second, times=second.times + 3, cuts=(0,))
    whole = joined([first, second])
    assert whole.times.tolist() == [0, 1, 2, 3, 4]
    assert whole.cuts == (2, 3)
    assert [(track.track_id, track.frames.tolist()) for track in whole.tracks] == [
        (0, [1, 2, 3]),
        (1, [2]),
        (2, [4]),
    ]
    assert whole.tracks[0].scores.tolist() == pytest.approx([0.5, 0.5, 0.9])


@given(any_tracks(), st.data())
def test_a_video_is_the_same_after_it_was_cut_into_pieces(
    tracks: Tracks, data: st.DataObject
) -> None:
    count = tracks.frame_count
    edges = sorted({0, count, *data.draw(st.lists(st.integers(0, count), max_size=4))})
    pieces = []
    for start, stop in pairwise(edges):
        parts = [
            track.rows((track.frames >= start) & (track.frames < stop)) for track in tracks.tracks
        ]
        pieces.append(
            replace(
                tracks,
                times=tracks.times[start:stop],
                cuts=tuple(cut - start for cut in tracks.cuts if start <= cut < stop),
                tracks=tuple(
                    replace(part, frames=part.frames - np.int32(start)) for part in parts if part
                ),
            )
        )
    assert_same(joined(pieces or [tracks]), tracks)
