"""How many files are redacted at once: as many as there are cores, if the memory allows."""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tracker_blur.files.jobs import Job

_WORTHWHILE_BYTES = 6 << 20
"""Inputs of this size together take some seconds. Another process needs half a second to start."""

_LEAST_BYTES = 64 << 10
"""What each file counts at least: opening and writing it takes time, too."""

_WORKER_BYTES = 1 << 30
"""Memory for each process: a video of 4K needs 0.7 GB, an image of 24 megapixels 0.6."""

_PROC_MEMORY = Path("/proc/meminfo")
_GROUP_MEMORY = tuple(
    Path("/sys/fs/cgroup", name) for name in ("memory.max", "memory/memory.limit_in_bytes")
)
_GROUP_CORES = Path("/sys/fs/cgroup/cpu.max")


def worker_count(jobs: Sequence[Job], asked: int | None) -> int:
    """Return how many processes redact these files; 1 is this one.

    Args:
        jobs: the files.
        asked: how many the user wants at most; None: as it is best.
    """
    if asked is not None:
        return max(1, min(asked, len(jobs)))
    if sum(max(_LEAST_BYTES, job.size_bytes) for job in jobs) < _WORTHWHILE_BYTES:
        return 1
    counts = [len(jobs), core_count()]
    memory = free_memory_bytes()
    if memory is not None:
        counts.append(memory // _WORKER_BYTES)
    return max(1, min(counts))


def core_count() -> int:
    """Return how many cores this process may use, also within a container."""
    if hasattr(os, "sched_getaffinity"):
        count = len(os.sched_getaffinity(0))
    else:
        count = os.cpu_count() or 1
    with suppress(OSError, ValueError):  # not in a control group, or there is no limit ("max")
        quota, period = map(int, _GROUP_CORES.read_text().split())
        count = min(count, max(1, quota // period))
    return count


def free_memory_bytes() -> int | None:
    """Return how much memory this process may still use; None where that is unknown."""
    sizes = []
    with suppress(OSError):
        for line in _PROC_MEMORY.read_text().splitlines():
            name, _, value = line.partition(":")
            if name == "MemAvailable":
                sizes.append(int(value.split()[0]) << 10)
    for path in _GROUP_MEMORY:
        with suppress(OSError, ValueError):
            sizes.append(int(path.read_text()))
    return min(sizes, default=None)
