"""`--json`: how a session fares, a line each second."""

from __future__ import annotations

import json
import os
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TextIO

from tracker_blur.errors import SinkError, reason_of
from tracker_blur.realtime.controls import Controls
from tracker_blur.realtime.status import Status

_SECONDS = 1.0
_LAST_LINE_SECONDS = 1.0


@contextmanager
def told(lines: TextIO, status: Callable[[], Status], controls: Controls) -> Iterator[None]:
    """Write the status each second, and once more at the end; a reader who goes ends the session.

    Raises SinkError at the end when lines could not be written, as on a full disk.
    """
    ended = threading.Event()
    failures: list[OSError] = []

    def tell() -> None:
        while True:
            is_last = ended.wait(_SECONDS)
            try:
                os.write(lines.fileno(), f"{json.dumps(status().as_dict())}\n".encode())
            except BrokenPipeError:
                controls.quit()
                return
            except OSError as error:  # no reason to let anything else stop
                failures.append(error)
                return
            if is_last:
                return

    teller = threading.Thread(target=tell, name="teller", daemon=True)
    teller.start()
    try:
        yield
    finally:
        ended.set()
        teller.join(_LAST_LINE_SECONDS)  # a reader that reads nothing holds up no one
    if failures:
        reason = reason_of(failures[0])
        raise SinkError(f"--json: lines cannot be written ({reason}): send them elsewhere")
