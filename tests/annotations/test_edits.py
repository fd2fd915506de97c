"""Each edit changes the tracks and frames that it names, and nothing else."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import hypothesis.strategies as st
import numpy as np
import pytest
from hypothesis import given, settings

from tests.track_samples import any_tracks, assert_same, two_tracks
from tracker_blur.annotations import edits as track_edits
from tracker_blur.core.box import Box
from tracker_blur.core.tracks import Origin, Track, Tracks
from tracker_blur.errors import SettingsError

if TYPE_CHECKING:
    from collections.abc import Callable

few_examples = settings(max_examples=40)
ranges = st.builds(lambda start, count: range(start, start + count), *[st.integers(0, 40)] * 2)


def by_id(tracks: Tracks) -> dict[int, Track]:
    return {track.track_id: track for track in tracks.tracks}


def rows(track: Track | None) -> dict[int, tuple[float, ...]]:
    if track is None:
        return {}
    return dict(zip(track.frames.tolist(), map(tuple, track.boxes.tolist()), strict=True))


@few_examples
@given(any_tracks(), st.data())
def test_every_edit_leaves_other_tracks_and_its_input_unchanged(
    tracks: Tracks, data: st.DataObject
) -> None:
    if not tracks.tracks:
        return
    chosen = data.draw(st.sampled_from(tracks.tracks)).track_id
    frames = data.draw(ranges)
    copy = replace(
        tracks,
        tracks=tuple(
            replace(track, boxes=track.boxes.copy(), origins=track.origins.copy())
            for track in tracks.tracks
        ),
    )
    edits: tuple[Callable[[], Tracks], ...] = (
        lambda: track_edits.set_hidden(tracks, [chosen], False),
        lambda: track_edits.set_method(tracks, [chosen], "fog"),
        lambda: track_edits.drop(tracks, [chosen]),
        lambda: track_edits.drop_frames(tracks, [chosen], frames),
        lambda: track_edits.move(tracks, [chosen], frames, 3, -4),
        lambda: track_edits.pad(tracks, [chosen], frames, 0.5),
    )
    for edit in edits:
        changed = by_id(edit())
        assert_same(tracks, copy, px=0)
        for track in tracks.tracks:
            if track.track_id != chosen:
                assert changed[track.track_id] is track


@few_examples
@given(any_tracks(), ranges)
def test_frames_are_dropped_inside_a_range_only(tracks: Tracks, frames: range) -> None:
    for track_id, track in by_id(tracks).items():
        left = by_id(track_edits.drop_frames(tracks, [track_id], frames)).get(track_id)
        expected = {frame: box for frame, box in rows(track).items() if frame not in frames}
        assert rows(left) == expected
        assert (left is None) == (not expected)


@few_examples
@given(any_tracks())
def test_a_merged_track_covers_all_its_parts(tracks: Tracks) -> None:
    ids = [track.track_id for track in tracks.tracks][::-1]
    if not ids:
        return
    (merged,) = track_edits.merge(tracks, ids).tracks
    assert merged.track_id == ids[0]
    assert merged.hide == any(track.hide for track in tracks.tracks)
    boxes = rows(merged)
    assert boxes.keys() == {frame for track in tracks.tracks for frame in rows(track)}
    for track in tracks.tracks:
        for frame, box in rows(track).items():
            assert Box(*boxes[frame]).covers(Box(*box))


def test_hide_only_shows_the_others() -> None:
    found = by_id(track_edits.hide_only(two_tracks(), [7]))
    assert (found[3].hide, found[7].hide) == (False, True)


def test_a_method_is_set_and_reset() -> None:
    solid = track_edits.set_method(two_tracks(), [3], "solid")
    assert by_id(solid)[3].method == "solid"
    assert by_id(track_edits.set_method(solid, [3], None))[3].method is None


def test_boxes_of_a_range_are_moved_and_marked_as_drawn() -> None:
    before, after = (
        by_id(tracks)[3]
        for tracks in (
            two_tracks(),
            track_edits.move(two_tracks(), [3], range(15, 20), 5, -2.5),
        )
    )
    shift = after.boxes - before.boxes
    assert shift[5:10].tolist() == [[5, -2.5, 5, -2.5]] * 5
    assert not shift[:5].any()
    assert not shift[10:].any()
    assert after.frames[after.has(Origin.DRAWN)].tolist() == [15, 16, 17, 18, 19]


def test_boxes_are_padded_by_a_share_of_their_size() -> None:
    grown = by_id(track_edits.pad(two_tracks(), [3], range(10, 11), 0.5))[3]
    assert grown.box(0).as_tuple() == (90, 25, 170, 125)
    assert grown.box(1).as_tuple() == (111, 50, 151, 100)


def test_boxes_are_interpolated_in_time_between_keyframes() -> None:
    times = two_tracks().times.copy()
    times[21:] += 2 * 3600  # frame 21 comes three frame durations after frame 20
    tracks = replace(two_tracks(), times=times)
    keyframes = {20: Box(0, 0, 10, 10), 22: Box(8, 4, 18, 18)}
    drawn = by_id(track_edits.draw(tracks, 1, keyframes))[1]
    assert rows(drawn) == {20: (0, 0, 10, 10), 21: (6, 3, 16, 16), 22: (8, 4, 18, 18)}
    assert drawn.has(Origin.DRAWN).all()
    assert drawn.hide


def test_drawing_over_a_track_hides_both_boxes() -> None:
    tracks = track_edits.set_method(two_tracks(), [3], "fog")
    drawn = by_id(track_edits.draw(tracks, 3, {29: Box(0, 60, 10, 70), 31: Box(0, 60, 10, 70)}))[3]
    assert drawn.method == "fog"
    assert drawn.last == 31
    assert rows(drawn)[29] == (0, 50, 169, 100)
    assert rows(drawn)[28] == (128, 50, 168, 100)


def test_new_tracks_are_sorted_by_number() -> None:
    drawn = track_edits.draw(two_tracks(), 5, {0: Box(0, 0, 1, 1)})
    assert [track.track_id for track in drawn.tracks] == [3, 5, 7]


def test_merging_keeps_the_first_properties_and_hides() -> None:
    tracks = track_edits.set_hidden(two_tracks(), [7], False)
    tracks = track_edits.set_method(tracks, [3], "solid")
    (merged,) = track_edits.merge(tracks, [7, 3, 7]).tracks
    assert (merged.track_id, merged.hide, merged.method) == (7, True, "solid")
    assert len(merged) == 35


@pytest.mark.parametrize(
    ("edit", "message"),
    [
        (
            lambda t: track_edits.set_hidden(t, [4], True),
            "there is no track 4: there are 3, 7",
        ),
        (lambda t: track_edits.merge(t, [3, 4]), "there is no track 4"),
        (lambda t: track_edits.drop(track_edits.drop(t, [3, 7]), [3]), "there are none"),
        (lambda t: track_edits.pad(t, [3], range(50), -0.5), "leaves nothing"),
        (lambda t: track_edits.move(t, [3], range(50), 2e5, 0), "far outside of the frame"),
        (lambda t: track_edits.draw(t, 3, {50: Box(0, 0, 1, 1)}), "there is no frame 50"),
        (
            lambda t: track_edits.draw(t, 9, {5: Box(-90, 0, -10, 80), 9: Box(-80, 0, 0, 80)}),
            "track 9: what is drawn lies outside of the frame, which has ",
        ),
        (lambda t: track_edits.draw(t, 3, {5: Box(1, 0, 1, 1)}), "would have no area"),
        (lambda t: track_edits.draw(t, 3, {5: Box(1, 0, np.nan, 1)}), "would have no area"),
        (lambda t: track_edits.draw(t, 3, {}), "at least one box"),
        (
            lambda t: track_edits.draw(
                track_edits.set_hidden(t, [3], False), 3, {5: Box(0, 0, 1, 1)}
            ),
            "track 3 is left visible, so a box in it would hide nothing",
        ),
    ],
)
def test_invalid_edits_are_rejected(edit: Callable[[Tracks], Tracks], message: str) -> None:
    with pytest.raises(SettingsError, match=message):
        edit(two_tracks())
