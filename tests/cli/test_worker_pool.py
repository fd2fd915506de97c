"""Files that are redacted at once, in processes: all is as if they were redacted one by one."""

from __future__ import annotations

import json
import os
import random
import re
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from tests.command_line import run
from tests.program import INTERRUPTIBLE_PROGRAM
from tests.video_files import write_clip
from tests.waiting import PATIENCE_SECONDS, until
from tracker_blur.cli.outcome import Outcome
from tracker_blur.cli.worker_pool import _Run
from tracker_blur.files.jobs import Job

HAAR = ("--detector", "haar", "--view-size", "160")
BOTH = ("--jobs", "2")
on_linux = pytest.mark.skipif(sys.platform != "linux", reason="processes are looked up in /proc")


@pytest.fixture
def folder(small_clip: Path, small_image: Path, tmp_path: Path) -> Path:
    """Return a folder of files that succeed and fail in turn, some in folders of their own."""
    path = tmp_path / "in"
    for name in ("sub", "only-broken"):
        (path / name).mkdir(parents=True)
    (path / "a-broken.jpg").write_bytes(b"no image")
    shutil.copy(small_clip, path / "b.mp4")
    shutil.copy(small_image, path / "c.png")
    Image.fromarray(np.zeros((64, 64, 3), np.uint8)).save(path / "d-no-one.png")
    write_clip(path / "e.webm", codec="libvpx-vp9", frames=4)  # takes no preset "medium"
    shutil.copy(small_clip, path / "sub" / "f.mov")
    (path / "only-broken" / "g.jpg").write_bytes(b"no image")
    return path


def without_times(messages: str) -> str:
    return re.sub(r"[\d.]+ seconds( \(.*?\))?", "SECONDS", messages)


def summary_without_times(text: str) -> dict[str, Any]:
    summary: dict[str, Any] = json.loads(text)
    for file in summary["files"]:
        assert file.pop("seconds") > 0
        file["stage_seconds"] = sorted(file["stage_seconds"])
        file["verified"].pop("seconds", None)
    return summary


def written(folder: Path) -> dict[str, bytes | None]:
    """Return the content of each file, and None for each folder."""
    return {
        str(path.relative_to(folder)): path.read_bytes() if path.is_file() else None
        for path in folder.rglob("*")
    }


def test_outputs_messages_and_json_are_those_of_one_by_one(
    folder: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    results = []
    for jobs in ("1", "2"):
        out = tmp_path / "out"
        arguments = ("in", "out", *HAAR, "--preset", "medium", "--json", "--verify")
        code = run(*arguments, "--jobs", jobs)
        printed = capsys.readouterr()
        results.append(
            (code, written(out), without_times(printed.err), summary_without_times(printed.out))
        )
        shutil.rmtree(out)
    alone, together = results
    assert together[0] == alone[0] == 1
    assert set(alone[1]) == {"b.mp4", "c.png", "d-no-one.png", "sub", "sub/f.mov"}
    assert together[1] == alone[1]
    assert together[2] == alone[2]
    assert together[3] == alone[3]
    assert alone[2].count("trackblur: error: ") == 3
    assert alone[2].count("trackblur models pull yunet") <= 1  # advice is given once


def test_a_detector_that_cannot_be_loaded_is_one_line(
    folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "none.onnx").write_bytes(b"no network")
    arguments = (folder, tmp_path / "out", "--detector", tmp_path / "none.onnx", "--json")
    codes, printed = [], []
    for jobs in ("1", "2"):
        codes.append(run(*arguments, "--jobs", jobs))
        printed.append(capsys.readouterr())
    assert codes == [1, 1]
    assert printed[0] == printed[1]
    assert printed[1].err.count("error: ") == 1
    assert not (tmp_path / "out").exists()


def test_processes_that_cannot_start_are_one_line(
    folder: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setattr("tracker_blur.cli.worker_pool.work", end_at_once)
    assert run(folder, tmp_path / "out", *HAAR, *BOTH) == 1
    (line,) = capsys.readouterr().err.splitlines()
    assert "error: no process for the files can be started" in line
    assert "--jobs 1" in line
    assert not (tmp_path / "out").exists()


def end_at_once(*_: object) -> None:
    os._exit(3)


def started(*arguments: str | Path) -> subprocess.Popen[str]:
    """Start the program in a process group of its own, as a terminal does."""
    return subprocess.Popen(
        [*INTERRUPTIBLE_PROGRAM, *map(str, arguments)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )


def worker_with(file: Path, parent: int) -> int | None:
    """Return the process below this one that has a file open."""
    for process in Path("/proc").glob("[0-9]*"):
        try:
            fields = (process / "stat").read_text().rpartition(")")[2].split()
            if int(fields[1]) == parent and any(
                link.readlink() == file for link in (process / "fd").iterdir()
            ):
                return int(process.name)
        except OSError:  # it has ended
            continue
    return None


@on_linux
@pytest.mark.slow
def test_a_process_that_is_killed_fails_its_file_alone_and_leaves_nothing(
    small_image: Path, tmp_path: Path
) -> None:
    source, out = tmp_path / "in", tmp_path / "out"
    (source / "long").mkdir(parents=True)
    for number in range(2):
        shutil.copy(small_image, source / f"{number}.png")
    victim = source / "long" / "b.mp4"
    write_clip(victim, frames=1000, size=(160, 120), options={"preset": "ultrafast"})
    shutil.copy(small_image, source / "z.png")
    process = started(source, out, *HAAR, "--one-pass", *BOTH, "--json")
    until(lambda: list((out / "long").glob(".*")))  # it is being written
    worker = until(lambda: worker_with(victim, process.pid))
    assert worker is not None
    os.kill(worker, signal.SIGKILL)
    printed, messages = process.communicate(timeout=PATIENCE_SECONDS)
    assert process.returncode == 1, messages
    names = ["0.png", "1.png", "z.png"]
    assert sorted(path.name for path in out.rglob("*")) == names
    summary = json.loads(printed)
    assert [Path(file["output"]).name for file in summary["files"]] == names
    (failed,) = summary["failed"]
    assert failed["input"] == str(victim)
    assert "ended (SIGKILL), there may be too little memory" in failed["error"]
    assert f"trackblur: error: {victim}: the process that redacted it ended (SIGKILL)" in messages
    assert "3 done, 0 skipped, 1 failed" in messages
    assert "Traceback" not in messages


@pytest.fixture(scope="module")
def many(small_image: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder of clips and images that take a while."""
    folder = tmp_path_factory.mktemp("many")
    clip = write_clip(folder / "0.mp4", frames=100, size=(160, 120))
    for number in range(6):
        if number:
            shutil.copy(clip, folder / f"{number}.mp4")
        shutil.copy(small_image, folder / f"{number}.png")
    return folder


@on_linux
@pytest.mark.slow
@pytest.mark.parametrize("to_all", [True, False])
@pytest.mark.parametrize("seed", range(2))
def test_an_interrupted_run_ends_once_and_leaves_nothing(
    seed: int, to_all: bool, many: Path, tmp_path: Path
) -> None:
    out = tmp_path / "out"
    process = started(many, out, *HAAR, *BOTH, "--json")
    rng = random.Random(seed)
    if seed:
        until(out.exists)
    else:  # while the processes start
        until(lambda: len(running_in_group(process.pid)) > 1)
    time.sleep(rng.uniform(0, 1.5))
    if to_all:  # as Ctrl-C does
        os.killpg(process.pid, signal.SIGINT)
    else:
        process.send_signal(signal.SIGTERM)
    printed, messages = process.communicate(timeout=PATIENCE_SECONDS)
    if process.returncode == -signal.SIGTERM and not printed:
        return  # it was too early: the program had not begun
    assert process.returncode == 130, messages
    for unwanted in ("Traceback", "this is a bug", "Exception ignored", "terminate called"):
        assert unwanted not in messages
    assert messages.count("interrupted: no partial file is left") == 1
    until(lambda: not running_in_group(process.pid))
    left = [path.name for path in out.rglob("*")] if out.exists() else []
    if printed and json.loads(printed)["files"] + json.loads(printed)["failed"]:
        summary = json.loads(printed)
        assert left == [] or set(left) >= {Path(f["output"]).name for f in summary["files"]}
        assert {file["error"] for file in summary["failed"]} <= {"interrupted"}
    assert not [name for name in left if name.startswith(".")]


def running_in_group(group: int) -> list[int]:
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        try:
            fields = (process / "stat").read_text().rpartition(")")[2].split()
        except OSError:
            continue
        if int(fields[2]) == group and fields[0] != "Z":
            found.append(int(process.name))
    return found


class TestRun:
    """What happened to files that end in any order."""

    @pytest.fixture
    def added(self) -> list[Outcome]:
        return []

    @pytest.fixture
    def run(self, added: list[Outcome]) -> _Run:
        return _Run([job(name) for name in "abcd"], added.append)

    def test_is_passed_on_in_the_order_of_the_files(self, run: _Run, added: list[Outcome]) -> None:
        indices = [index for index, _ in iter(run.start_next, None)]
        for index, expected in ((2, ""), (0, "a"), (3, "a"), (1, "abcd")):
            run.end(indices[index], Outcome("abcd"[index]))
            assert "".join(outcome.source for outcome in added) == expected
        assert run.is_over

    def test_of_an_interrupted_run_is_what_is_done_and_what_was_being_done(
        self, run: _Run, added: list[Outcome]
    ) -> None:
        for _ in range(3):
            run.start_next()
        run.end(1, Outcome("b", is_written=True))
        run.interrupt()
        assert [(one.source, one.failure) for one in added] == [
            ("a", "interrupted"),
            ("b", None),
            ("c", "interrupted"),
        ]

    def test_is_a_failure_where_no_process_is_left(self, run: _Run, added: list[Outcome]) -> None:
        run.start_next()
        run.fail(0, "gone")
        run.fail_waiting("none is left")
        assert [one.failure for one in added] == [
            "a: gone",
            *(f"{name}: none is left" for name in "bcd"),
        ]
        assert added[0].messages[0].text == "trackblur: error: a: gone"
        assert run.is_over


def job(name: str) -> Job:
    return Job(Path(name), Path("out", name), "image")
