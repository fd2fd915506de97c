"""Pieces in processes, which are killed: the output is the same to the byte as undisturbed."""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
import time
from fractions import Fraction
from pathlib import Path

import pytest

from tests.command_line import run
from tests.program import INTERRUPTIBLE_PROGRAM
from tests.video.rewriting import times
from tests.video_files import AudioTrack, write_clip
from tests.waiting import until

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(sys.platform != "linux", reason="processes are looked up in /proc"),
]
OPTIONS = ("--detector", "onnx", "--view-size", "160", "--jobs", "2")


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a clip of four pieces."""
    return write_clip(
        tmp_path_factory.mktemp("long") / "in.mp4",
        frames=195,
        rate=Fraction(3),
        size=(192, 128),  # at which x264 writes two different files, unless it is kept from it
        gop=15,
        options={"preset": "ultrafast", "x264-params": "scenecut=0"},
        audio_tracks=[AudioTrack(seconds=4.0)],
    )


@pytest.fixture(scope="module")
def undisturbed(source: Path) -> Path:
    target = source.with_name("undisturbed.mp4")
    assert run(source, target, *OPTIONS) == 0
    return target


def started(source: Path, target: Path) -> subprocess.Popen[str]:
    command = [*INTERRUPTIBLE_PROGRAM, str(source), str(target), *OPTIONS]
    return subprocess.Popen(command, stderr=subprocess.PIPE, text=True, start_new_session=True)


def children_of(parent: int) -> list[int]:
    """Return the processes that another one has started and that do pieces."""
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            fields = (folder / "stat").read_text().rpartition(")")[2].split()
            command = (folder / "cmdline").read_bytes()
        except OSError:  # it has ended
            continue
        if int(fields[1]) == parent and b"spawn_main" in command:
            found.append(int(folder.name))
    return found


def pieces_of(target: Path) -> list[Path]:
    return list(target.parent.glob(".trackblur-pieces-*/*.piece"))


def test_pieces_are_counted_in_json_and_nothing_else_is_left(
    source: Path, undisturbed: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    whole = tmp_path / "whole.mp4"
    assert run(source, whole, *OPTIONS[:-1], "1", "--json") == 0
    (alone,) = json.loads(capsys.readouterr().out)["files"]
    assert alone["pieces"] is None
    assert times(undisturbed) == times(whole) == times(source)
    assert [path.name for path in tmp_path.iterdir()] == ["whole.mp4"]


def test_whatever_is_killed_the_same_command_ends_with_the_same_bytes(
    source: Path, undisturbed: Path, tmp_path: Path
) -> None:
    target, chance = tmp_path / "out.mp4", random.Random(3)
    program = started(source, target)
    workers = until(lambda: len(found := children_of(program.pid)) == 2 and found)
    assert workers
    os.kill(workers[0], signal.SIGKILL)  # another one takes its place
    until(lambda: pieces_of(target))
    time.sleep(chance.uniform(0.0, 0.3))
    workers = children_of(program.pid)
    program.kill()
    program.communicate()
    assert program.returncode == -signal.SIGKILL
    assert not target.exists()
    until(lambda: not any(Path("/proc", str(worker)).exists() for worker in workers))
    program = started(source, target)
    until(lambda: children_of(program.pid))
    os.killpg(program.pid, signal.SIGINT)
    _, messages = program.communicate()
    if program.returncode == 130:
        assert messages.count("the same command continues with them") == 1
        assert not target.exists()
    program = started(source, target)
    _, messages = program.communicate()
    assert program.returncode == 0, messages
    assert "continues with" in messages
    assert target.read_bytes() == undisturbed.read_bytes()
    assert [path.name for path in tmp_path.iterdir()] == ["out.mp4"]
