"""What the benchmarks compute from their measurements."""

from __future__ import annotations

import argparse
from pathlib import Path

import calls
import compare
import pytest
from speed import Case, case_list


def test_the_spread_of_a_comparison_is_that_of_its_turns() -> None:
    before, after = [2.0, 4.0, 10.0], [1.0, 3.0, 4.0]
    assert compare.spread(before, after) == (0.5, 0.4, 0.75)


def test_cases_are_resolutions_and_numbers_of_faces() -> None:
    assert case_list("720p:2,1080p:10") == [Case("720p", 2), Case("1080p", 10)]
    with pytest.raises(argparse.ArgumentTypeError, match="'9p:1': give RESOLUTION:FACES"):
        case_list("9p:1")


def test_a_folder_without_a_package_is_not_compared(tmp_path: Path) -> None:
    with pytest.raises(SystemExit, match="is no checkout"):
        compare._checked(tmp_path)
    root = Path(__file__).resolve().parents[1]
    assert compare._checked(root) == root


def test_the_methods_whose_calls_are_measured_exist() -> None:
    for owner, name, _ in calls.MEASURED:
        assert callable(getattr(owner, name))


def test_calls_within_a_call_are_not_its_own_time() -> None:
    class Work:
        def whole(self) -> None:
            self.part()

        def part(self) -> None:
            sum(range(100_000))

    meter = calls.Meter()
    meter.measure(Work, "whole", "whole")
    meter.measure(Work, "part", "part")
    Work().whole()
    whole, part = meter.spent["whole"], meter.spent["part"]
    assert whole.calls == part.calls == 1
    assert whole.own_seconds < part.own_seconds <= whole.seconds
