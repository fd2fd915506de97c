"""Signals: the first one ends the program, later ones are ignored, no half-written file stays."""

from __future__ import annotations

import importlib
import os
import random
import shutil
import signal
import subprocess
import sys
import time
from typing import TYPE_CHECKING

import pytest

from tests.program import INTERRUPTIBLE_PROGRAM
from tests.waiting import PATIENCE_SECONDS
from tracker_blur.cli import interruption

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

pytestmark = pytest.mark.skipif(os.name != "posix", reason="signals are sent the POSIX way")

ENDING = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
HAAR = ("--detector", "haar", "--view-size", "160", "--json")


@pytest.fixture
def _handlers() -> Iterator[None]:
    before = {number: signal.getsignal(number) for number in ENDING}
    hook = sys.unraisablehook
    for number in ENDING:
        signal.signal(number, signal.SIG_DFL)
    interruption.handle_signals()
    yield
    interruption.handle_signals()  # forgets the interruption
    sys.unraisablehook = hook
    for number, handler in before.items():
        signal.signal(number, handler)


@pytest.mark.usefixtures("_handlers")
class TestHandlers:
    @pytest.mark.parametrize("first", ENDING)
    def test_the_first_signal_interrupts_and_later_ones_are_ignored(
        self, first: signal.Signals
    ) -> None:
        with pytest.raises(KeyboardInterrupt):
            signal.raise_signal(first)
        for number in ENDING:
            signal.raise_signal(number)

    def test_an_error_that_was_made_of_it_is_an_interruption_again(self) -> None:
        error = ValueError("made by a library")
        interruption.raise_if_interrupted(error)
        with pytest.raises(KeyboardInterrupt):
            signal.raise_signal(signal.SIGTERM)
        with pytest.raises(KeyboardInterrupt):
            interruption.raise_if_interrupted(error)

    def test_one_that_is_lost_in_a_destructor_comes_again(self) -> None:
        class Lost:
            def __del__(self) -> None:
                signal.raise_signal(signal.SIGTERM)

        def work() -> None:
            Lost()
            ended = time.monotonic() + 10
            while time.monotonic() < ended:
                time.sleep(0.01)

        with pytest.raises(KeyboardInterrupt):
            work()

    def test_what_opens_or_closes_is_not_interrupted_but_what_follows(self) -> None:
        done: list[str] = []

        class Resource:
            def __enter__(self) -> None:
                signal.raise_signal(signal.SIGTERM)
                done.append("opened")

            def __exit__(self, *_: object) -> None:
                done.append("closed")

        with pytest.raises(KeyboardInterrupt), Resource():
            time.sleep(10)
        assert done == ["opened", "closed"]

    def test_no_import_is_interrupted_but_what_follows(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        module = tmp_path / "slowly_imported.py"
        module.write_text("import signal\nsignal.raise_signal(signal.SIGINT)\nDONE = True\n")
        monkeypatch.syspath_prepend(tmp_path)
        with pytest.raises(KeyboardInterrupt):
            try:
                importlib.import_module(module.stem)
            finally:
                is_whole = hasattr(sys.modules.pop(module.stem, None), "DONE")
            time.sleep(10)
        assert is_whole

    def test_once_the_work_is_done_all_are_ignored(self) -> None:
        interruption.ignore_signals()
        for number in ENDING:
            signal.raise_signal(number)


def test_what_the_parent_ignores_stays_ignored(tmp_path: Path) -> None:
    program = "import signal; signal.signal(signal.SIGHUP, signal.SIG_IGN)\n" + (
        "from tracker_blur.cli.interruption import handle_signals; handle_signals()\n"
        "signal.raise_signal(signal.SIGHUP); print('alive')"
    )
    ended = subprocess.run(
        [sys.executable, "-c", program], cwd=tmp_path, capture_output=True, text=True, check=True
    )
    assert ended.stdout == "alive\n"


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(4))
def test_a_burst_of_signals_ends_a_run_once_and_leaves_nothing(
    seed: int, small_clip: Path, small_image: Path, tmp_path: Path
) -> None:
    (tmp_path / "in").mkdir()
    for number in range(6):
        shutil.copy(small_clip, tmp_path / "in" / f"{number}.mp4")
        shutil.copy(small_image, tmp_path / "in" / f"{number}.png")
    rng = random.Random(seed)
    process = subprocess.Popen(
        [*INTERRUPTIBLE_PROGRAM, str(tmp_path / "in"), str(tmp_path / "out"), *HAAR],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        cwd=tmp_path,
    )
    # Its first line: from then on it handles signals.
    assert process.stderr is not None
    messages = process.stderr.readline()
    time.sleep(rng.uniform(0, 1.5))
    for _ in range(rng.randrange(2, 20)):
        process.send_signal(rng.choice(ENDING))
        time.sleep(rng.choice((0, 0, 0.001, 0.02, 0.1)))
    _, rest = process.communicate(timeout=PATIENCE_SECONDS)
    messages += rest
    assert process.returncode in (0, 130), messages
    for unwanted in ("Traceback", "this is a bug", "Exception ignored", "terminate called"):
        assert unwanted not in messages
    assert messages.count("interrupted: no partial file is left") == (process.returncode == 130)
    written = [path.name for path in (tmp_path / "out").glob("*")]
    assert all(not name.startswith(".") for name in written)
    for name in written:
        assert (tmp_path / "out" / name).stat().st_size > 500


@pytest.mark.slow
def test_the_next_run_removes_what_a_killed_one_left(small_clip: Path, tmp_path: Path) -> None:
    source = tmp_path / "in" / "a.mp4"
    source.parent.mkdir()
    shutil.copy(small_clip, source)
    out = tmp_path / "out"
    out.mkdir()
    arguments = [*INTERRUPTIBLE_PROGRAM, str(source.parent), str(out), *HAAR, "--overwrite"]
    for _ in range(20):
        with subprocess.Popen(
            arguments, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        ) as run:
            while run.poll() is None and not list(out.glob(".*")):
                pass
            run.kill()
        if list(out.glob(".*")):
            break
    assert list(out.glob(".*"))
    subprocess.run(arguments, capture_output=True, check=True)
    assert [path.name for path in out.iterdir()] == ["a.mp4"]
