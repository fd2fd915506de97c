"""The key q in the terminal of a session, on Linux and macOS."""

from __future__ import annotations

import os
import select
import signal
import sys
import threading
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING

try:
    import termios
except ImportError:  # Windows
    termios = None  # type: ignore[assignment]  # checked before use

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

_POLL_SECONDS = 0.1
_LOCAL_FLAGS, _QUIT = 3, b"q"


@contextmanager
def quit_key(end: Callable[[], None]) -> Iterator[None]:
    """Call `end` when q is pressed in the terminal that is standard input, if it is one.

    Keys are read as they are pressed and not shown meanwhile. The terminal gets its mode back at
    the end, however the session ends, and while the program is suspended (Ctrl-Z). A session in the
    background of a shell leaves the terminal alone.
    """
    if termios is None or sys.stdin is None or not sys.stdin.isatty():
        yield
        return
    terminal = _Terminal(sys.stdin.fileno())
    ended = threading.Event()

    def read() -> None:
        while not ended.is_set():
            keys = terminal.keys(_POLL_SECONDS)
            if keys is None:
                return
            if _QUIT in keys.lower():
                end()
                return

    reader = threading.Thread(target=read, name="terminal keys", daemon=True)
    with _restored_by_signals(terminal):
        terminal.begin()
        reader.start()
        try:
            yield
        finally:
            ended.set()
            reader.join()
            terminal.restore()


class _Terminal:
    """The mode of a terminal. Only the shell's foreground job may change it or read keys."""

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor
        self._before = termios.tcgetattr(descriptor)

    def begin(self) -> None:
        """Pass keys on at once, without showing them."""
        if self._is_ours():
            mode = list(self._before)
            mode[_LOCAL_FLAGS] &= ~(termios.ICANON | termios.ECHO)
            termios.tcsetattr(self._descriptor, termios.TCSANOW, mode)

    def restore(self) -> None:
        """Give back the mode that it had."""
        if self._is_ours():
            termios.tcsetattr(self._descriptor, termios.TCSANOW, self._before)

    def keys(self, timeout_seconds: float) -> bytes | None:
        """Wait for keys and return them; b"" after the timeout, None once there is no terminal."""
        try:
            ready, _, _ = select.select([self._descriptor], [], [], timeout_seconds)
            if not ready:
                return b""
            if not self._is_ours():
                threading.Event().wait(timeout_seconds)
                return b""
            return os.read(self._descriptor, 64) or None
        except OSError:  # it was closed
            return None

    def _is_ours(self) -> bool:
        with suppress(OSError):
            return os.tcgetpgrp(self._descriptor) == os.getpgrp()
        return False


@contextmanager
def _restored_by_signals(terminal: _Terminal) -> Iterator[None]:
    """Restore the terminal before a signal suspends or aborts the program, and take it up again."""

    def stop(number: int, _frame: object) -> None:
        terminal.restore()
        signal.signal(number, signal.SIG_DFL)
        os.kill(os.getpid(), number)
        signal.signal(number, stop)  # continued

    def go_on(_number: int, _frame: object) -> None:
        terminal.begin()

    handlers = {signal.SIGTSTP: stop, signal.SIGQUIT: stop, signal.SIGCONT: go_on}
    before = {number: signal.signal(number, handler) for number, handler in handlers.items()}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
