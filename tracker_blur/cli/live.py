"""`trackblur live`: hides faces in what a camera or a stream shows, as it happens."""

from __future__ import annotations

import json
import os
import signal
import sys
import threading
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import replace
from typing import TYPE_CHECKING, Any, TextIO

from tracker_blur.cli.console import EXIT_DONE, EXIT_INTERRUPTED, Console
from tracker_blur.cli.live_options import add_options
from tracker_blur.cli.options import settings_from
from tracker_blur.cli.standard_output import print_line
from tracker_blur.cli.terminal_keys import quit_key
from tracker_blur.cli.token_files import read_token
from tracker_blur.core import plugins
from tracker_blur.errors import SettingsError, SinkError, reason_of
from tracker_blur.realtime.settings import LiveSettings
from tracker_blur.settings import Settings

if TYPE_CHECKING:
    import argparse
    from collections.abc import Callable, Iterator

    from tracker_blur.cli.parser import Parser
    from tracker_blur.realtime.controls import Controls
    from tracker_blur.realtime.status import Status

_SIGNALS = ("SIGINT", "SIGTERM", "SIGHUP")
_STATUS_SECONDS = 1.0
_LAST_LINE_SECONDS = 1.0

_DESCRIPTION = (
    "Hide every face in what a camera or a stream shows, as it happens. If anything fails, the "
    "whole frame is hidden until it works again."
)
_EPILOG = (
    "The session ends when you quit (q, here or in the window, or Ctrl-C) or the source ends. The "
    "exit code is 0, or 1 if the source was interrupted, or a target or the detector is failing at "
    "that time. Recordings are always complete. Targets: window, virtual, web, a file (.mp4, "
    ".mkv), an address (rtmp, rtsp, srt, udp), a playlist (live.m3u8), or - for standard output. "
    "--json prints a line each second, to standard error if standard output carries video."
)


def add_parser(commands: Any) -> Parser:
    """Add this command's parser to the `argparse` sub-parsers and return it."""
    parser: Parser = commands.add_parser(
        "live",
        usage="%(prog)s [SOURCE] [--to TARGET ...] [options]",
        help="hide faces in the video of a camera or a stream",
        description=_DESCRIPTION,
        epilog=_EPILOG,
        examples=(
            "trackblur live                                # the first camera, in a window",
            "trackblur live 0 --to web:8080 recording.mkv",
            "trackblur live rtsp://camera/stream --to rtmp://server/app/key --method solid",
        ),
    )
    add_options(parser)
    return parser


def run(options: argparse.Namespace, console: Console) -> int:
    """Run the session until it ends."""
    with console.in_background():
        try:
            return _run(options, console)
        except KeyboardInterrupt:
            console.announce("interrupted: no partial file is left")
            return EXIT_INTERRUPTED


def _run(options: argparse.Namespace, console: Console) -> int:
    from tracker_blur.cli.console import silence_libraries
    from tracker_blur.cli.live_names import check_names
    from tracker_blur.cli.settings_notes import warn_if_cosmetic
    from tracker_blur.realtime.controls import Controls
    from tracker_blur.realtime.session import Session
    from tracker_blur.realtime.sources import open_source
    from tracker_blur.realtime.targets import TargetContext, open_target

    silence_libraries()
    if options.list_cameras:
        _list_cameras(console)
        return EXIT_DONE
    settings = settings_from(options, Settings)
    live = settings_from(options, LiveSettings)
    if options.token_file is not None:
        live = replace(live, token=read_token(options.token_file))
    names = [name for several in options.to or [["window"]] for name in several]
    check_names(options.source, names, overwrite=settings.overwrite)
    stream = sys.stderr if "-" in names else sys.stdout
    if options.json and stream is None:
        raise SettingsError(
            f"--json: standard {'error' if '-' in names else 'output'} is closed: open it"
        )
    warn_if_cosmetic(settings, console)
    controls = Controls(
        _methods(settings),
        hide_all=live.hide_all,
        timing=live.timing,
        allow_weaker=live.allow_weaker,
    )
    source = open_source(options.source, live, realtime=options.realtime)
    session = Session(source, settings, live, controls, console.warn, console.note, console.text)
    context = TargetContext(
        settings, live, controls, lambda: session.status, console.note, console.announce
    )
    targets = [open_target(name, context) for name in names]
    session.add(targets)
    console.note(
        f"{source.name} -> {', '.join(target.name for target in targets)}; "
        f"detector {session.detector_name}; method {settings.method}"
    )
    metrics: AbstractContextManager[object] = nullcontext()
    if options.metrics_port is not None:
        from tracker_blur.realtime.metrics import Metrics

        metrics = server = Metrics(
            options.metrics_port, lambda: session.status, live.timing, console.warn
        )
        console.note(f"metrics for Prometheus at {server.url}")
    status_lines: AbstractContextManager[object] = nullcontext()
    if options.json:
        status_lines = _status_lines(stream, lambda: session.status, controls)
    keys: AbstractContextManager[None] = nullcontext()
    if options.source != "-":
        keys = quit_key(controls.quit)
    with _ended_by_signals(controls), keys, metrics, session, status_lines:
        session.run()
    status = session.status
    if not status.frames_in:  # ended while it waited for its source
        raise KeyboardInterrupt
    console.note(
        f"{status.frames_out} frames in {status.seconds:.1f} seconds: {status.repeated} repeated, "
        f"{status.covers} fully hidden; {status.dropped} of {status.frames_in} dropped; median "
        f"delay {status.delay_median_ms:.0f} ms"
    )
    _check_targets(status)
    return EXIT_DONE


def _list_cameras(console: Console) -> None:
    from tracker_blur.realtime.sources.camera import list_cameras

    cameras = list_cameras()
    for line in cameras:
        print_line(line)
    if not cameras:
        console.warn("this machine has no camera")


def _methods(settings: Settings) -> list[str]:
    """Return the methods that there are settings for, the current one first."""
    others = [
        name
        for name in plugins.names("tracker_blur.redaction.methods")
        if name != settings.method and (name != "image" or settings.image is not None)
    ]
    return [settings.method, *others]


@contextmanager
def _ended_by_signals(controls: Controls) -> Iterator[None]:
    """Let a signal end the session with complete files; later ones are ignored while it ends.

    That takes seconds at most, and files would be incomplete otherwise.
    """
    has_come = False

    def end(_number: int, _frame: object) -> None:
        nonlocal has_come
        has_come = True
        controls.quit()

    numbers = [getattr(signal, name) for name in _SIGNALS if hasattr(signal, name)]
    handled = [number for number in numbers if signal.getsignal(number) != signal.SIG_IGN]  # nohup
    before = {number: signal.signal(number, end) for number in handled}
    try:
        yield
    finally:
        if not has_come:  # later signals are ignored up to the program's end
            for number, handler in before.items():
                signal.signal(number, handler)


@contextmanager
def _status_lines(
    stream: TextIO, status: Callable[[], Status], controls: Controls
) -> Iterator[None]:
    """Write the status as a JSON line each second and at the end.

    A reader that goes away ends the session. What cannot be written, as on a full disk, raises
    SinkError at the end.
    """
    ended = threading.Event()
    failures: list[OSError] = []

    def write() -> None:
        while True:
            is_last = ended.wait(_STATUS_SECONDS)
            try:
                os.write(stream.fileno(), f"{json.dumps(status().as_dict())}\n".encode())
            except BrokenPipeError:
                controls.quit()
                return
            except OSError as error:  # no reason to stop anything else
                failures.append(error)
                return
            if is_last:
                return

    writer = threading.Thread(target=write, name="status lines", daemon=True)
    writer.start()
    try:
        yield
    finally:
        ended.set()
        writer.join(_LAST_LINE_SECONDS)  # a reader that does not read holds up nothing
    if failures:
        raise SinkError(
            f"--json: cannot write the status ({reason_of(failures[0])}): send it elsewhere"
        )


def _check_targets(status: Status) -> None:
    """Raise SinkError if a target never took a frame, or is failing at the end."""
    for target in status.targets:
        if target.state == "failed":
            raise SinkError(target.error)
        if status.frames_out and not target.shown:
            raise SinkError(f"{target.name}: never took a frame")
