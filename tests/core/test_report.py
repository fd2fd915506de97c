"""What a report counts and times."""

from __future__ import annotations

import time
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest

from tracker_blur.core.box import Box
from tracker_blur.core.report import Report
from tracker_blur.core.tracks import Face, Origin, Tracks

SIZE = (64, 48)


def face(track_id: int) -> Face:
    return Face(track_id, Box(0, 0, 10, 10), 0.9, Origin.DETECTED)


@pytest.fixture
def report() -> Report:
    return Report(Path("in.mp4"), Path("out.mp4"))


def test_frames_and_faces_are_counted_and_each_track_once(report: Report) -> None:
    for faces in ([], [face(0)], [face(0), face(1)], [face(1)], []):
        report.count(faces, SIZE)
    assert (report.frames, report.faces, report.tracks) == (5, 4, 2)


def test_a_number_of_tracks_that_is_known_beforehand_stays(report: Report) -> None:
    report.video_tracks = Tracks((64, 48), Fraction(1, 25), np.arange(5, dtype=np.int64), (2,), ())
    report.count_tracks(["face", "plate", "face"])
    report.count([face(0)], SIZE)
    assert report.track_counts == {"face": 2, "plate": 1}
    assert report.tracks == 3


def test_tracks_are_counted_by_class_whatever_their_numbers(report: Report) -> None:
    report.track_counts = {"face": 0, "plate": 0}
    for faces in ([face(4)], [face(4), replace(face(7), label="plate")], [face(10)]):
        report.count(faces, SIZE)
    assert report.track_counts == {"face": 2, "plate": 1}
    assert report.tracks == 3


def test_the_time_of_a_stage_adds_up_even_when_it_fails(report: Report) -> None:
    for _ in range(2):
        with pytest.raises(ValueError, match="stop"), report.timing_all(), report.timing("see"):
            raise ValueError("stop")
    assert 0 < report.stage_seconds["see"] <= report.seconds
    assert set(report.stage_seconds) == {"see"}


def test_getting_items_is_timed_but_work_on_them_is_not(report: Report) -> None:
    started, items = time.perf_counter(), []
    for item in report.timed("abc", "decode"):
        time.sleep(0.02)
        items.append(item)
    assert items == ["a", "b", "c"]
    assert 0 < report.stage_seconds["decode"] < time.perf_counter() - started - 0.05


def test_a_report_that_is_printed_does_not_list_all_tracks(report: Report) -> None:
    assert "video_tracks" not in repr(report)


def test_older_names_of_attributes_work(report: Report) -> None:
    report.first_pass_frames = 7
    report.video_tracks = Tracks((64, 48), Fraction(1, 25), np.arange(5, dtype=np.int64), (2,), ())
    assert report.looked == 7
    assert report.found is report.video_tracks
