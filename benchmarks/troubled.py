"""trackblur, with a detector that is in trouble while a file says so.

    python benchmarks/troubled.py FILE live ...

FILE holds nothing, "slow SECONDS" or "raise".
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from tracker_blur.cli.main import main
from tracker_blur.detectors import onnx, yunet


def troubled(detect: Callable[..., Any], trouble: Path) -> Callable[..., Any]:
    """Return a detector's method that asks the file first."""

    def wrapped(*arguments: Any) -> Any:
        word, _, seconds = trouble.read_text().partition(" ")
        if word == "slow":
            time.sleep(float(seconds))
        if word == "raise":
            raise RuntimeError("the network fell over")
        return detect(*arguments)

    return wrapped


if __name__ == "__main__":
    path = Path(sys.argv.pop(1))
    for detector in (yunet.YuNet, onnx.Onnx):
        detector.detect = troubled(detector.detect, path)  # type: ignore[method-assign]  # its job
    sys.exit(main())
