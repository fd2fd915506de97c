"""`tracker_blur.live`: redacted pictures of a camera or a stream, for a loop of your own."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

from tracker_blur.core.frame import Image
from tracker_blur.realtime.controls import Controls
from tracker_blur.realtime.delivery import Delivery, Format, Sound
from tracker_blur.realtime.handoff import Latest
from tracker_blur.realtime.session import Session
from tracker_blur.realtime.settings import LiveSettings
from tracker_blur.realtime.sources import open_source
from tracker_blur.settings import Settings

_POLL_SECONDS = 0.5


def live(
    source: int | str | Path = 0,
    settings: Settings | None = None,
    live_settings: LiveSettings | None = None,
    *,
    realtime: bool = False,
    controls: Controls | None = None,
    tell: Callable[[str], None] = lambda text: None,
) -> Iterator[Image]:
    """Give redacted pictures, shape (height, width, 3), BGR, uint8, as they come; the newest wins.

    Pictures come at a steady rate; whatever fails, all of them is hidden until it works again.
    Leaving the loop, or closing the iterator, ends all.

    source    a camera's number or device, an address, or with `realtime` a file
    settings  how faces are found and hidden; `delay_seconds` is a look-ahead
    controls  what may be done meanwhile, such as hiding all
    tell      called with what a user should know, one line each, from any thread

    Raises SettingsError, ModelError, SourceError when the source cannot be opened or breaks off at
    its end, TrackerBlurError when that comes while the detector hangs.
    """
    chosen = settings or Settings(detect_every_frames="auto")
    live_settings = live_settings or LiveSettings()
    controls = controls or Controls([chosen.method], hide_all=live_settings.hide_all)
    newest = _Newest()
    session = Session(
        open_source(str(source), live_settings, realtime=realtime),
        replace(chosen, one_pass=True),
        live_settings,
        controls,
        tell,
        tell,
    )
    session.add([newest])
    return _pictures(session, controls, newest)


def _pictures(session: Session, controls: Controls, newest: _Newest) -> Iterator[Image]:
    failures: list[BaseException] = []

    def run() -> None:
        try:
            session.run()
        except BaseException as error:  # raised where the pictures are taken
            failures.append(error)
        finally:
            newest.images.close()

    with session:
        thread = threading.Thread(target=run, name="session", daemon=True)
        thread.start()
        try:
            while thread.is_alive():
                image = newest.images.take(_POLL_SECONDS)
                if image is not None:
                    yield image
        finally:
            controls.quit()
            thread.join()
    if failures:
        raise failures[0]


class _Newest:
    """A target that keeps the newest picture."""

    name = "library"
    is_reached = True

    def __init__(self) -> None:
        self.images: Latest[Image] = Latest()

    def open(self, format: Format) -> None:
        """Need nothing."""

    def show(self, delivery: Delivery) -> None:
        """Keep the picture."""
        frame = delivery.redacted.frame
        self.images.put(frame.view(frame.size))

    def play(self, sound: Sound) -> None:
        """Leave it alone."""

    def close(self) -> None:
        """Need nothing."""
