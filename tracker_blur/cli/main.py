"""The entry point of the command line: signals, and how the process ends.

It imports the commands only once signals are handled, so that there is no moment at which one shows
a traceback.
"""

from __future__ import annotations

import os
import sys
from contextlib import suppress
from typing import TYPE_CHECKING, NoReturn

from tracker_blur.cli.interruption import handle_signals, ignore_signals

if TYPE_CHECKING:
    from collections.abc import Sequence


def main(arguments: Sequence[str] | None = None) -> NoReturn:
    """Run trackblur with these arguments (default: those of the process) and exit."""
    code = 1
    _open_closed_streams()
    try:
        handle_signals()
        code = _exit_code(list(sys.argv[1:] if arguments is None else arguments))
    except KeyboardInterrupt:
        with suppress(OSError, AttributeError):  # standard error may be full or closed
            sys.stderr.write("\ntrackblur: interrupted: no partial file is left\n")
        code = 130
    finally:
        ignore_signals()
    sys.exit(code)


def _open_closed_streams() -> None:
    """Open those standard streams that our parent process had closed, to nothing.

    The next files would get their numbers, and what C libraries print would get into these files.
    `sys.stdin` and `sys.stdout` stay None, for those who must know.
    """
    for number in range(3):
        try:
            os.fstat(number)
        except OSError:
            os.open(os.devnull, os.O_RDWR)  # gets the lowest free number, which is this one
    if sys.stderr is None:
        sys.stderr = os.fdopen(2, "w", encoding="utf-8")


def _exit_code(arguments: list[str]) -> int:
    from tracker_blur.cli.commands import run_command
    from tracker_blur.cli.console import EXIT_FAILED
    from tracker_blur.cli.standard_output import discard_output

    try:
        return run_command(arguments)
    except BrokenPipeError:  # the reader of our output has gone, as in `trackblur --help | head`
        discard_output()
        return EXIT_FAILED
