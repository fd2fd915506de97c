"""Temporary files: locked while their run lives, and removed by the next run once it was killed."""

from __future__ import annotations

import os
import signal
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from tracker_blur.files import temporaries
from tracker_blur.files.atomic import replacing
from tracker_blur.files.temporaries import TemporaryFile, remove_leftovers

fcntl = pytest.importorskip("fcntl", reason="Windows locks no files this way")

WRITING = """
import sys, time
from pathlib import Path
from tracker_blur.files.atomic import replacing
with replacing(Path(sys.argv[1]), overwrite=False) as temporary:
    temporary.write_bytes(b"half")
    print(temporary, flush=True)
    time.sleep(60)
"""


@pytest.fixture(autouse=True)
def _new_run(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(temporaries, "_cleaned", set())


def started_run(target: Path) -> tuple[subprocess.Popen[str], Path]:
    """Start a run that is writing this target; return it and its temporary file."""
    run = subprocess.Popen(
        [sys.executable, "-c", WRITING, str(target)], stdout=subprocess.PIPE, text=True
    )
    assert run.stdout is not None
    return run, Path(run.stdout.readline().strip())


def test_what_a_killed_run_left_is_removed_by_the_next_run_in_that_folder(tmp_path: Path) -> None:
    run, leftover = started_run(tmp_path / "a.mp4")
    with run:
        run.send_signal(signal.SIGKILL)
    assert leftover.read_bytes() == b"half"
    with replacing(tmp_path / "b.mp4", overwrite=False) as temporary:
        temporary.write_bytes(b"whole")
    assert [path.name for path in tmp_path.iterdir()] == ["b.mp4"]


def test_leftovers_are_removed_as_often_as_it_is_asked_for(tmp_path: Path) -> None:
    for _ in range(2):
        run, leftover = started_run(tmp_path / "a.mp4")
        with run:
            run.send_signal(signal.SIGKILL)
        remove_leftovers(tmp_path)
        assert not leftover.exists()


def test_what_a_live_run_is_writing_stays(tmp_path: Path) -> None:
    run, temporary = started_run(tmp_path / "a.mp4")
    try:
        with replacing(tmp_path / "b.mp4", overwrite=False):
            pass
        assert temporary.read_bytes() == b"half"
    finally:
        run.kill()
        run.communicate()


def test_files_of_others_stay(tmp_path: Path) -> None:
    for name in (".trackblur-0123456789ab.mp4", ".other", "trackblur-temporary-x.mp4"):
        (tmp_path / name).touch()
    (tmp_path / ".trackblur-temporary-folder").mkdir()
    (tmp_path / ".trackblur-temporary-link").symlink_to(tmp_path / ".other")
    os.mkfifo(tmp_path / ".trackblur-temporary-pipe")
    before = sorted(path.name for path in tmp_path.iterdir())
    remove_leftovers(tmp_path)
    assert sorted(path.name for path in tmp_path.iterdir()) == before


def test_a_folder_that_cannot_be_read_is_no_error(tmp_path: Path) -> None:
    remove_leftovers(tmp_path / "missing")


def test_a_file_that_another_run_takes_for_a_leftover_is_created_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    flock = fcntl.flock
    taken: list[Path] = []

    def unlinked_first(descriptor: int, operation: int) -> None:
        if not taken:  # the other run was faster
            taken.append(temporary.path)
            temporary.path.unlink()
        flock(descriptor, operation)

    temporary = TemporaryFile(tmp_path / "a.mp4", is_private=False)
    monkeypatch.setattr(fcntl, "flock", unlinked_first)
    temporary.create()
    assert temporary.path != taken[0]
    assert temporary.path.exists()
    temporary.remove()
    assert list(tmp_path.iterdir()) == []


def test_only_the_owner_may_read_a_private_one_from_the_start(tmp_path: Path) -> None:
    temporary = TemporaryFile(tmp_path / "a.html", is_private=True)
    temporary.create()
    assert stat.S_IMODE(temporary.path.stat().st_mode) == 0o600
    temporary.remove()
