"""Handing over: numbers of tracks are translated, and equal states are found."""

from __future__ import annotations

import hypothesis.strategies as st
from hypothesis import given

from tracker_blur.core.box import Box
from tracker_blur.core.tracks import Face, Origin
from tracker_blur.tracking.evidence import ClassifiedCrop
from tracker_blur.tracking.first_pass import Seen, SeenFace
from tracker_blur.tracking.handover import UNCHANGED, Numbers
from tracker_blur.tracking.scene_cuts import Change


@st.composite
def numbers(draw: st.DrawFn, own_next: int, other_next: int) -> Numbers:
    """Return the numbers that the tracks of one have that began `other_next` of them."""
    known = draw(st.sets(st.integers(0, other_next - 1), max_size=min(own_next, other_next)))
    own = draw(st.permutations(range(own_next)))[: len(known)]
    return Numbers(dict(zip(sorted(known), own, strict=True)), own_next - other_next)


@given(numbers(9, 5), numbers(7, 12))
def test_numbers_of_numbers_are_those_of_both(first: Numbers, second: Numbers) -> None:
    # The second one hands over when it has begun two tracks more than when it took over, at 5.
    both = first.after(second)
    for third in (*second.known, *range(12, 40)):
        assert both.of(third) == first.of(second.of(third))


@given(numbers(9, 5))
def test_no_two_tracks_get_one_number(some: Numbers) -> None:
    given_numbers = [some.of(track_id) for track_id in (*some.known, *range(5, 30))]
    assert len(set(given_numbers)) == len(given_numbers)
    assert sorted(given_numbers)[-25:] == list(range(9, 34))


def test_all_that_was_seen_is_renumbered() -> None:
    face = Face(2, Box(0, 0, 9, 9), 0.5, Origin.DETECTED)
    seen = Seen(
        40,
        Change.NONE,
        True,
        (SeenFace(0, face, b"colors"), SeenFace(3, face.numbered(6), None)),
        (ClassifiedCrop(2, 1.5, 30.0), ClassifiedCrop(7, -1.0, 9.0)),
        ((2, 6),),
    )
    renumbered = Numbers({2: 11}, 20).renumbered(seen)
    assert [one.face.track_id for one in renumbered.faces] == [11, 26]
    assert renumbered.faces[0].face == face.numbered(11)
    assert renumbered.evidence == ((11, 1.5, 30.0), (27, -1.0, 9.0))
    assert renumbered.links == ((11, 26),)
    assert renumbered[:3] == seen[:3]
    assert UNCHANGED.renumbered(seen) is seen
