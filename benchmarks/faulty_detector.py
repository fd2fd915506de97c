"""Runs trackblur with a detector that is slow or raises while a file says so.

    python benchmarks/faulty_detector.py FILE live ...

FILE is empty, or contains "slow SECONDS" or "raise".
"""

from __future__ import annotations

import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tracker_blur.cli.main import main
from tracker_blur.detectors import onnx, yunet

if TYPE_CHECKING:
    from collections.abc import Callable


def faulty(detect: Callable[..., Any], file: Path) -> Callable[..., Any]:
    """Return a detector's method that reads the file first."""

    def wrapped(*arguments: Any) -> Any:
        fault, _, seconds = file.read_text().partition(" ")
        if fault == "slow":
            time.sleep(float(seconds))
        if fault == "raise":
            raise RuntimeError("the network fell over")
        return detect(*arguments)

    return wrapped


if __name__ == "__main__":
    path = Path(sys.argv.pop(1))
    for detector in (yunet.YuNet, onnx.OnnxDetector):
        detector.detect = faulty(detector.detect, path)  # type: ignore[method-assign]  # its job
    sys.exit(main())
