"""The command line: which command is meant, and what the process ends with."""

from __future__ import annotations

import importlib
import signal
import sys
from collections.abc import Sequence
from contextlib import suppress
from typing import NoReturn

EXIT_FAILED, EXIT_INTERRUPTED = 1, 130

_COMMANDS = {  # imported when called: `trackblur --help` should not wait for OpenCV
    "evaluate": ("evaluate", "run_evaluate"),
    "live": ("live", "run_live"),
    "models": ("models", "run_models"),
    "render": ("track", "run_render"),
    "track": ("track", "run_track"),
    "train": ("train", "run_train"),
    "tracks": ("tracks", "run_tracks"),
    "verify": ("verify", "run_verify"),
}
_REDACT = ("redact", "run_redact")


def main(arguments: Sequence[str] | None = None) -> NoReturn:
    """Run trackblur with these arguments (default: the process's own) and exit."""
    words = list(sys.argv[1:] if arguments is None else arguments)
    for name in ("SIGTERM", "SIGHUP"):  # so that nothing half-written stays
        number = getattr(signal, name, None)
        if number is not None and signal.getsignal(number) != signal.SIG_IGN:  # as under nohup
            signal.signal(number, _interrupt)
    is_command = bool(words) and words[0] in _COMMANDS
    module, function = _COMMANDS[words[0]] if is_command else _REDACT
    try:
        run = getattr(importlib.import_module(f"tracker_blur.cli.{module}"), function)
        sys.exit(run(words[is_command:]))
    except KeyboardInterrupt:
        with suppress(OSError):  # where nothing can be said, the exit code still tells
            sys.stderr.write("\ntrackblur: interrupted: nothing half-written is left\n")
        sys.exit(EXIT_INTERRUPTED)
    except BrokenPipeError:  # the reader of our output has gone, as in `trackblur --help | head`
        from tracker_blur.cli.console import discard_output

        discard_output()
        sys.exit(EXIT_FAILED)


def _interrupt(*_: object) -> NoReturn:
    raise KeyboardInterrupt
