"""Locks that end with the processes that have them."""

from __future__ import annotations

import subprocess
import sys
from typing import TYPE_CHECKING

from tests.waiting import until
from tracker_blur.files.locking import FileLock

if TYPE_CHECKING:
    from pathlib import Path


def test_one_has_the_lock_at_a_time(tmp_path: Path) -> None:
    one, other = FileLock(tmp_path / "lock"), FileLock(tmp_path / "lock")
    assert not other.is_held()
    assert one.acquire()
    assert other.is_held()
    assert not other.acquire()
    one.release()
    assert not other.is_held()
    assert other.acquire()
    other.release()


def test_a_child_keeps_the_lock_until_it_ends(tmp_path: Path) -> None:
    lock = FileLock(tmp_path / "lock")
    assert lock.acquire()
    assert lock.descriptor is not None
    child = subprocess.Popen(
        [sys.executable, "-S", "-c", "input()"],
        stdin=subprocess.PIPE,
        pass_fds=(lock.descriptor,),
    )
    lock.release()
    assert lock.is_held()
    child.kill()
    child.communicate()
    until(lambda: not lock.is_held())
