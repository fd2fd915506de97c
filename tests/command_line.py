"""Runs the command line in this process."""

from __future__ import annotations

import signal
import sys
from typing import TYPE_CHECKING

from tracker_blur.cli import main

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    import pytest

_NAMES = ("SIGINT", "SIGTERM", "SIGHUP")
_SIGNALS = [getattr(signal, name) for name in _NAMES if hasattr(signal, name)]


def run(*arguments: str | Path) -> int:
    """Run the command line in this process and return its exit code."""
    handlers = {number: signal.getsignal(number) for number in _SIGNALS}
    hook = sys.unraisablehook
    try:
        code: object = main.run([str(argument) for argument in arguments])
    except SystemExit as ended:  # usage errors, and help
        code = ended.code
    finally:
        sys.unraisablehook = hook
        for number, handler in handlers.items():
            signal.signal(number, handler)
    assert isinstance(code, int)
    return code


def run_train(arguments: Iterable[str | Path]) -> int:
    """Run `trackblur train` and return its exit code."""
    return run("train", *arguments)


def error_line(capsys: pytest.CaptureFixture[str]) -> str:
    """Return the only error line that was printed."""
    lines = [line for line in capsys.readouterr().err.splitlines() if "error:" in line]
    assert len(lines) == 1, lines
    return lines[0]
