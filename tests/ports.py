"""Ports of this machine that nobody else takes before a test does."""

from __future__ import annotations

import itertools
import os
import socket

# Below those that systems give to whoever asks for any port, and to who connects: between the look
# and the use of a port, one of these could be given to somebody else. Each process that runs tests
# has a stretch of its own.
_FIRST, _STRETCH, _STRETCHES = 12_000, 1000, 16

_worker = os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw")
_stretch = (os.getppid() + int(_worker)) % _STRETCHES  # the parent is the same for all workers
_turns = itertools.count()


def free_port(kind: socket.SocketKind = socket.SOCK_STREAM) -> int:
    """Return a port that is free, another one each time."""
    while True:
        port = _FIRST + _STRETCH * _stretch + next(_turns) % _STRETCH
        with socket.socket(socket.AF_INET, kind) as probe:
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
        return port
