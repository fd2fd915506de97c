"""Free ports of this machine that nothing else takes before a test does."""

from __future__ import annotations

import itertools
import os
import socket

# Below the ports that systems give to those who ask for any port or who connect: one of these
# could be given away between the check and the use. Each test process has a range of its own.
_FIRST, _RANGE_SIZE, _RANGES = 12_000, 1000, 16

_worker = os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw")
_range = (os.getppid() + int(_worker)) % _RANGES  # the parent is the same for all workers
_counter = itertools.count()


def free_port(kind: socket.SocketKind = socket.SOCK_STREAM) -> int:
    """Return a free port, another one each time."""
    while True:
        port = _FIRST + _RANGE_SIZE * _range + next(_counter) % _RANGE_SIZE
        with socket.socket(socket.AF_INET, kind) as probe:
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
        return port
