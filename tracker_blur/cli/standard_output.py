"""Standard output: results, which other programs may read."""

from __future__ import annotations

import os
import sys

from tracker_blur.errors import SinkError, reason_of
from tracker_blur.text import escaped


def print_line(*lines: str) -> None:
    """Write lines to standard output at once, with escapes for what a terminal would obey.

    Raises:
        SinkError: they cannot be written, as on a full disk.
        BrokenPipeError: the reader has gone.
    """
    write_out("\n".join(map(escaped, lines)))


def write_out(text: str) -> None:
    """Print to standard output; raises as `print_line` does."""
    try:
        print(text, flush=True)
    except BrokenPipeError:
        raise
    except OSError as error:
        discard_output()
        raise SinkError(
            f"standard output cannot be written ({reason_of(error)}): send it elsewhere"
        ) from error


def discard_output() -> None:
    """Discard the rest of standard output: writing what its buffer holds would fail again."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
