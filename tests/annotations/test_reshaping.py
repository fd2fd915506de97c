"""One track's boxes and ends, as a person places them."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pytest

from tests.track_samples import two_tracks
from tracker_blur.annotations import reshaping
from tracker_blur.annotations.edits import compare, find
from tracker_blur.core.box import Box
from tracker_blur.core.tracks import ORIGINS, Face, Origin
from tracker_blur.core.tracks_builder import TracksBuilder
from tracker_blur.errors import SettingsError

if TYPE_CHECKING:
    from tracker_blur.core.tracks import Track, Tracks


def origins(track: Track) -> dict[int, Origin]:
    numbers = zip(track.frames.tolist(), track.origins.tolist(), strict=True)
    return {frame: ORIGINS[origin] for frame, origin in numbers}


def boxes(track: Track) -> dict[int, Box]:
    return {frame: track.box(row) for row, frame in enumerate(track.frames.tolist())}


def with_gap() -> Tracks:
    """Return a track in frames 0 to 4 and 10 to 14, without a cut."""
    builder = TracksBuilder()
    for frame in (*range(5), *range(10, 15)):
        builder.add(frame, Face(1, Box(frame, 0, frame + 10, 10), 0.9, Origin.DETECTED))
    return replace(two_tracks(), cuts=(), tracks=builder.tracks())


def test_a_track_is_split_at_a_frame() -> None:
    tracks = reshaping.split(two_tracks(), 3, 20, 8)
    one, other = find(tracks, 3), find(tracks, 8)
    assert (one.first, one.last, other.first, other.last) == (10, 19, 20, 29)
    assert [track.track_id for track in tracks.tracks] == [3, 7, 8]


@pytest.mark.parametrize("frame", [10, 30, 5])
def test_a_track_is_split_between_two_of_its_frames_only(frame: int) -> None:
    with pytest.raises(SettingsError, match="has frames from 10 to 29 only"):
        reshaping.split(two_tracks(), 3, frame, 8)


def test_a_number_that_is_taken_is_refused() -> None:
    with pytest.raises(SettingsError, match="there is a track 7 already"):
        reshaping.split(two_tracks(), 3, 20, 7)


def test_a_class_is_changed_and_nothing_else() -> None:
    tracks = reshaping.set_label(two_tracks(), [7], "plate")
    assert [track.label for track in tracks.tracks] == ["face", "plate"]
    assert find(tracks, 3) is find(tracks, 3)
    assert compare(two_tracks(), reshaping.set_label(tracks, [7], "face")).is_empty


def test_an_end_is_held_up_to_a_frame() -> None:
    track = find(reshaping.extend(two_tracks(), 3, 33), 3)
    assert (track.first, track.last) == (10, 33)
    assert {boxes(track)[frame] for frame in range(30, 34)} == {boxes(track)[29]}
    assert {origins(track)[frame] for frame in range(30, 34)} == {Origin.DRAWN}
    track = find(reshaping.extend(two_tracks(), 3, 8), 3)
    assert (track.first, boxes(track)[8]) == (8, boxes(track)[10])


def test_a_frame_within_a_track_changes_nothing() -> None:
    assert compare(two_tracks(), reshaping.extend(two_tracks(), 7, 25)).is_empty


def test_ends_are_cut_and_held() -> None:
    track = find(reshaping.set_ends(two_tracks(), 3, 5, 20), 3)
    assert track.frames.tolist() == list(range(5, 21))
    assert boxes(track)[5] == Box(110, 50, 150, 100)


@pytest.mark.parametrize(
    ("first", "last", "message"),
    [
        (20, 10, "frame 20 is after frame 10"),
        (0, 9, "track 3 has no frame from 0 to 9"),
        (0, 50, "there is no frame 50: the last frame is 49"),
        (-1, 20, "there is no frame -1"),
    ],
)
def test_ends_that_make_no_sense_are_refused(first: int, last: int, message: str) -> None:
    with pytest.raises(SettingsError, match=message):
        reshaping.set_ends(two_tracks(), 3, first, last)


def test_a_correction_fades_out_to_both_sides_and_uncovers_nothing_there() -> None:
    before = find(two_tracks(), 3)
    after = find(reshaping.reshape(two_tracks(), 3, 18, Box(130, 60, 180, 120)), 3)
    assert boxes(after)[18] == Box(130, 60, 180, 120)
    shift = (after.boxes - before.boxes)[:, 3]  # of the lower edge: 20 pixels in frame 18
    assert shift.argmax() == 8
    assert (np.diff(shift[:9]) >= 0).all()
    assert (np.diff(shift[8:]) <= 0).all()
    assert 0 < shift[7] < 20
    assert after.frames.tolist() == before.frames.tolist()
    others = [frame for frame in boxes(after) if frame != 18]
    assert all(boxes(after)[frame].covers(boxes(before)[frame]) for frame in others)
    assert {origins(after)[frame] for frame in others} == {Origin.DETECTED, Origin.TRACKED}
    assert origins(after)[18] is Origin.DRAWN


def test_a_correction_stops_at_another_and_at_a_cut() -> None:
    once = reshaping.reshape(two_tracks(), 3, 18, Box(130, 60, 180, 120))
    both = find(reshaping.reshape(once, 3, 21, Box(100, 40, 150, 90), [18]), 3)
    assert boxes(both)[18] == Box(130, 60, 180, 120)
    assert boxes(both)[17] == boxes(find(once, 3))[17]
    assert boxes(both)[24] != boxes(find(once, 3))[24]
    assert boxes(both)[25] == boxes(find(once, 3))[25]  # a cut: another scene


def test_a_box_in_a_gap_is_joined_to_both_sides() -> None:
    track = find(reshaping.reshape(with_gap(), 1, 7, Box(17, 0, 27, 10)), 1)
    assert track.frames.tolist() == list(range(15))
    found = origins(track)
    assert found[7] is Origin.DRAWN
    assert {found[frame] for frame in (5, 6, 8, 9)} == {Origin.BETWEEN}
    assert boxes(track)[6].left == pytest.approx(4 + 13 * 2 / 3)
    assert boxes(track)[9].left == pytest.approx(17 - 7 * 2 / 3)


def test_a_box_beyond_the_end_lengthens_the_track() -> None:
    track = find(reshaping.reshape(with_gap(), 1, 17, Box(17, 0, 27, 10)), 1)
    assert track.last == 17
    assert boxes(track)[16].left == pytest.approx(16)


def test_a_box_in_another_scene_is_not_joined() -> None:
    tracks = replace(with_gap(), cuts=(6,))
    track = find(reshaping.reshape(tracks, 1, 7, Box(17, 0, 27, 10)), 1)
    assert sorted(set(range(15)) - set(track.frames.tolist())) == [5, 6]


def test_a_box_without_an_area_is_refused() -> None:
    with pytest.raises(SettingsError, match="would have no area"):
        reshaping.reshape(two_tracks(), 3, 18, Box(10, 10, 10, 20))
