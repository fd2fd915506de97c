"""Live: from a camera or a stream to targets, with never a raw frame among what leaves.

The package is called as the library's function is, `tracker_blur.live(...)`, and so it can be
called itself: Python puts a package's modules in the place of functions of the same name.
"""

from __future__ import annotations

import sys
from types import ModuleType
from typing import Any


class _Live(ModuleType):
    def __call__(self, *arguments: Any, **named: Any) -> Any:
        from tracker_blur.live.library import live  # loads OpenCV

        return live(*arguments, **named)


sys.modules[__name__].__class__ = _Live
