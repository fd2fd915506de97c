"""What another Python process needs so that it finds the packages that this one has found."""

from __future__ import annotations

import os
import sys


def environment() -> dict[str, str]:
    """Return this process's environment, with all its places of packages and none of others."""
    return {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path), "PYTHONSAFEPATH": "1"}
