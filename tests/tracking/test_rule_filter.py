"""Rules for frames one after the other: what is once hidden stays so."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from typing import Any

from tracker_blur.core.box import Box
from tracker_blur.core.rules import Rules, Size
from tracker_blur.core.tracks import Face, Origin
from tracker_blur.core.zones import Zone
from tracker_blur.tracking.rule_filter import RuleFilter


@dataclass
class Shown:
    """A frame of 200x100 pixels at 25 a second; it begins at 1000 ticks."""

    index: int
    size: tuple[int, int] = (200, 100)
    time_base: Fraction = Fraction(1, 25)

    @property
    def pts(self) -> int:
        return 1000 + self.index


def face(track_id: int, left: float, side: float = 20) -> Face:
    return Face(track_id, Box(left, 10, left + side, 10 + side), 0.9, Origin.DETECTED)


def hidden(rules: Rules, *faces: tuple[Face, ...]) -> tuple[list[set[int]], RuleFilter]:
    chosen = RuleFilter(rules)
    frames: Any = [(Shown(index), each) for index, each in enumerate(faces)]
    return [{one.track_id for one in found} for _, found in chosen.frames(frames)], chosen


def zone(rule: Any, text: str) -> Zone:
    return Zone.parse(rule, text)


def test_a_face_is_visible_in_an_ignore_zone_until_it_leaves_it() -> None:
    rules = Rules((zone("ignore", "0,0,50,100"),))
    found, chosen = hidden(rules, *[(face(1, left), face(2, 5)) for left in (5, 20, 60, 5)])
    assert found == [set(), set(), {1}, {1}]
    assert chosen.counts == {"zone": 2}


def test_a_face_from_outside_is_hidden_within_the_zone() -> None:
    found, _ = hidden(Rules((zone("ignore", "0,0,50,100"),)), (face(1, 90),), (face(1, 5),))
    assert found == [{1}, {1}]


def test_a_face_is_visible_until_it_is_large_enough() -> None:
    sizes = 10, 24, 10
    found, chosen = hidden(Rules(min_size=Size(20)), *[(face(1, 5, side),) for side in sizes])
    assert found == [set(), {1}, {1}]
    assert chosen.counts == {"size": 1}


def test_times_count_from_the_first_frame_and_frames_from_when_they_are_shown() -> None:
    zones = (zone("hide", "0.08s..0.12s=0,0,9,9"), zone("hide", "100,0,110,0,100,10"))
    rules = Rules(zones, start=Fraction("0.05"), end=Fraction("0.13"))
    found, chosen = hidden(rules, *[(face(1, 5),)] * 6)
    assert found == [{-2}, {1, -2}, {1, -1, -2}, {1, -1, -2}, {-2}, {-2}]
    assert chosen.counts == {"time": 1}


def test_an_image_has_no_time() -> None:
    rules = Rules((zone("hide", "0,0,9,9"),), Size(15), start=Fraction(5))
    chosen = RuleFilter(rules)
    found = chosen.still((face(1, 5), face(2, 50, 10)), (200, 100))
    assert {one.track_id for one in found} == {1, -1}
    assert chosen.counts == {"size": 1}
