"""Groups of tracks: alike faces are one person, but never those who are seen together."""

from __future__ import annotations

import itertools
from dataclasses import replace
from typing import Any

import hypothesis.strategies as st
import numpy as np
import pytest
from hypothesis import given, settings

from tests.people.drawn_people import face_of, faces_in, track, video
from tracker_blur.core.tracks import ORIGINS, Origin
from tracker_blur.people.grouping import grouped, people_of, seen_together
from tracker_blur.people.parameters import PeopleParameters

PARAMETERS = PeopleParameters()


@st.composite
def any_items(draw: st.DrawFn) -> tuple[dict[int, np.ndarray], set[tuple[int, int]]]:
    """Return unit vectors of some items, and pairs of them that must stay apart."""
    items = draw(st.lists(st.integers(0, 99), unique=True, max_size=9))
    random = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    centers = random.normal(size=(3, 128))
    vectors = {}
    for item in items:
        count = draw(st.integers(1, 4))
        rows = centers[draw(st.integers(0, 2))] + random.normal(size=(count, 128)) * draw(
            st.sampled_from([0.1, 0.7, 1.5])
        )
        vectors[item] = rows / np.linalg.norm(rows, axis=1, keepdims=True)
    pairs = list(itertools.combinations(items, 2))
    apart = set(draw(st.lists(st.sampled_from(pairs), max_size=6))) if pairs else set()
    return vectors, apart


@settings(max_examples=25)
@given(any_items(), st.sampled_from([0.2, 0.5, 0.8]))
def test_each_item_is_in_one_group_and_none_with_what_it_must_stay_apart_from(
    case: tuple[dict[int, np.ndarray], set[tuple[int, int]]], threshold: float
) -> None:
    vectors, apart = case
    groups = [group for group, _ in grouped(vectors, apart, threshold)]
    assert sorted(itertools.chain(*groups)) == sorted(vectors)
    for group in groups:
        assert not {frozenset(pair) for pair in apart} & {
            frozenset(pair) for pair in itertools.combinations(group, 2)
        }


@settings(max_examples=25)
@given(any_items(), st.sampled_from([0.2, 0.5, 0.8]))
def test_no_two_groups_could_still_be_joined(
    case: tuple[dict[int, np.ndarray], set[tuple[int, int]]], threshold: float
) -> None:
    vectors, apart = case
    groups = [group for group, _ in grouped(vectors, apart, threshold)]
    for one, other in itertools.combinations(groups, 2):
        pairs = list(itertools.product(one, other))
        if any(pair in apart or pair[::-1] in apart for pair in pairs):
            continue
        means = [vectors[a].mean(axis=0) @ vectors[b].mean(axis=0) for a, b in pairs]
        assert np.mean(means) <= threshold + 1e-9


@settings(max_examples=25)
@given(any_items(), st.randoms())
def test_the_order_of_the_items_does_not_matter(
    case: tuple[dict[int, np.ndarray], set[tuple[int, int]]], random: Any
) -> None:
    vectors, apart = case
    shuffled = list(vectors)
    random.shuffle(shuffled)
    again = grouped({item: vectors[item] for item in shuffled}, apart, 0.5)
    assert again == grouped(vectors, apart, 0.5)


def test_a_group_says_how_alike_its_least_alike_parts_are() -> None:
    rows = {1: face_of(1)[None], 2: face_of(1, 0.9)[None], 3: face_of(2)[None]}
    groups = dict(grouped(rows, (), 0.5))
    assert groups[1, 2] == pytest.approx(0.9)
    assert groups[3,] is None


def test_average_linkage_does_not_chain() -> None:
    # 1 is like 2 and 2 like 3, but 1 is not like 3: a single link would make them one.
    angles = np.radians([0, 50, 100])
    rows = {n: np.array([[np.cos(a), np.sin(a)]]) for n, a in enumerate(angles)}
    assert sorted(group for group, _ in grouped(rows, (), 0.5)) == [(0, 1), (2,)]


def test_tracks_of_one_person_are_joined_over_a_gap() -> None:
    tracks = video(track(1, range(50)), track(2, range(100, 150)), track(3, range(50), x=300))
    faces = {
        1: faces_in(range(0, 50, 10), face_of(1)),
        2: faces_in(range(100, 150, 10), face_of(1, 0.9)),
        3: faces_in(range(0, 50, 10), face_of(2)),
    }
    people = people_of(tracks, faces, 0.5, PARAMETERS)
    assert [person.track_ids for person in people] == [(1, 2), (3,)]
    assert [person.number for person in people] == [0, 1]


def test_twins_who_are_seen_together_stay_two() -> None:
    tracks = video(track(1, range(50)), track(2, range(49, 90), x=300))
    faces = {n: faces_in(range(0, 50, 10), face_of(1)) for n in (1, 2)}
    assert len(people_of(tracks, faces, 0.5, PARAMETERS)) == 2


def test_without_good_faces_each_track_is_a_person() -> None:
    tracks = video(track(1, range(9)), track(2, range(20, 30)), track(5, range(9), label="plate"))
    people = people_of(tracks, {1: faces_in([])}, 0.5, PARAMETERS)
    assert [(person.track_ids, person.label) for person in people] == [
        ((1,), "face"),
        ((5,), "plate"),
        ((2,), "face"),
    ]


def test_two_boxes_in_one_place_may_be_one_face() -> None:
    one, other = track(1, range(50)), track(2, range(50), x=55)
    assert not seen_together([one, other], PARAMETERS)
    assert seen_together([one, track(2, range(50), x=200)], PARAMETERS) == {(1, 2)}


def test_a_head_around_a_face_may_be_the_same_person() -> None:
    face = track(1, range(50), x=200)
    margins = np.array([-90, -90, 90, 90], np.float32)
    head = replace(track(2, range(50), x=200), boxes=face.boxes + margins)
    assert not seen_together([face, head], PARAMETERS)
    # A small face that only lies within a large box is another one's.
    neighbor = replace(head, boxes=head.boxes + np.array([80, 0, 80, 0], np.float32))
    assert seen_together([face, neighbor], PARAMETERS) == {(1, 2)}


def test_two_faces_cheek_to_cheek_are_two_people() -> None:
    one = track(1, range(50))
    offset = np.array([27, 31, 27, 31], np.float32)  # each box holds the other one's center
    assert seen_together([one, replace(one, track_id=2, boxes=one.boxes + offset)], PARAMETERS)
    # A child's face that covers a part of a larger one and reaches beyond it.
    child = one.boxes[:, [0, 1, 0, 1]] + np.array([28, 33, 68, 75], np.float32)
    assert seen_together([one, replace(one, track_id=2, boxes=child)], PARAMETERS)


def test_only_detections_say_that_two_are_seen_together() -> None:
    held = track(2, range(50), x=300)
    held = replace(held, origins=np.full(50, ORIGINS.index(Origin.HELD), np.uint8))
    assert not seen_together([track(1, range(50)), held], PARAMETERS)
