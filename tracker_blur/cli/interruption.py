"""Signals that end the program: the first wins, all later ones are ignored while it ends.

A signal raises KeyboardInterrupt in the main thread, so that `finally` blocks delete what is half-
written. It would break what opens or closes a file or a thread, and modules in C lose it while they
are imported. So there it is raised a moment later, and a second one is never raised. Two more
places would lose the exception: code that turns every error into its own, for which
`raise_if_interrupted` is called where errors are handled; and code that cannot raise, such as
`__del__`, for which it is raised once more.

This imports as little as possible: until signals are handled, one ends in a traceback.
"""

from __future__ import annotations

import signal
import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import FrameType

_NAMES = ("SIGINT", "SIGTERM", "SIGHUP")
_OPENING_AND_CLOSING = {"__enter__", "__exit__", "__del__", "close"}
_IMPORTING = "<frozen importlib._bootstrap>"
_AGAIN_SECONDS = 0.02
_MAX_DEFERRALS = 250  # five seconds: longer than anything takes that does not hang


class _State:
    """Of this process, which has one set of signal handlers.

    Attributes:
        handled: the signals.
        is_interrupted: whether one of them came.
        is_over: whether they are ignored because the work is done.
        deferrals: how often it came while something was opened or closed.
    """

    def __init__(self) -> None:
        self.handled: list[int] = []
        self.is_interrupted = False
        self.is_over = False
        self.deferrals = 0


_state = _State()


def handle_signals() -> None:
    """Let signals raise KeyboardInterrupt, except for those that the parent set to be ignored."""
    _state.is_interrupted = _state.is_over = False
    _state.deferrals = 0
    _state.handled = []
    for name in _NAMES:
        number = getattr(signal, name, None)
        if number is not None and signal.getsignal(number) != signal.SIG_IGN:  # set by nohup
            _state.handled.append(number)
            signal.signal(number, _interrupt)
    sys.unraisablehook = _raising_again(sys.unraisablehook)


def ignore_signals() -> None:
    """Ignore them from now on: the work is done, and the interpreter ends."""
    _state.is_over = True
    if _state.deferrals:
        signal.setitimer(signal.ITIMER_REAL, 0)
        _state.handled.append(signal.SIGALRM)
    for number in _state.handled:
        signal.signal(number, signal.SIG_IGN)


def raise_if_interrupted(error: BaseException) -> None:
    """Raise KeyboardInterrupt if that is what an error was made of."""
    if _state.is_interrupted:
        raise KeyboardInterrupt from error


def _interrupt(_number: int, frame: FrameType | None) -> None:
    # While it ends, the handler stays: Python reports a signal whose handler goes away meanwhile.
    if _state.is_interrupted or _state.is_over:
        return
    if _state.deferrals < _MAX_DEFERRALS and _is_delicate(frame) and _try_again_later():
        _state.deferrals += 1
        return
    _state.is_interrupted = True
    raise KeyboardInterrupt


def _is_delicate(frame: FrameType | None) -> bool:
    """Return whether something is opened, closed or imported."""
    while frame is not None:
        code = frame.f_code
        if code.co_name in _OPENING_AND_CLOSING or code.co_filename == _IMPORTING:
            return True
        frame = frame.f_back
    return False


def _try_again_later() -> bool:
    """Let an alarm interrupt instead, where the system has one. Threads may not start here."""
    if not hasattr(signal, "setitimer"):  # Windows
        return False
    signal.signal(signal.SIGALRM, _interrupt)
    signal.setitimer(signal.ITIMER_REAL, _AGAIN_SECONDS)
    return True


def _raising_again(
    hook: Callable[[sys.UnraisableHookArgs], object],
) -> Callable[[sys.UnraisableHookArgs], object]:
    """Return a hook that raises KeyboardInterrupt again where it could not be raised."""

    def handle(unraisable: sys.UnraisableHookArgs) -> None:
        kind = unraisable.exc_type
        if _state.is_interrupted and issubclass(kind, KeyboardInterrupt):
            _state.is_interrupted = False  # without an alarm, the next signal counts
            _try_again_later()
        elif not (_state.is_over and issubclass(kind, OSError) and unraisable.object is None):
            hook(unraisable)
        # The rest is a signal that came just before it was ignored.

    return handle
