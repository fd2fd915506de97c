"""The key q in the terminal of a session, on a pseudo-terminal."""

from __future__ import annotations

import os
import pty
import signal
import sys
import termios
import textwrap
from contextlib import contextmanager
from typing import TYPE_CHECKING

import pytest

from tests.waiting import until

if TYPE_CHECKING:
    from collections.abc import Iterator

_ECHO_AND_LINES = termios.ICANON | termios.ECHO
_PROGRAM = """
    import signal, sys, threading
    sys.path[:0] = {path!r}
    from tracker_blur.cli.terminal_keys import quit_key
    ended = threading.Event()
    try:
        with quit_key(ended.set):
            print("ready", flush=True)
            if sys.argv[1:] == ["fails"]:
                raise RuntimeError
            while not ended.wait(0.05):
                pass
            print("ended", flush=True)
    except RuntimeError:
        print("failed", flush=True)
"""


class Terminal:
    """A pseudo-terminal in which a program runs.

    Attributes:
        output: What the program has shown.
    """

    def __init__(self, process: int, descriptor: int) -> None:
        self.process = process
        self._descriptor = descriptor
        self.output = ""

    @property
    def has_lines_and_echo(self) -> bool:
        return termios.tcgetattr(self._descriptor)[3] & _ECHO_AND_LINES == _ECHO_AND_LINES

    def press(self, keys: bytes) -> None:
        os.write(self._descriptor, keys)

    def wait_for(self, text: str) -> None:
        while text not in self.output:
            self.output += os.read(self._descriptor, 1000).decode()


@contextmanager
def running(*arguments: str) -> Iterator[Terminal]:
    program = textwrap.dedent(_PROGRAM).format(path=sys.path)
    process, descriptor = pty.fork()
    if not process:
        signal.signal(signal.SIGINT, signal.SIG_DFL)  # a shell lets its background jobs ignore it
        command = [sys.executable, "-c", program, *arguments]
        os.execv(command[0], command)  # noqa: S606  # no shell is wanted
    try:
        yield Terminal(process, descriptor)
    finally:
        os.kill(process, signal.SIGKILL)
        os.waitpid(process, 0)
        os.close(descriptor)


def test_q_ends_it_and_the_terminal_is_as_before() -> None:
    with running() as terminal:
        terminal.wait_for("ready")
        assert not terminal.has_lines_and_echo
        terminal.press(b"x\n7")
        terminal.press(b"q")
        terminal.wait_for("ended")
        until(lambda: terminal.has_lines_and_echo)
        assert "x" not in terminal.output


def test_an_error_leaves_the_terminal_as_before() -> None:
    with running("fails") as terminal:
        terminal.wait_for("failed")
        assert terminal.has_lines_and_echo


@pytest.mark.parametrize("key", [b"\x1c", b"\x03"])  # Ctrl-\ and Ctrl-C
def test_a_signal_from_the_keyboard_leaves_the_terminal_as_before(key: bytes) -> None:
    with running() as terminal:
        terminal.wait_for("ready")
        terminal.press(key)
        until(lambda: terminal.has_lines_and_echo)


def test_a_suspended_program_gives_the_terminal_back_and_takes_it_up_again() -> None:
    with running() as terminal:
        terminal.wait_for("ready")
        terminal.press(b"\x1a")  # Ctrl-Z
        until(lambda: terminal.has_lines_and_echo)
        os.kill(terminal.process, signal.SIGCONT)
        until(lambda: not terminal.has_lines_and_echo)
        terminal.press(b"Q")
        terminal.wait_for("ended")


def test_without_a_terminal_nothing_is_read() -> None:
    from tracker_blur.cli.terminal_keys import quit_key

    with quit_key(lambda: pytest.fail("no one pressed q")):
        pass
