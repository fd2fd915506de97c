"""The library function `live`: redacted frames of a live source, in a loop."""

from __future__ import annotations

import threading
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from tracker_blur.errors import InputError
from tracker_blur.realtime.controls import Controls
from tracker_blur.realtime.handoff import Latest
from tracker_blur.realtime.session import Session
from tracker_blur.realtime.settings import LiveSettings
from tracker_blur.realtime.sources import open_source
from tracker_blur.settings import Settings

if TYPE_CHECKING:
    from collections.abc import Callable, Generator

    from tracker_blur.core.frame import Image
    from tracker_blur.realtime.delivery import AudioChunk, Delivery, Format


def live(
    source: int | str | Path = 0,
    settings: Settings | None = None,
    live_settings: LiveSettings | None = None,
    *,
    realtime: bool = False,
    controls: Controls | None = None,
    warn: Callable[[str], None] | None = None,
    tell: Callable[[str], None] | None = None,
) -> Generator[Image, None, None]:
    """Yield redacted frames as they come, shape (height, width, 3), BGR, uint8.

    Frames come at a steady rate; a slow caller misses some. If anything fails, frames are fully
    hidden until it works again. Leaving the loop or closing the iterator ends the session.

    Args:
        source: A camera's number or device, an address, or, with `realtime`, a file.
        settings: How faces are detected and hidden; `delay_seconds` is the look-ahead.
        live_settings: How frames are captured and when whole frames are hidden.
        realtime: Whether to play a file at its own speed.
        controls: Change the session from another thread, for example to hide everything.
        warn: Called with each problem and other messages, one line each, from any thread.
        tell: Older name of `warn`.

    Raises:
        InputError: When an argument is of another type.
        SettingsError: When a setting makes no sense.
        ModelError: When a weight file is missing or corrupt.
        SourceError: When the source cannot be opened, or was interrupted.
        TrackerBlurError: When the source ends while the detector hangs.
    """
    if not isinstance(source, (int, str, Path)):
        raise InputError(f"source is {source!r}: give a camera's number, an address or a path")
    for name, value, kind in (
        ("settings", settings, Settings),
        ("live_settings", live_settings, LiveSettings),
        ("controls", controls, Controls),
    ):
        if not isinstance(value, (kind, type(None))):
            raise InputError(f"{name} is {value!r}: give {kind.__name__}(...)")
    for name, function in (("warn", warn), ("tell", tell)):
        if function is not None and not callable(function):
            raise InputError(f"{name} is {function!r}: give a function")
    chosen = settings or Settings(detect_every_frames="auto")
    live_settings = live_settings or LiveSettings()
    controls = controls or Controls(
        [chosen.method],
        hide_all=live_settings.hide_all,
        timing=live_settings.timing,
        allow_weaker=live_settings.allow_weaker,
    )
    newest = _NewestImage()
    report = warn or tell or _ignore
    session = Session(
        open_source(str(source), live_settings, realtime=realtime),
        replace(chosen, one_pass=True),
        live_settings,
        controls,
        report,
        report,
    )
    session.add([newest])
    return _images(session, controls, newest, live_settings.timing.library_poll_seconds)


def _ignore(text: str) -> None:
    pass


def _images(
    session: Session, controls: Controls, newest: _NewestImage, poll_seconds: float
) -> Generator[Image, None, None]:
    failures: list[BaseException] = []

    def run() -> None:
        try:
            session.run()
        except BaseException as error:  # noqa: BLE001  # raised in the caller's thread
            failures.append(error)
        finally:
            newest.images.close()

    with session:
        thread = threading.Thread(target=run, name="session", daemon=True)
        thread.start()
        try:
            while thread.is_alive():
                image = newest.images.take(poll_seconds)
                if image is not None:
                    yield image
        finally:
            controls.quit()
            thread.join()
    if failures:
        raise failures[0]


class _NewestImage:
    """A target that keeps the newest frame as an image, for `live`."""

    name = "library"
    is_reached = True

    def __init__(self) -> None:
        self.images: Latest[Image] = Latest()

    def open(self, format: Format) -> None:
        pass

    def show(self, delivery: Delivery) -> None:
        frame = delivery.redacted.frame
        self.images.put(frame.view(frame.size))

    def play(self, audio: AudioChunk) -> None:
        pass

    def close(self) -> None:
        pass
