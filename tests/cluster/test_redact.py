"""A video in pieces: the same boxes as of the whole, and everything else of the input."""

from __future__ import annotations

import random
import re
import stat
from dataclasses import replace
from fractions import Fraction
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import av
import numpy as np
import pytest

from tests.cluster.scenes import (
    CUT,
    FRAMES,
    SETTINGS,
    SHORT,
    InlineExecutor,
    redact,
    redact_whole,
    rows,
    write_scenes,
)
from tests.video.rewriting import packets, times
from tracker_blur.cluster.manifest import opened_store
from tracker_blur.cluster.parameters import ClusterParameters
from tracker_blur.cluster.tasks import RenderTask, TrackTask
from tracker_blur.errors import SinkError, TrackerBlurError

if TYPE_CHECKING:
    from pathlib import Path

    from tracker_blur.cluster.tasks import Task
    from tracker_blur.core.report import Report


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_scenes(tmp_path_factory.mktemp("scenes") / "in.mp4")


@pytest.fixture(scope="module")
def whole(source: Path) -> Report:
    return redact_whole(source, source.with_name("whole.mp4"))


@pytest.fixture(scope="module")
def undisturbed(source: Path) -> bytes:
    target = source.with_name("undisturbed.mp4")
    redact(source, target)
    return target.read_bytes()


def hidden_files(folder: Path) -> list[Path]:
    return [path for path in folder.iterdir() if path.name.startswith(".")]


@pytest.mark.parametrize(("count", "spans"), [(1, 0.4), (2, 1.5), (5, 0.4), (2, 60.0)])
def test_pieces_have_exactly_the_boxes_of_the_whole(
    source: Path, whole: Report, tmp_path: Path, count: int, spans: float
) -> None:
    executor = InlineExecutor(count)
    parameters = ClusterParameters(piece_seconds=0.4, span_seconds=spans)
    report = redact(source, tmp_path / "out.mp4", executor, parameters=parameters)
    assert rows(report.video_tracks) == rows(whole.video_tracks)
    assert report.video_tracks is not None
    assert report.video_tracks.cuts == (CUT,)
    assert (report.frames, report.track_counts) == (FRAMES, whole.track_counts)
    assert report.pieces is not None
    assert report.pieces.total == report.pieces.done == 8


def test_observers_hand_over_at_a_cut_and_where_all_is_the_same(
    source: Path, tmp_path: Path
) -> None:
    executor = InlineExecutor(5)
    redact(source, tmp_path / "out.mp4", executor)
    handed_over = {span: piece for span, piece in executor.reached.items() if piece < 5}
    assert 0 in handed_over  # the cut comes two seconds later
    assert len(executor.reached) > 2


def test_the_output_has_all_frames_and_what_else_the_input_has(
    source: Path, whole: Report, tmp_path: Path
) -> None:
    target = tmp_path / "out.mp4"
    redact(source, target)
    assert times(target) == times(whole.target) == times(source)
    assert packets(target, "audio") == packets(whole.target, "audio")
    with av.open(str(target)) as one, av.open(str(whole.target)) as other:
        decoded = zip(one.decode(video=0), other.decode(video=0), strict=True)
        for frame, wanted in decoded:
            difference = np.abs(_gray(frame) - _gray(wanted))
            assert difference.mean() < 3
    assert hidden_files(tmp_path) == []


def _gray(frame: av.VideoFrame) -> np.ndarray[Any, Any]:
    return frame.to_ndarray(format="gray").astype(int)


def test_decoding_times_ascend_through_all_pieces(source: Path, tmp_path: Path) -> None:
    target = tmp_path / "out.mp4"
    redact(source, target)
    with av.open(str(target)) as container:
        read = [packet for packet in container.demux(video=0) if packet.size]
    stamps = [(packet.dts or 0, packet.pts or 0) for packet in read]
    assert all(dts <= pts for dts, pts in stamps)
    assert all(later[0] > earlier[0] for earlier, later in pairwise(stamps))
    assert len({later[0] - earlier[0] for earlier, later in pairwise(stamps)}) == 1


JITTER = [
    40 * index + (13 if index % 3 == 1 else 0) + 500 * (index > 70) for index in range(FRAMES)
]


OPEN_GOPS = {"x264-params": "open-gop=1:bframes=3:keyint=12"}


@pytest.mark.parametrize(
    ("name", "settings"),
    [
        ("in.mkv", {"times": JITTER}),
        ("in.mp4", {"times": [1700 + time for time in JITTER], "audio_seconds": 2.0}),
        ("in.mov", {"options": OPEN_GOPS}),
        ("in.mov", {"options": {**OPEN_GOPS, "forced-idr": "1"}, "closed": (30, 66, 90)}),
        ("in.mkv", {"codec": "libx265", "options": {"x265-params": "log-level=none:open-gop=0"}}),
    ],
    ids=["variable-rate", "start-offset", "open-gops", "some-open-gops", "hevc"],
)
def test_inputs_of_all_kinds_have_the_same_boxes_and_times(
    tmp_path: Path, name: str, settings: dict[str, Any]
) -> None:
    source = write_scenes(tmp_path / name, **settings)
    target, other = tmp_path / f"out{source.suffix}", tmp_path / f"whole{source.suffix}"
    report, expected = redact(source, target), redact_whole(source, other)
    assert rows(report.video_tracks) == rows(expected.video_tracks)
    assert times(target) == times(other)
    assert packets(target, "audio") == packets(other, "audio")
    is_open = settings.get("options") == OPEN_GOPS
    assert (report.pieces is None) == is_open


def test_an_edit_list_that_cuts_frames_away_holds_for_pieces(source: Path, tmp_path: Path) -> None:
    trimmed = tmp_path / "trimmed.mp4"
    with av.open(str(source)) as reader, av.open(str(trimmed), "w") as writer:
        stream = reader.streams.video[0]
        copy = writer.add_stream_from_template(stream)
        for packet in reader.demux(stream):
            if packet.size:  # what would be shown before 0 is cut away by an edit list
                away = _ticks(packet, 25)
                packet.pts, packet.dts = (packet.pts or 0) - away, (packet.dts or 0) - away
                packet.stream = copy
                writer.mux(packet)
    report, expected = (
        redact(trimmed, tmp_path / "out.mp4"),
        redact_whole(trimmed, tmp_path / "whole.mp4"),
    )
    assert rows(report.video_tracks) == rows(expected.video_tracks)
    assert times(report.target) == times(expected.target)
    assert report.frames == FRAMES - 25


def _ticks(packet: Any, frames: int) -> int:
    return round(Fraction(frames, 25) / packet.time_base)


def test_pieces_of_one_frame(tmp_path: Path) -> None:
    source = write_scenes(tmp_path / "in.mp4", options={"g": "1", "bf": "0"})
    parameters = ClusterParameters(piece_seconds=0.01, span_seconds=3.0)
    report = redact(source, tmp_path / "out.mp4", parameters=parameters)
    assert report.pieces is not None
    assert report.pieces.total > FRAMES - 2
    assert times(report.target) == times(source)
    expected = redact_whole(source, tmp_path / "whole.mp4")
    assert rows(report.video_tracks) == rows(expected.video_tracks)


class KilledError(BaseException):
    """The driver ends here, without cleaning up."""


def test_a_run_killed_at_any_moment_ends_with_the_same_bytes_when_repeated(
    source: Path, undisturbed: bytes, tmp_path: Path
) -> None:
    chance = random.Random(5)
    target = tmp_path / "undisturbed.mp4"
    kills = 0
    for _ in range(20):
        due = chance.randrange(1, 25)

        def count_down(_event: object) -> None:
            nonlocal due
            due -= 1
            if not due:
                raise KilledError

        try:
            redact(source, target, InlineExecutor(2, during=count_down))
        except KilledError:
            kills += 1
            assert not target.exists()
            (folder,) = hidden_files(tmp_path)
            assert stat.S_IMODE(folder.stat().st_mode) == 0o700
        else:
            assert target.read_bytes() == undisturbed
            assert hidden_files(tmp_path) == []
            target.unlink()
    assert kills > 3
    redact(source, target)
    assert target.read_bytes() == undisturbed


def test_what_is_there_is_not_done_again(source: Path, undisturbed: bytes, tmp_path: Path) -> None:
    target = tmp_path / "out.mp4"

    def stop(task: Task) -> None:
        if isinstance(task, RenderTask) and task.piece == 4:
            raise KeyboardInterrupt

    notes: list[str] = []
    first = InlineExecutor(1, before=stop)
    with pytest.raises(KeyboardInterrupt):
        redact(source, target, first, notes=notes)
    (folder,) = hidden_files(tmp_path)
    assert re.fullmatch(r".*out.mp4: \d+ of \d+ pieces are done, and stay in .*", notes[-1])
    second = InlineExecutor(1)
    redact(source, target, second, notes=notes)
    assert "continues with" in notes[-1]
    assert not set(first.done) & set(second.done)
    assert target.read_bytes() == undisturbed
    assert not folder.exists()


def killed_run(source: Path, folder: Path) -> Path:
    """Return the output of a run that was killed when three of its pieces were there."""

    def stop(task: Task) -> None:
        if isinstance(task, RenderTask) and task.piece == 3:
            raise KilledError

    target = folder / "out.mp4"
    with pytest.raises(KilledError):
        redact(source, target, InlineExecutor(1, before=stop))
    return target


def test_a_damaged_piece_is_rendered_again(
    source: Path, undisturbed: bytes, tmp_path: Path
) -> None:
    target = killed_run(source, tmp_path)
    (folder,) = hidden_files(tmp_path)
    for path in folder.glob("*.piece"):
        content = bytearray(path.read_bytes())
        content[100] ^= 1
        path.write_bytes(content)
    redact(source, target)
    assert target.read_bytes() == undisturbed


def test_other_settings_begin_again(source: Path, tmp_path: Path) -> None:
    target = killed_run(source, tmp_path)
    settings = replace(SETTINGS, method="solid")
    executor = InlineExecutor(1, settings=settings)
    report = redact(source, target, executor, settings=settings)
    assert report.pieces is not None
    assert len([name for name in executor.done if "rendering" in name]) == report.pieces.total


def test_a_worker_with_another_program_refuses_its_tasks(
    source: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tracker_blur.cluster.worker.PROGRAM", "another")
    with pytest.raises(TrackerBlurError, match=r"in\.mp4: .*another version of trackblur"):
        redact(source, tmp_path / "out.mp4")
    assert list(tmp_path.iterdir()) == []


def test_a_task_that_fails_is_tried_three_times(
    source: Path, undisturbed: bytes, tmp_path: Path
) -> None:
    failures: dict[str, int] = {}

    def fail_twice(task: Task) -> None:
        failures[task.name] = failures.get(task.name, 0) + 1
        if failures[task.name] < 3:
            raise TrackerBlurError("no luck")

    target = tmp_path / "out.mp4"
    report = redact(source, target, InlineExecutor(2, before=fail_twice))
    assert target.read_bytes() == undisturbed
    assert report.pieces is not None
    assert report.pieces.lost >= 2 * report.pieces.total


@pytest.mark.parametrize("kind", [TrackTask, RenderTask])
def test_a_piece_that_fails_three_times_fails_the_video_and_leaves_nothing(
    source: Path, tmp_path: Path, kind: type
) -> None:
    def fail(task: Task) -> None:
        if isinstance(task, kind):
            raise TrackerBlurError("no luck")

    with pytest.raises(TrackerBlurError, match=r"in\.mp4: .* failed 3 times: no luck"):
        redact(source, tmp_path / "out.mp4", InlineExecutor(2, before=fail))
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    "changes",
    [{"careful": True}, {"one_pass": True}, {"hide_zones": ("0,0,20,20",)}, {"tone": "scene"}],
    ids=str,
)
def test_what_is_decided_on_the_whole_is_redacted_as_a_whole(
    source: Path, tmp_path: Path, changes: dict[str, Any]
) -> None:
    executor = InlineExecutor()
    report = redact(source, tmp_path / "out.mp4", executor, settings=replace(SETTINGS, **changes))
    assert executor.done == []
    assert (report.frames, report.pieces) == (FRAMES, None)


def test_two_runs_do_not_write_the_same_output(source: Path, tmp_path: Path) -> None:
    target = tmp_path / "out.mp4"
    with (
        opened_store(target, "other", {}),
        pytest.raises(SinkError, match=r"out\.mp4: another run is writing it"),
    ):
        redact(source, target, parameters=SHORT)


def test_a_folder_of_pieces_that_others_may_write_to_is_refused(
    source: Path, tmp_path: Path
) -> None:
    target = tmp_path / "out.mp4"
    with opened_store(target, "other", {}) as store:
        pass
    store.folder.chmod(0o777)
    with pytest.raises(SinkError, match="is not a folder that only you can use"):
        redact(source, target)
