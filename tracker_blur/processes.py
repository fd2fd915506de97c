"""Child processes that run Python."""

from __future__ import annotations

import os
import sys


def python_environment(**added: str) -> dict[str, str]:
    """Return an environment in which Python finds the packages that this process uses.

    Args:
        added: further variables.
    """
    path = os.pathsep.join(sys.path)
    return {**os.environ, "PYTHONPATH": path, "PYTHONSAFEPATH": "1", **added}
