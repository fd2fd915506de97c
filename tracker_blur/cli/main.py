"""The entry point of the command line: signals, and how the process ends.

It imports the commands only once signals are handled, so that there is no moment at which one shows
a traceback.
"""

from __future__ import annotations

import atexit
import os
import sys
import threading
from contextlib import suppress
from typing import TYPE_CHECKING, NoReturn

from tracker_blur.cli.interruption import handle_signals, ignore_signals

if TYPE_CHECKING:
    from collections.abc import Sequence


def main(arguments: Sequence[str] | None = None) -> NoReturn:
    """Run trackblur with these arguments (default: those of the process) and end the process."""
    ending = _Ending()
    atexit.register(ending)  # before what the program imports does, so that it is called last
    try:
        ending.code = run(list(sys.argv[1:] if arguments is None else arguments))
    except SystemExit as ended:
        ending.code = ended.code if isinstance(ended.code, int) else int(ended.code is not None)
        raise
    sys.exit(ending.code)


def run(arguments: list[str]) -> int:
    """Run trackblur with these arguments and return the exit code.

    Raises SystemExit for usage errors and help, as `argparse` does.
    """
    code = 1
    _open_closed_streams()
    try:
        handle_signals()
        code = _exit_code(arguments)
    except KeyboardInterrupt:
        with suppress(OSError, AttributeError):  # standard error may be full or closed
            sys.stderr.write("\ntrackblur: interrupted: no partial file is left\n")
        code = 130
    finally:
        ignore_signals()
    return code


class _Ending:
    """Ends the process without Python's own end if threads are left, as in opening a stream.

    Python would take its objects and C libraries their data from under them, and now and then
    they would crash the process.
    """

    code = 1

    def __call__(self) -> None:
        if threading.active_count() == 1:
            return
        for stream in (sys.stdout, sys.stderr):
            try:
                if stream is not None and not stream.closed:
                    stream.flush()
            except OSError:  # its file system is full, or no one reads it
                self.code = self.code or 1
        os._exit(self.code)


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
