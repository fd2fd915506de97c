"""The program as it runs in a terminal, also where tests run in the background.

There, interrupts and hang-ups are ignored by all that is started.
"""

from __future__ import annotations

import sys

_HEEDING = """
import signal
signal.signal(signal.SIGINT, signal.default_int_handler)
if hasattr(signal, "SIGHUP"):
    signal.signal(signal.SIGHUP, signal.SIG_DFL)
from tracker_blur.cli.main import main
main()
"""

PROGRAM = (sys.executable, "-c", _HEEDING)
"""A command that heeds signals, to which the program's words are added."""
