"""The program with the signal handling that it has in a terminal.

Programs that are started in the background ignore interrupts and hang-ups.
"""

from __future__ import annotations

import sys

_MAIN = """
import signal
signal.signal(signal.SIGINT, signal.default_int_handler)
if hasattr(signal, "SIGHUP"):
    signal.signal(signal.SIGHUP, signal.SIG_DFL)
from tracker_blur.cli.main import main
main()
"""

INTERRUPTIBLE_PROGRAM = (sys.executable, "-c", _MAIN)
"""The command to which a test adds the program's arguments."""
