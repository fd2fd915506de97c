"""What the page reads of tracks: bounded, however long the video is."""

from __future__ import annotations

import itertools
import json
from fractions import Fraction

import numpy as np
import pytest

from tests.track_samples import two_tracks
from tracker_blur.core.tracks import ORIGINS, Origin, Track, Tracks
from tracker_blur.review.cards import NO_GROUPING, cards
from tracker_blur.review.doubt import Doubt
from tracker_blur.review.person_numbers import PersonNumbers
from tracker_blur.review.state import ReviewState
from tracker_blur.review.summary import duration_of, frame_rate, track_dict


def track_of(letters: str, frames: list[int] | None = None) -> Track:
    """Return a track with an origin for each letter: Detected, followed (T), Held, Margin."""
    names = {"D": Origin.DETECTED, "T": Origin.TRACKED, "H": Origin.HELD, "M": Origin.MARGIN}
    count = len(letters)
    return Track(
        1,
        np.array(range(count) if frames is None else frames, np.int32),
        np.tile(np.array([0, 0, 10, 10], np.float32), (count, 1)),
        np.full(count, 0.5, np.float32),
        np.array([ORIGINS.index(names[letter]) for letter in letters], np.uint8),
    )


@pytest.mark.parametrize(
    ("letters", "frames", "spans"),
    [
        ("DTDTDTD", None, [[0, 6, "detected"]]),
        (
            "MDTTDTTM",
            None,
            [[0, 0, "margin"], [1, 4, "detected"], [5, 6, "followed"], [7, 7, "margin"]],
        ),
        ("DDHHDD", None, [[0, 1, "detected"], [2, 3, "held"], [4, 5, "detected"]]),
        ("DDDD", [3, 4, 7, 8], [[3, 4, "detected"], [7, 8, "detected"]]),
        ("D" + "T" * 9 + "D", None, [[0, 0, "detected"], [1, 9, "followed"], [10, 10, "detected"]]),
        ("H", [7], [[7, 7, "held"]]),
    ],
)
def test_a_track_is_drawn_as_stretches_of_one_origin(
    letters: str, frames: list[int] | None, spans: list[list[object]]
) -> None:
    assert track_dict(track_of(letters, frames), 1)["spans"] == spans


def test_very_many_stretches_are_put_together() -> None:
    spans = track_dict(track_of("DDHH" * 1000), 1)["spans"]
    assert len(spans) <= 200
    assert (spans[0][0], spans[-1][1]) == (0, 3999)
    assert all(one[1] < other[0] for one, other in itertools.pairwise(spans))


def test_durations_count_the_last_frame() -> None:
    times = np.array([0, 40, 80, 160], np.int64)
    tracks = Tracks((64, 48), Fraction(1, 1000), times)
    assert duration_of(tracks) == pytest.approx(0.2)
    assert frame_rate(tracks) == pytest.approx(20)
    still = Tracks((64, 48), Fraction(1, 1000), times[:1])
    assert (duration_of(still), frame_rate(still)) == (0, 0)


def test_a_card_says_what_is_doubtful_and_whether_all_is_hidden() -> None:
    state = ReviewState(two_tracks())
    doubt = Doubt("gap", 12, 14, 3, None, 0.8, "gap-1")
    first, other = cards(state, NO_GROUPING, [doubt], PersonNumbers(state.tracks))
    assert (first["id"], first["doubtful"], first["reasons"]) == (3, True, ["gap"])
    assert (other["id"], other["doubtful"], other["hidden"]) == (7, False, True)
    assert (first["number"], other["number"]) == (1, 2)
    assert first["frames"] == 20
    assert first["seconds"] == pytest.approx(20 * 3600 / 90000)
    assert [face["frame"] for face in first["faces"]] == [11, 11, 29]
    assert first["faces"][0]["box"] == [round(edge) for edge in state.tracks.tracks[0].boxes[1]]


def test_an_hour_with_500_tracks_takes_few_bytes() -> None:
    """All of it is fetched before the first frame is shown; boxes are not among it."""
    count, length, frames = 500, 600, 90_000
    chance = np.random.default_rng(0)
    starts = chance.integers(0, frames - length, count)
    origins = np.where(np.arange(length) % 6 == 0, 0, 1).astype(np.uint8)
    tracks = tuple(
        Track(
            number,
            np.arange(start, start + length, dtype=np.int32),
            np.tile(np.array([10, 10, 50, 60], np.float32), (length, 1)),
            np.full(length, 0.9, np.float32),
            origins,
        )
        for number, start in enumerate(starts.tolist())
    )
    video = Tracks((1280, 720), Fraction(1, 25), np.arange(frames), (), tracks)
    dicts = [track_dict(track, track.track_id) for track in tracks]
    people = cards(ReviewState(video), NO_GROUPING, [], PersonNumbers(video))
    assert len(json.dumps([dicts, people])) < 650 * count
