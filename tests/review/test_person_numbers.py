"""Numbers of people: nothing that is edited changes them."""

from __future__ import annotations

from tests.track_samples import two_tracks
from tracker_blur.core.tracks import Tracks
from tracker_blur.review.person_numbers import PersonNumbers


def test_people_are_numbered_as_the_track_file_has_them_and_new_ones_come_after() -> None:
    numbers = PersonNumbers(two_tracks())  # tracks 3 and 7
    assert [numbers.of(person) for person in (3, 7, 8, 9)] == [1, 2, 3, 4]


def test_without_tracks_the_first_box_that_is_drawn_is_the_first_person() -> None:
    tracks = two_tracks()
    empty = Tracks(tracks.size, tracks.time_base, tracks.times)
    assert PersonNumbers(empty).of(0) == 1
