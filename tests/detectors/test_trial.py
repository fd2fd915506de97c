"""Networks that end the process that loads them end a child process, and become a ModelError."""

from __future__ import annotations

import random
import signal
import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING

import pytest

from tests.detectors.heads.networks import LAYOUTS
from tracker_blur.detectors import _trial
from tracker_blur.detectors._networks import read_caffe
from tracker_blur.detectors.onnx import from_file
from tracker_blur.errors import ModelError
from tracker_blur.weights.store import Weights

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

YOLO = LAYOUTS["yolov8, one class"].content()


@pytest.fixture(autouse=True)
def nothing_passed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_trial, "_passed", set())


def child(code: str, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let a program take the place of the child's Python."""
    script = folder / "python"
    script.write_text(f"#!{sys.executable}\n{code}\n")
    script.chmod(0o755)
    monkeypatch.setattr(sys, "executable", str(script))


def test_a_network_that_passed_is_not_tried_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    _trial.check("mine.onnx", "onnx", YOLO)
    child("raise SystemExit(7)", tmp_path, monkeypatch)
    _trial.check("mine.onnx", "onnx", YOLO)
    with pytest.raises(ModelError, match="code 7"):
        _trial.check("mine.onnx", "onnx", YOLO + b"\0")


@pytest.mark.skipif(sys.platform == "win32", reason="needs POSIX signals")
@pytest.mark.parametrize("name", ["SIGFPE", "SIGSEGV", "SIGABRT", "SIGKILL"])
def test_a_crash_is_a_model_error_that_names_it(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    child(f"import os; os.kill(os.getpid(), {int(signal.Signals[name])})", tmp_path, monkeypatch)
    with pytest.raises(ModelError, match=rf"mine\.onnx: damaged: .*crashed \({name}\)"):
        _trial.check("mine.onnx", "onnx", YOLO)


@pytest.mark.skipif(sys.platform == "win32", reason="needs a script as a program")
def test_a_network_that_takes_forever_is_a_model_error(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    child("import time; time.sleep(60)", tmp_path, monkeypatch)
    monkeypatch.setattr(_trial, "_LIMIT_SECONDS", 0.5)
    with pytest.raises(ModelError, match=r"mine\.onnx: takes over 0\.5 seconds"):
        _trial.check("mine.onnx", "onnx", YOLO)


def test_a_child_that_cannot_start_is_a_model_error(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "executable", str(tmp_path / "none"))
    with pytest.raises(ModelError, match="cannot be tried in a process of its own"):
        _trial.check("mine.onnx", "onnx", YOLO)


def test_what_the_child_finds_is_reported_as_it_is() -> None:
    with pytest.raises(ModelError, match=r"^mine\.onnx: damaged, or not an ONNX file"):
        _trial.check("mine.onnx", "onnx", b"nothing")


def test_a_byte_at_which_opencv_crashes_is_a_model_error(tmp_path: Path) -> None:
    path = tmp_path / "mine.onnx"
    path.write_bytes(YOLO.replace(b"\x06scalar\x12", b"\x06sca\xd5ar\x12", 1))
    with pytest.raises(ModelError, match=r"mine\.onnx: .*get the file again"):
        from_file(str(path))  # OpenCV 4.14 ends with SIGSEGV


def test_our_own_file_under_another_name_needs_no_trial(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "mine.onnx").write_bytes(Weights().read("plate.onnx"))
    monkeypatch.setattr(sys, "executable", str(tmp_path / "none"))
    assert from_file(str(tmp_path / "mine.onnx")).labels == ("plate",)


@contextmanager
def suppress_model_error(name: str) -> Iterator[list[str]]:
    """Let a ModelError be, which must name the file in one line; give its message."""
    problems: list[str] = []
    try:
        yield problems
    except ModelError as error:
        problems.append(str(error))
    assert all(name in problem and "\n" not in problem for problem in problems)


def damaged(content: bytes, rng: random.Random, last: int | None = None) -> bytes:
    changed = bytearray(content)
    changed[rng.randrange(last or len(content))] ^= rng.randrange(1, 256)
    return bytes(changed)


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["yolo", "own"])
def test_one_changed_byte_is_a_model_error_or_another_network(kind: str, tmp_path: Path) -> None:
    rng = random.Random(5)
    # A graph describes itself at the beginning; after it there are only weights.
    content, last = (YOLO, 500) if kind == "yolo" else (Weights().read("plate.onnx"), 4000)
    refused = 0
    for number in range(8):
        path = tmp_path / f"{number}.onnx"
        path.write_bytes(damaged(content, rng, last))
        with suppress_model_error(str(path)) as problems:
            from_file(str(path))
        refused += len(problems)
    assert refused > 0
    assert {path.suffix for path in tmp_path.iterdir()} == {".onnx"}, "no core dumps"


@pytest.mark.slow
@pytest.mark.shared
def test_one_changed_byte_of_a_caffe_network(shared: Path, tmp_path: Path) -> None:
    rng = random.Random(6)
    names = ("RFB-320.prototxt", "RFB-320.caffemodel")
    contents = {name: (shared / "models" / name).read_bytes() for name in names}
    for number in range(8):
        for name in names:
            is_changed = name == names[number % 2]
            changed = damaged(contents[name], rng, 2000) if is_changed else contents[name]
            (tmp_path / name).write_bytes(changed)
        with suppress_model_error("RFB-320.caffemodel"):
            read_caffe(Weights(tmp_path), *names)
