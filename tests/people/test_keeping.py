"""Who stays visible: only those who are a known person beyond doubt, in every second."""

from __future__ import annotations

from typing import TYPE_CHECKING

import hypothesis.strategies as st
import numpy as np
import pytest
from hypothesis import given, settings

from tests.people.drawn_people import THRESHOLDS, face_of, faces_in, known, track, video
from tracker_blur.core.timeline import Timeline
from tracker_blur.people.keeping import Hider, Keeper
from tracker_blur.people.parameters import PeopleParameters

if TYPE_CHECKING:
    from collections.abc import Callable

    from tracker_blur.core.tracks import Tracks
    from tracker_blur.people.parts import Choice
    from tracker_blur.people.samples import TrackFaces

PARAMETERS = PeopleParameters()
ANNA, BEN, STRANGER = 1, 2, 3
SURE = face_of(ANNA, 0.9)


def keep(tracks: Tracks, faces: dict[int, TrackFaces]) -> Choice:
    people = [known("anna", face_of(ANNA)), known("ben", face_of(BEN))]
    return Keeper(people, THRESHOLDS, PARAMETERS).choose(tracks, faces)


def hide(tracks: Tracks, faces: dict[int, TrackFaces]) -> Choice:
    people = [known("anna", face_of(ANNA)), known("ben", face_of(BEN))]
    return Hider(people, THRESHOLDS, PARAMETERS).choose(tracks, faces)


def hidden_frames(choice: Choice, count: int = 250) -> list[int]:
    timeline = Timeline(choice.tracks)
    return [frame for frame in range(count) if timeline.faces(frame)]


def test_a_known_person_stays_visible_and_is_named() -> None:
    tracks = video(track(4, range(100)))
    choice = keep(tracks, {4: faces_in(range(0, 100, 6), SURE)})
    assert hidden_frames(choice) == []
    (kept,) = choice.kept
    assert (kept.person, kept.track_id, kept.first, kept.last) == ("anna", 4, 0, 99)
    assert kept.span == "0:00:00.000 to 0:00:03.960"
    assert kept.likeness == pytest.approx(0.9)
    assert choice.doubts == ()


def test_a_stranger_is_hidden_without_a_word() -> None:
    choice = keep(video(track(4, range(100))), {4: faces_in(range(0, 100, 6), face_of(STRANGER))})
    assert hidden_frames(choice) == list(range(100))
    assert (choice.kept, choice.doubts) == ((), ())


@pytest.mark.parametrize(
    ("faces", "reason"),
    [
        (faces_in(range(0, 100, 6), face_of(ANNA, 0.58)), "not sure"),
        (faces_in([10, 20], SURE), "few faces"),
        (faces_in(range(0, 100, 5), *[SURE] * 15, face_of(ANNA, 0.5)), "another face"),
    ],
)
def test_what_is_in_doubt_is_hidden_and_reported(faces: TrackFaces, reason: str) -> None:
    choice = keep(video(track(4, range(50 if reason == "few faces" else 100))), {4: faces})
    assert len(hidden_frames(choice)) in (50, 100)
    assert choice.kept == ()
    assert reason in [doubt.reason for doubt in choice.doubts]
    assert {doubt.person for doubt in choice.doubts} == {"anna"}


def test_a_second_without_a_good_face_is_hidden() -> None:
    tracks = video(track(4, range(125)))
    choice = keep(tracks, {4: faces_in([*range(0, 50, 5), *range(75, 125, 5)], SURE)})
    assert hidden_frames(choice) == list(range(50, 75))
    assert [(doubt.reason, doubt.first, doubt.last) for doubt in choice.doubts] == [
        ("no vote", 50, 74)
    ]
    assert [(kept.first, kept.last) for kept in choice.kept] == [(0, 49), (75, 124)]


@pytest.mark.parametrize("choose", [keep, hide])
def test_a_track_that_continues_after_its_last_good_face_is_hidden(
    choose: Callable[[Tracks, dict[int, TrackFaces]], Choice],
) -> None:
    # Someone else, in profile, takes the place before and after, for less than a second each.
    one = SURE if choose is keep else face_of(STRANGER)
    choice = choose(video(track(4, range(100))), {4: faces_in(range(20, 85, 5), one)})
    assert [(kept.first, kept.last) for kept in choice.kept] == [(13, 87)]
    assert hidden_frames(choice) == [*range(13), *range(88, 100)]
    assert choice.doubts == ()


def test_more_than_a_second_between_good_faces_is_hidden_although_both_windows_have_some() -> None:
    choice = keep(
        video(track(4, range(100))),
        {4: faces_in([*range(0, 30, 5), *range(70, 100, 5)], SURE)},  # frames 26 to 69 have none
    )
    assert [(kept.first, kept.last) for kept in choice.kept] == [(0, 25), (70, 99)]
    assert [(doubt.reason, doubt.first, doubt.last) for doubt in choice.doubts] == [
        ("no vote", 26, 69)
    ]


def test_where_the_face_changes_the_track_is_split() -> None:
    faces = faces_in(range(0, 100, 5), *[SURE] * 10, face_of(STRANGER))
    choice = keep(video(track(4, range(100))), {4: faces})
    assert [(kept.first, kept.last) for kept in choice.kept] == [(0, 45)]
    assert hidden_frames(choice) == list(range(46, 100))


def test_where_two_cross_each_stretch_is_judged_by_itself() -> None:
    other = track(5, range(48, 53), x=80)
    tracks = video(track(4, range(100)), other)
    times = [*range(0, 40, 5), 50, *range(60, 100, 5)]
    choice = keep(tracks, {4: faces_in(times, SURE), 5: faces_in([50], face_of(STRANGER))})
    # Frames 48 to 52, and a fifth of a second before and after.
    assert [(kept.first, kept.last) for kept in choice.kept] == [(0, 42), (58, 99)]
    assert hidden_frames(choice) == list(range(43, 58))


def test_a_cut_and_a_gap_end_a_stretch() -> None:
    faces = {4: faces_in([*range(0, 50, 5), 60, 65], SURE)}
    choice = keep(video(track(4, range(70)), cuts=[50]), faces)
    assert [(kept.first, kept.last) for kept in choice.kept] == [(0, 49)]
    choice = keep(video(track(4, [*range(50), *range(64, 70)])), faces)
    assert [(kept.first, kept.last) for kept in choice.kept] == [(0, 49)]


def test_of_two_look_alikes_at_one_time_none_stays_visible() -> None:
    tracks = video(track(4, range(100)), track(5, range(100), x=300))
    times = range(0, 100, 6)
    faces = {4: faces_in(times, SURE), 5: faces_in(times, face_of(ANNA, 0.85))}
    choice = keep(tracks, faces)
    assert choice.kept == ()
    assert {doubt.reason for doubt in choice.doubts} == {"look-alike"}


def test_a_rival_who_is_a_look_alike_for_a_second_is_one() -> None:
    tracks = video(track(4, range(250)), track(5, range(250), x=300))
    times = range(0, 250, 6)
    # Turned away in all other seconds, so the mean over the track says little.
    turned = [face_of(ANNA, 0.3)] * 20
    rival = faces_in(times, *turned, *[face_of(ANNA, 0.85)] * 4, *turned)
    choice = keep(tracks, {4: faces_in(times, face_of(ANNA, 0.7)), 5: rival})
    assert choice.kept == ()
    assert "look-alike" in {doubt.reason for doubt in choice.doubts}


def test_a_second_in_which_a_rival_is_nearly_as_much_alike_is_in_doubt() -> None:
    tracks = video(track(4, range(250)), track(5, range(250), x=300))
    times = range(0, 250, 5)
    # The mean is ahead of all seconds of the rival, but one second is not ahead of that one.
    own = faces_in(times, *[SURE] * 20, *[face_of(ANNA, 0.56)] * 5, SURE)
    rival = faces_in(times, *[face_of(STRANGER)] * 20, *[face_of(ANNA, 0.5)] * 5, face_of(STRANGER))
    choice = keep(tracks, {4: own, 5: rival})
    assert choice.kept == ()
    assert {doubt.reason for doubt in choice.doubts if doubt.track_id == 4} == {"look-alike"}


def test_a_rival_that_became_someone_else_is_none_any_more() -> None:
    # Its track went over to the known person when her own had ended, behind a cut.
    tracks = video(track(4, range(100)), track(5, range(250), x=300), cuts=[120])
    rival = faces_in([*range(0, 100, 6), *range(130, 250, 6)], *[face_of(STRANGER)] * 17, SURE)
    choice = keep(tracks, {4: faces_in(range(0, 100, 6), SURE), 5: rival})
    assert [(kept.first, kept.last) for kept in choice.kept if kept.track_id == 4] == [(0, 99)]


def test_two_known_people_at_one_time_both_stay_visible() -> None:
    tracks = video(track(4, range(100)), track(5, range(100), x=300))
    times = range(0, 100, 6)
    choice = keep(tracks, {4: faces_in(times, SURE), 5: faces_in(times, face_of(BEN, 0.8))})
    assert [kept.person for kept in choice.kept] == ["anna", "ben"]


def test_drawn_boxes_plates_and_visible_tracks_stay_as_they_are() -> None:
    plate = track(5, range(100), x=300, label="plate")
    tracks = video(track(4, range(100)), plate)
    choice = keep(tracks, {4: faces_in(range(0, 100, 6), SURE)})
    assert {each.track_id: each.hide for each in choice.tracks.tracks} == {4: False, 5: True}


def test_who_is_to_be_hidden_is_hidden_and_others_stay_visible() -> None:
    tracks = video(track(4, range(100)), track(5, range(100), x=300))
    times = range(0, 100, 6)
    choice = hide(tracks, {4: faces_in(times, SURE), 5: faces_in(times, face_of(STRANGER))})
    assert {each.track_id: each.hide for each in choice.tracks.tracks} == {4: True, 5: False}
    assert [kept.person for kept in choice.kept] == [None]


@pytest.mark.parametrize(
    ("faces", "reason"),
    [
        (faces_in([]), "no vote"),
        (faces_in([20, 30], face_of(STRANGER)), "few faces"),
        (faces_in(range(0, 50, 5), *[face_of(STRANGER)] * 5, face_of(ANNA, 0.3)), "possible"),
    ],
)
def test_who_may_be_one_of_them_is_hidden_too(faces: TrackFaces, reason: str) -> None:
    choice = hide(video(track(4, range(50))), {4: faces})
    assert choice.kept == ()
    assert [doubt.reason for doubt in choice.doubts][:1] == [reason]


def test_all_tracks_of_a_person_who_is_hidden_are_hidden() -> None:
    # Seen from the side in the second track, the face is like that of the first, not the photo.
    side = face_of(7)
    mixed = (face_of(ANNA) + face_of(7)) / np.float32(np.sqrt(2))
    tracks = video(track(4, range(50)), track(5, range(100, 150)))
    faces = {4: faces_in(range(0, 50, 5), mixed), 5: faces_in(range(100, 150, 5), side)}
    choice = hide(tracks, faces)
    assert choice.kept == ()
    assert [doubt.reason for doubt in choice.doubts] == ["same person"]


@settings(max_examples=30)
@given(
    st.lists(st.tuples(st.integers(0, 99), st.floats(0, 0.99)), max_size=20),
    st.sampled_from(["keep", "hide"]),
)
def test_no_row_is_lost_or_doubled(votes: list[tuple[int, float]], rule: str) -> None:
    by_frame = dict(votes)
    rows = [face_of(ANNA, by_frame[frame]) for frame in sorted(by_frame)]
    tracks = video(track(4, range(0, 100, 2)), track(9, range(40, 60), x=80))
    faces = {4: faces_in(sorted(frame - frame % 2 for frame in by_frame), *rows)} if rows else {}
    choice = (keep if rule == "keep" else hide)(tracks, faces)
    seen = [
        (frame, tuple(box))
        for each in choice.tracks.tracks
        for frame, box in zip(each.frames.tolist(), each.boxes.tolist(), strict=True)
    ]
    before = [
        (frame, tuple(box))
        for each in tracks.tracks
        for frame, box in zip(each.frames.tolist(), each.boxes.tolist(), strict=True)
    ]
    assert sorted(seen) == sorted(before)
    assert len({each.track_id for each in choice.tracks.tracks}) == len(choice.tracks.tracks)
    visible = {each.track_id for each in choice.tracks.tracks if not each.hide}
    assert visible == {kept.track_id for kept in choice.kept}
