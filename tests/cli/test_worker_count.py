"""How many files are redacted at once, by default and on request."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

from tracker_blur.cli import worker_count
from tracker_blur.files.jobs import Job

if TYPE_CHECKING:
    from pathlib import Path

MEGABYTE = 1 << 20


@pytest.fixture(autouse=True)
def _machine(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Give the machine 8 cores, 100 GB of free memory, and no control group."""
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: set(range(8)), raising=False)
    monkeypatch.setattr(worker_count, "_PROC_MEMORY", tmp_path / "meminfo")
    (tmp_path / "meminfo").write_text("MemTotal: 200000000 kB\nMemAvailable:   100000000 kB\n")
    monkeypatch.setattr(worker_count, "_GROUP_MEMORY", (tmp_path / "memory.max",))
    monkeypatch.setattr(worker_count, "_GROUP_CORES", tmp_path / "cpu.max")


def jobs(folder: Path, count: int, size_bytes: int) -> list[Job]:
    found = []
    for number in range(count):
        source = folder / f"{number}.jpg"
        with source.open("wb") as file:
            file.truncate(size_bytes)
        found.append(Job(source, folder / "out" / source.name, "image"))
    return found


@pytest.mark.parametrize(
    ("count", "size_bytes", "expected"),
    [
        (1, 100 * MEGABYTE, 1),
        (2, 100 * MEGABYTE, 2),
        (20, MEGABYTE, 8),
        (3, 1000, 1),  # done sooner than another process starts
        (200, 1000, 8),
    ],
)
def test_a_batch_uses_all_cores_unless_it_is_short(
    count: int, size_bytes: int, expected: int, tmp_path: Path
) -> None:
    assert worker_count.worker_count(jobs(tmp_path, count, size_bytes), None) == expected


@pytest.mark.parametrize(("asked", "expected"), [(1, 1), (3, 3), (64, 5)])
def test_what_was_asked_for_counts_up_to_a_process_for_each_file(
    asked: int, expected: int, tmp_path: Path
) -> None:
    assert worker_count.worker_count(jobs(tmp_path, 5, 10), asked) == expected


def test_little_memory_limits_the_processes(tmp_path: Path) -> None:
    batch = jobs(tmp_path, 20, MEGABYTE)
    (tmp_path / "memory.max").write_text(f"{3 << 30}\n")
    assert worker_count.worker_count(batch, None) == 3
    (tmp_path / "memory.max").write_text("max\n")
    assert worker_count.worker_count(batch, None) == 8
    (tmp_path / "meminfo").write_text("MemAvailable: 100000 kB\n")
    assert worker_count.worker_count(batch, None) == 1
    (tmp_path / "meminfo").unlink()  # another system
    assert worker_count.free_memory_bytes() is None
    assert worker_count.worker_count(batch, None) == 8


def test_a_container_may_have_fewer_cores(tmp_path: Path) -> None:
    (tmp_path / "cpu.max").write_text("250000 100000\n")
    assert worker_count.core_count() == 2
    (tmp_path / "cpu.max").write_text("max 100000\n")
    assert worker_count.core_count() == 8


def test_a_file_that_has_gone_is_no_error(tmp_path: Path) -> None:
    job = Job(tmp_path / "none.jpg", tmp_path / "out.jpg", "image")
    assert worker_count.worker_count([job, job], None) == 1
