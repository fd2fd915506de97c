"""Where a reviewer should look, and where not."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from tracker_blur.core.box import Box
from tracker_blur.core.candidates import Candidate
from tracker_blur.core.tracks import Face, Origin, Tracks
from tracker_blur.core.tracks_builder import TracksBuilder
from tracker_blur.review import operations
from tracker_blur.review.doubts import doubts_of, queue_of
from tracker_blur.review.state import ReviewState
from tracker_blur.review.uncovered import shown_by_rules

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from tracker_blur.review.doubt import Doubt

SIZE = (1280, 720)
FRAMES = 250
MIDDLE = Box(600, 300, 700, 420)

Place = Box | None


def scene(
    *tracks: Callable[[int], Place],
    cuts: tuple[int, ...] = (),
    score: float = 0.9,
    origin: Callable[[int], Origin] = lambda _: Origin.DETECTED,
) -> Tracks:
    """Return tracks, numbered from 1, each a function from a frame to its place."""
    builder = TracksBuilder()
    for number, place in enumerate(tracks, 1):
        for frame in range(FRAMES):
            box = place(frame)
            if box is not None:
                builder.add(frame, Face(number, box, score, origin(frame)))
    times = np.arange(FRAMES, dtype=np.int64)
    return Tracks(SIZE, Fraction(1, 25), times, cuts, builder.tracks())


def within(frames: Iterable[int], box: Box = MIDDLE) -> Callable[[int], Place]:
    wanted = frozenset(frames)
    return lambda frame: box if frame in wanted else None


def kinds(doubts: list[Doubt]) -> list[tuple[str, int]]:
    return [(doubt.kind, doubt.frame) for doubt in doubts]


def test_a_face_that_is_there_all_the_time_is_no_doubt() -> None:
    assert doubts_of(scene(within(range(FRAMES)))) == []


def test_a_face_that_vanishes_in_the_middle_is_looked_for_just_after() -> None:
    doubts = doubts_of(scene(within(range(100))))
    assert kinds(doubts) == [("track_end", 100)]
    assert doubts[0].track == 1
    assert doubts[0].box == MIDDLE
    assert doubts[0].risk > 0.5


def test_a_face_that_appears_in_the_middle_is_looked_for_just_before() -> None:
    assert kinds(doubts_of(scene(within(range(100, FRAMES))))) == [("track_end", 99)]


def test_ends_at_the_border_and_at_cuts_are_certain() -> None:
    at_border = Box(2, 300, 102, 420)
    assert doubts_of(scene(within(range(100), at_border))) == []
    assert doubts_of(scene(within(range(100)), cuts=(101,))) == []
    assert kinds(doubts_of(scene(within(range(100)), cuts=(140,)))) == [("track_end", 100)]


def test_an_end_where_another_track_continues_is_certain() -> None:
    assert doubts_of(scene(within(range(100)), within(range(102, FRAMES)))) == []
    far = MIDDLE.moved(300, 0)
    assert len(doubts_of(scene(within(range(100)), within(range(102, FRAMES), far)))) == 2


def test_an_end_where_a_visible_track_continues_is_not() -> None:
    tracks = scene(within(range(100)), within(range(102, FRAMES)))
    visible = replace(tracks, tracks=(tracks.tracks[0], replace(tracks.tracks[1], hide=False)))
    assert ("track_end", 100) in kinds(doubts_of(visible))


def test_a_face_whose_score_falls_ends_with_less_risk() -> None:
    sudden = doubts_of(scene(within(range(100))))
    tracks = scene(within(range(100)))
    (track,) = tracks.tracks
    fading = replace(track, scores=np.linspace(0.9, 0.5, 100).astype(np.float32))
    (doubt,) = doubts_of(replace(tracks, tracks=(fading,)))
    assert 0.3 < doubt.risk < 0.8 * sudden[0].risk


def test_larger_faces_are_riskier() -> None:
    small = Box(600, 300, 616, 320)
    (doubt,) = doubts_of(scene(within(range(100), small)))
    assert doubt.risk < doubts_of(scene(within(range(100))))[0].risk


def test_what_a_few_frames_show_is_one_doubt() -> None:
    assert kinds(doubts_of(scene(within(range(100, 105))))) == [("short_track", 100)]


def test_what_is_hardly_a_face_is_one_doubt() -> None:
    doubts = doubts_of(scene(within(range(100, 200)), score=0.4))
    assert kinds(doubts) == [("low_confidence", 100)]


def test_frames_without_a_box_are_a_gap() -> None:
    frames = [frame for frame in range(FRAMES) if not 100 <= frame < 110]
    doubts = doubts_of(scene(within(frames)))
    assert kinds(doubts) == [("gap", 100)]
    assert doubts[0].last == 109
    assert doubts_of(scene(within(frames), cuts=(105,))) == []


def test_a_long_join_over_a_distance_is_unsure() -> None:
    def place(frame: int) -> Box:
        return MIDDLE.moved(max(0, min(30, frame - 100)) * 5, 0)

    def origin(frame: int) -> Origin:
        return Origin.BETWEEN if 100 <= frame < 130 else Origin.DETECTED

    assert kinds(doubts_of(scene(place, origin=origin))) == [("unsure_join", 114)]
    assert doubts_of(scene(within(range(FRAMES)), origin=origin)) == []  # it stayed where it was


def test_what_stays_visible_is_a_doubt_until_a_person_says_so() -> None:
    tracks = scene(within(range(FRAMES)))
    visible = replace(tracks, tracks=(replace(tracks.tracks[0], hide=False),))
    assert kinds(doubts_of(visible)) == [("kept_stretch", 0)]
    assert doubts_of(visible, decided={1}) == []


def test_a_visible_face_that_crosses_a_hidden_one_is_a_doubt() -> None:
    def passing(frame: int) -> Box:
        return Box(2.0 * frame, 300, 2.0 * frame + 100, 420).moved(300, 0)

    tracks = scene(within(range(FRAMES)), passing)
    assert "crossing" not in [kind for kind, _ in kinds(doubts_of(tracks))]
    visible = replace(tracks, tracks=(tracks.tracks[0], replace(tracks.tracks[1], hide=False)))
    crossing = next(doubt for doubt in doubts_of(visible, {2}) if doubt.kind == "crossing")
    assert crossing.frame < 150 < crossing.last


def test_what_verify_found_comes_first() -> None:
    run = {
        "first_frame": 40,
        "last_frame": 44,
        "frames": [{"frame": 40, "box": [10.0, 10.0, 50.0, 60.0]}],
        "is_exposed": True,
    }
    doubts = doubts_of(scene(within(range(100))), report=[run, {"frames": []}, {}])
    assert kinds(doubts) == [("verify", 40), ("track_end", 100)]
    assert (doubts[0].last, doubts[0].box) == (44, Box(10, 10, 50, 60))


def test_a_doubt_keeps_its_name_whatever_is_edited_elsewhere() -> None:
    (before,) = doubts_of(scene(within(range(100))))
    elsewhere = within(range(FRAMES), MIDDLE.moved(-400, 0))
    (after,) = doubts_of(scene(elsewhere, within(range(100))))
    assert (after.doubt_id, after.track) == (before.doubt_id, 2)
    assert doubts_of(scene(within(range(101))))[0].doubt_id != before.doubt_id


def test_a_crowd_does_not_fill_the_queue() -> None:
    places = [
        within(range(number, number + 40), Box(x, y, x + 20, y + 24))
        for number in range(80)
        for x, y in [(60 + 58 * (number % 20), 60 + 55 * (number // 20 % 11))]
    ]
    assert len(doubts_of(scene(*places))) <= 30


def test_a_box_that_a_person_drew_may_end_too_early() -> None:
    doubts = doubts_of(scene(within([0]), origin=lambda _: Origin.DRAWN))
    assert kinds(doubts) == [("track_end", 1)]


def test_another_track_that_does_not_hold_the_face_does_not_continue_it() -> None:
    neighbor = MIDDLE.moved(80, 0)
    assert ("track_end", 100) in kinds(
        doubts_of(scene(within(range(100)), within(range(FRAMES), neighbor)))
    )


def test_more_places_than_a_person_can_look_at_are_counted() -> None:
    places = [
        within(range(number, number + 40), Box(x, y, x + 60, y + 60))
        for number in range(1, 60)
        for x, y in [(90 + 110 * (number % 10), 60 + 100 * (number // 10))]
    ]
    queue = queue_of(scene(*places))
    assert len(queue.doubts) == 30
    assert queue.left_out > 0


def edited(*edits: dict[str, Any]) -> tuple[Tracks, ReviewState]:
    """Return a face that is there all the time, and what edits make of it."""
    before = scene(within(range(FRAMES)))
    state = ReviewState(before)
    for edit in edits:
        state = operations.apply(state, operations.complete(state, edit, {}))
    return before, state


@pytest.mark.parametrize(
    ("edit", "kind", "first", "last"),
    [
        ({"op": "drop", "tracks": [1]}, "uncovered", 0, 249),
        ({"op": "drop_frames", "track": 1, "first": 50, "last": 60}, "uncovered", 50, 60),
        ({"op": "reshape", "track": 1, "frame": 90, "box": [0, 0, 60, 60]}, "uncovered", 90, 90),
        (
            {"op": "move", "track": 1, "first": 9, "last": 99, "dx": 99, "dy": 0},
            "uncovered",
            9,
            99,
        ),
        ({"op": "ends", "track": 1, "first": 5, "last": 249}, "uncovered", 0, 4),
        ({"op": "zone", "rule": "ignore", "where": "500,200,900,600"}, "zone_shows", 0, 249),
        ({"op": "limits", "min_size": "50%"}, "limit_shows", 0, 249),
        ({"op": "limits", "to": "2s"}, "limit_shows", 51, 249),
    ],
)
def test_what_an_edit_uncovers_is_a_place_to_look_at(
    edit: dict[str, Any], kind: str, first: int, last: int
) -> None:
    before, state = edited(edit)
    doubts = doubts_of(state.tracks, state.decided, before=before)
    found = [(doubt.frame, doubt.last, doubt.risk) for doubt in doubts if doubt.kind == kind]
    assert found == [(first, last, 0.9)]


@pytest.mark.parametrize(
    "edits",
    [
        [{"op": "keep", "tracks": [1]}],
        [{"op": "split", "track": 1, "frame": 99}],
        [{"op": "split", "track": 1, "frame": 99}, {"op": "keep", "tracks": [2]}],
        [{"op": "set_class", "tracks": [1], "class": "plate"}],
        [{"op": "reshape", "track": 1, "frame": 90, "box": [590, 290, 710, 430]}],
        [
            {"op": "zone", "rule": "hide", "where": "500,200,900,600"},
            {"op": "drop", "tracks": [1]},
        ],
    ],
)
def test_what_is_hidden_otherwise_or_meant_to_be_seen_is_none(edits: list[dict[str, Any]]) -> None:
    before, state = edited(*edits)
    doubts = doubts_of(state.tracks, state.decided, before=before)
    assert not {doubt.kind for doubt in doubts} & {"uncovered", "zone_shows", "limit_shows"}


def test_what_verify_found_in_another_result_is_another_place() -> None:
    run = {"first_frame": 4, "last_frame": 4, "frames": [{"frame": 4, "box": [9, 9, 50, 60]}]}
    tracks = scene(within(range(FRAMES)))
    reports: list[list[dict[str, Any]]] = [[run], [run, {"frames": []}]]
    one, other = (queue_of(tracks, report=report).doubts[0] for report in reports)
    assert one.doubt_id != other.doubt_id
    assert one.to_dict()["boxes"] == [[4, 9, 9, 50, 60]]


def candidates(*frames: int, box: Box = MIDDLE, log_odds: float = 1.0) -> tuple[Candidate, ...]:
    return (Candidate(tuple((frame, box) for frame in frames), 0.4, log_odds),)


def test_what_may_be_a_face_but_has_no_track_is_looked_at() -> None:
    tracks = replace(scene(), candidates=candidates(20, 30, 40))
    (doubt,) = doubts_of(tracks)
    assert (doubt.kind, doubt.track, doubt.frame, doubt.last) == ("low_confidence", None, 20, 40)
    assert doubt.boxes == ((20, MIDDLE), (30, MIDDLE), (40, MIDDLE))
    assert doubt.box == MIDDLE
    # It is a guess: less of a risk than a high-confidence face, and more if it is likely.
    assert 0.12 < doubt.risk < 0.5
    (likelier,) = doubts_of(replace(scene(), candidates=candidates(20, 30, log_odds=3.0)))
    assert likelier.risk > doubt.risk


def test_a_candidate_is_none_once_it_has_a_track() -> None:
    tracks = scene(within(range(FRAMES), MIDDLE.padded(0.1)))
    assert doubts_of(replace(tracks, candidates=candidates(20, 30, 40))) == []
    elsewhere = MIDDLE.moved(300, 0)
    found = doubts_of(replace(tracks, candidates=candidates(20, 30, box=elsewhere)))
    assert kinds(found) == [("low_confidence", 20)]


def test_small_candidates_are_no_risk() -> None:
    tiny = Box(600, 300, 606, 308)
    assert doubts_of(replace(scene(), candidates=candidates(20, 30, box=tiny))) == []


def test_a_candidate_that_others_cover_together_is_none() -> None:
    left, right = MIDDLE.moved(-0.6 * MIDDLE.width, 0), MIDDLE.moved(0.6 * MIDDLE.width, 0)
    tracks = replace(
        scene(within(range(FRAMES), left), within(range(FRAMES), right)),
        candidates=candidates(20, 30, 40),
    )
    assert doubts_of(tracks) == []
    shown = replace(tracks, tracks=tuple(replace(one, hide=False) for one in tracks.tracks))
    assert ("low_confidence", 20) in kinds(doubts_of(shown))


def test_two_candidates_side_by_side_are_two_places() -> None:
    face = Candidate(((10, Box(300, 100, 320, 120)), (20, Box(300, 100, 320, 120))), 0.4, 2.0)
    body = Candidate(((10, Box(270, 70, 350, 150)), (80, Box(500, 100, 580, 180))), 0.4, 1.0)
    doubts = doubts_of(replace(scene(), candidates=(face, body)))
    assert sorted(doubt.last for doubt in doubts) == [20, 80]


def test_two_visible_faces_in_one_place_are_two_places() -> None:
    tracks = scene(within(range(FRAMES)), within(range(FRAMES), MIDDLE.padded(0.05)))
    shown = replace(tracks, tracks=tuple(replace(one, hide=False) for one in tracks.tracks))
    kept = [doubt.track for doubt in doubts_of(shown) if doubt.kind == "kept_stretch"]
    assert sorted(kept, key=str) == [1, 2]


def test_odds_that_are_as_good_as_none_are_no_risk() -> None:
    assert doubts_of(replace(scene(), candidates=candidates(20, log_odds=-1000.0))) == []
    (likeliest,) = doubts_of(replace(scene(), candidates=candidates(20, log_odds=1000.0)))
    assert likeliest.risk == 0.5


def test_who_is_covered_by_a_drawn_box_is_not_shown_by_an_area() -> None:
    _, state = edited({"op": "zone", "rule": "ignore", "where": "500,200,900,600"})
    assert shown_by_rules(state.tracks) == {1: [(0, 249)]}
    edges = list(MIDDLE.padded(0.1).as_tuple())
    drawn = {"op": "draw", "track": None, "keyframes": {"100": edges, "249": edges}}
    covered = operations.apply(state, operations.complete(state, drawn, {}))
    assert shown_by_rules(covered.tracks) == {1: [(0, 99)]}
