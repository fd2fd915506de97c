"""What tracks with rules hide and leave visible: in doubt, a whole track is hidden."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from typing import TYPE_CHECKING, Any

import pytest

from tests.track_samples import two_tracks
from tracker_blur.core.box import Box
from tracker_blur.core.rules import Rules, Size
from tracker_blur.core.timeline import Timeline, split
from tracker_blur.core.zones import Zone

if TYPE_CHECKING:
    from tracker_blur.core.tracks import Tracks

# Track 3 moves from 110 to 169 in frames 10 to 29 (0.4 to 1.16 seconds), 40x50 pixels; track 7
# stands at 300.5 to 350, 60.25 to 120, in all even frames of 50.


def ruled(*zones: tuple[Any, str], **limits: Any) -> Tracks:
    parsed = tuple(Zone.parse(rule, text) for rule, text in zones)
    return replace(two_tracks(), rules=Rules(parsed, **limits))


def visible(tracks: Tracks) -> dict[int, tuple[str, int, int]]:
    """Return the reason, the first and the last frame of what stays visible, by track."""
    return {part.track_id: (why, part.first, part.last) for why, part in split(tracks)[1]}


def hidden_frames(tracks: Tracks, track_id: int) -> list[int]:
    timeline = Timeline(tracks)
    return [
        frame
        for frame in range(tracks.frame_count)
        if any(face.track_id == track_id for face in timeline.faces(frame))
    ]


def test_a_face_that_never_leaves_an_ignore_zone_stays_visible() -> None:
    assert visible(ruled(("ignore", "290,50,360,130"))) == {7: ("zone", 0, 48)}


def test_a_face_that_moves_through_an_ignore_zone_is_hidden_in_it_too() -> None:
    tracks = ruled(("ignore", "100,40,150,110"))
    assert visible(tracks) == {}
    assert hidden_frames(tracks, 3) == list(range(10, 30))


def test_a_zone_that_moves_with_a_face_leaves_it_visible() -> None:
    moving = "0.4s=108,48,152,102..1.16s=127,48,171,102"
    assert visible(ruled(("ignore", moving))) == {3: ("zone", 10, 29)}


def test_outside_of_the_time_of_a_zone_its_faces_are_hidden() -> None:
    tracks = ruled(("ignore", "0.4s..0.8s=290,50,360,130"))
    assert visible(tracks) == {7: ("zone", 10, 20)}
    assert hidden_frames(tracks, 7) == [*range(0, 10, 2), *range(22, 50, 2)]


def test_what_a_person_drew_is_hidden_whatever_the_rules_say() -> None:
    tracks = ruled(("ignore", "0,0,640,360"), min_size=Size(300))
    from tracker_blur.annotations import edits

    drawn = edits.draw(tracks, 9, {3: Box(10, 10, 20, 20)})
    assert hidden_frames(drawn, 9) == [3]
    assert set(visible(drawn)) == {3, 7}


@pytest.mark.parametrize(
    ("limits", "expected"),
    [
        ({"min_size": Size(51)}, {3}),
        ({"min_size": Size(50)}, set()),
        ({"max_size": Size(55)}, {7}),
        ({"min_size": Size(14.1, True)}, {3}),  # of 360 pixels
        ({"max_size": Size(45)}, {3, 7}),
    ],
)
def test_faces_beyond_the_sizes_stay_visible(limits: dict[str, Size], expected: set[int]) -> None:
    assert set(visible(ruled(**limits))) == expected


def test_a_face_that_is_large_enough_once_is_hidden_throughout() -> None:
    tracks = ruled(min_size=Size(70))
    boxes = tracks.tracks[0].boxes.copy()
    boxes[5] = 100, 50, 140, 121
    grown = replace(tracks, tracks=(replace(tracks.tracks[0], boxes=boxes), tracks.tracks[1]))
    assert set(visible(grown)) == {7}


def test_only_detections_in_the_chosen_time_are_hidden() -> None:
    tracks = ruled(start=Fraction("0.5"), end=Fraction("0.9"))
    assert hidden_frames(tracks, 3) == list(range(12, 23))  # frame 12 is on the screen until 0.52
    assert visible(tracks)[3] == ("time", 10, 29)


def test_zones_that_hide_are_faces_of_their_own_with_a_time_of_their_own() -> None:
    tracks = ruled(
        ("hide", "0.5s..0.9s=0,0,20,30"), ("hide", "40,0,60,0,40,20"), end=Fraction("0.1")
    )
    faces = {face.track_id: face for face in Timeline(tracks).faces(15)}
    assert set(faces) == {-1, -2}
    assert faces[-1].box == Box(0, 0, 20, 30)
    assert faces[-2].outline == ((40, 0), (60, 0), (40, 20))
    assert {face.label for face in faces.values()} == {"zone"}
    assert [len(Timeline(tracks).faces(frame)) for frame in (11, 12, 22, 23)] == [1, 2, 2, 1]


def test_a_track_that_is_left_visible_stays_so_in_a_zone() -> None:
    tracks = ruled(("ignore", "290,50,360,130"))
    shown = replace(tracks, tracks=tuple(replace(track, hide=False) for track in tracks.tracks))
    assert {why for why, _ in split(shown)[1]} == {"track"}


def test_a_zone_is_cut_at_the_border_and_hides_nothing_outside_of_it() -> None:
    tracks = ruled(("hide", "0s=600,300,700,400..1s=1600,300,1700,400"))
    assert Timeline(tracks).faces(0)[-1].box == Box(600, 300, 640, 360)
    assert all(face.label == "face" for face in Timeline(tracks).faces(20))
