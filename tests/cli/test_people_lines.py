"""What is printed about chosen people."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction

from tracker_blur.cli.people_lines import doubt_lines, visible_lines
from tracker_blur.core.people_report import DOUBT_TEXTS, PeopleReport, Stretch

KEPT = Stretch(3, 10, 60, Fraction(2, 5), Fraction(12, 5), "anna", 0.71, 7)
DOUBT = replace(KEPT, person=None, faces=1, reason="few faces")


def test_every_stretch_that_stays_visible_has_a_line() -> None:
    people = PeopleReport("keep", "sface", kept=(KEPT,) * 30)
    lines = visible_lines(people, is_still=False)
    assert len(lines) == 30
    assert lines[0] == "stays visible: anna, track 3, 0:00:00.400 to 0:00:02.400 (7 good faces)"
    unknown = PeopleReport("hide", "sface", kept=(replace(KEPT, person=None),))
    assert visible_lines(unknown, is_still=True) == [
        "stays visible: not one of the photos, face 3 (7 good faces)"
    ]


def test_doubts_have_their_reasons_and_only_the_first_ones_are_printed() -> None:
    people = PeopleReport("keep", "sface", doubts=(DOUBT,) * 25)
    lines = doubt_lines(people, is_still=False)
    assert lines[0] == (
        "hidden in doubt: someone, track 3, 0:00:00.400 to 0:00:02.400: too few good faces"
    )
    assert lines[20:] == ["5 more are hidden in doubt: --json FILE.json lists them"]


def test_all_of_it_is_in_the_data() -> None:
    people = PeopleReport("keep", "sface", (KEPT,)).with_more(
        PeopleReport("keep", "sface", (), (DOUBT,))
    )
    assert people.to_dict()["kept"] == [
        {
            "track": 3,
            "first_frame": 10,
            "last_frame": 60,
            "from": "0:00:00.400",
            "to": "0:00:02.400",
            "person": "anna",
            "likeness": 0.71,
            "faces": 7,
            "reason": None,
        }
    ]
    assert people.to_dict()["doubts"][0]["reason"] in DOUBT_TEXTS
