"""`trackblur live`: hides the faces in what a camera or a stream shows, as it happens."""

from __future__ import annotations

import argparse
import os
import signal
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from typing import TYPE_CHECKING

from tracker_blur.cli.arguments import settings_of
from tracker_blur.cli.live_arguments import live_parser, live_settings_of
from tracker_blur.core import plugins
from tracker_blur.errors import SettingsError, SinkError
from tracker_blur.settings import Settings

if TYPE_CHECKING:
    from tracker_blur.cli.console import Console
    from tracker_blur.realtime.controls import Controls
    from tracker_blur.realtime.status import Status

_SAME_SIGNAL_SECONDS = 1.0  # supervisors send one to a process and to its group
_SIGNALS = ("SIGINT", "SIGTERM", "SIGHUP")


def run_live(words: Sequence[str]) -> int:
    """Run with these arguments; return the exit code."""
    _fill_standard_streams()
    options = live_parser().parse_args(words)
    from tracker_blur.cli.console import Console, guarded  # not needed by --help

    console = Console(options.quiet)
    return guarded(console, lambda: _live(options, console))


def _fill_standard_streams() -> None:
    """Open what is closed, or the next file or server opened would get what is said there."""
    for number in range(3):
        try:
            os.fstat(number)
        except OSError:
            os.open(os.devnull, os.O_RDWR)  # it gets the lowest number that is free: this one


def _live(options: argparse.Namespace, console: Console) -> None:
    from tracker_blur.cli.console import quieten
    from tracker_blur.cli.live_names import check_names
    from tracker_blur.cli.live_status import told
    from tracker_blur.realtime.controls import Controls
    from tracker_blur.realtime.metrics import Metrics
    from tracker_blur.realtime.session import Session
    from tracker_blur.realtime.sources import open_source
    from tracker_blur.realtime.targets import Context, open_target

    quieten()
    if options.list_cameras:
        _list_cameras(console)
        return
    settings = settings_of(options)
    live = live_settings_of(options)
    names = [name for several in options.to or [["window"]] for name in several]
    check_names(options.source, names, overwrite=settings.overwrite)
    lines = sys.stderr if "-" in names else sys.stdout
    if options.json and lines is None:
        raise SettingsError("--json: nothing is open to write lines to: open standard output")
    controls = Controls(_methods(settings), hide_all=live.hide_all)
    source = open_source(options.source, live, realtime=options.realtime)
    session = Session(source, settings, live, controls, console.warn, console.note)
    context = Context(settings, live, controls, lambda: session.status, console.note)
    targets = [open_target(name, context) for name in names]
    session.add(targets)
    console.note(
        f"{source.name} to {', '.join(target.name for target in targets)}: "
        f"detector {session.detector_name}, method {settings.method}"
    )
    metrics: AbstractContextManager[object] = nullcontext()
    if options.metrics_port is not None:
        metrics = server = Metrics(options.metrics_port, lambda: session.status)
        console.note(f"figures for Prometheus at {server.url}")
    telling = told(lines, lambda: session.status, controls) if options.json else nullcontext()
    with _ended_by_signals(controls), metrics, session, telling:
        session.run()
    status = session.status
    if not status.frames_in:  # ended while it waited for its source
        raise KeyboardInterrupt
    _say_the_end(status, console)
    _check_targets(status)


def _check_targets(status: Status) -> None:
    """Raise SinkError when a target never took a picture, or does not work at the end."""
    for target in status.targets:
        if target.state == "failed":
            raise SinkError(target.error)
        if status.frames_out and not target.shown:
            raise SinkError(f"{target.name}: never took a picture")


def _methods(settings: Settings) -> list[str]:
    """Return the methods that a person may go through, the one at work first."""
    others = [
        name
        for name in plugins.names("tracker_blur.redaction.methods")
        if name != settings.method and (name != "image" or settings.image is not None)
    ]
    return [settings.method, *others]


def _list_cameras(console: Console) -> None:
    from tracker_blur.realtime.sources.camera import cameras

    found = cameras()
    for line in found:
        sys.stdout.write(f"{line}\n")
    if not found:
        console.warn("this machine has no camera")


@contextmanager
def _ended_by_signals(controls: Controls) -> Iterator[None]:
    """Have a signal end the session with whole files, and a second, later one at once."""
    first: float | None = None

    def end(number: int, _: object) -> None:
        nonlocal first
        now = time.monotonic()
        if first is not None and now - first > _SAME_SIGNAL_SECONDS:
            raise KeyboardInterrupt
        first = first or now
        controls.quit()

    numbers = [getattr(signal, name) for name in _SIGNALS if hasattr(signal, name)]
    heeded = [number for number in numbers if signal.getsignal(number) != signal.SIG_IGN]  # nohup
    before = {number: signal.signal(number, end) for number in heeded}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _say_the_end(status: Status, console: Console) -> None:
    console.note(
        f"{status.frames_out} frames in {status.seconds:.1f} seconds: {status.repeated} repeated, "
        f"{status.covers} wholly hidden; {status.dropped} of {status.frames_in} dropped; delay "
        f"{status.delay_median_ms:.0f} ms (median)"
    )
