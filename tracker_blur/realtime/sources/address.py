"""An address: RTSP, RTMP, UDP, HTTP, HLS and what else FFmpeg reads (PyAV)."""

from __future__ import annotations

import errno
import threading
from collections.abc import Iterator

import av
from av.container import InputContainer

from tracker_blur.errors import SettingsError, SourceError, reason_of
from tracker_blur.realtime.access import has_unknown_host, without_secrets
from tracker_blur.realtime.settings import LiveSettings
from tracker_blur.realtime.sources import Item
from tracker_blur.realtime.sources._container import Contained, paced

_PROTOCOLS = {"rtsp", "rtsps", "rtmp", "rtmps", "udp", "rtp", "tcp", "http", "https"}
_PROBE_BYTES, _PROBE_SECONDS = 500_000, 1.0
_LAST_SECONDS = 1.0  # where a video breaks off, all of it was there
_OPENING_TIMEOUTS = 2  # it takes several questions and answers
# A playlist may name other addresses, but no files of this machine.
_WHITELIST = "http,https,tls,tcp,udp,rtp,rtsp,rtsps,rtmp,rtmps,crypto,httpproxy,data"


def make(text: str, live: LiveSettings) -> NetworkSource:
    """Return the source; raises SettingsError for a protocol that is none."""
    protocol = _scheme(text)
    if protocol not in _PROTOCOLS:
        raise SettingsError(
            f"{without_secrets(text)}: '{protocol}' is no protocol to read pictures by: use one of "
            f"{', '.join(sorted({*_PROTOCOLS, 'srt'}))}"
        )
    return NetworkSource(text, live)


class NetworkSource(Contained):
    """A stream from a server, connected anew when it stops; a video that has an end ends there."""

    def __init__(self, text: str, live: LiveSettings) -> None:
        super().__init__(without_secrets(text))
        self._text = text
        self._scheme = _scheme(text)
        self._live = live

    def read(self, stopping: threading.Event) -> Iterator[Item]:
        """Give what comes."""
        assert self._container is not None
        items = self._checked(super().read(stopping))
        is_playlist = self._container.format.name == "hls"
        self.ends = self._scheme.startswith("http") and bool(self._container.duration)
        # A playlist's parts come whole, as a video does, faster than they are to be shown.
        yield from paced(items, stopping) if is_playlist or self.ends else items

    def _checked(self, items: Iterator[Item]) -> Iterator[Item]:
        """Give the items; tells apart why a video that has an end breaks off.

        FFmpeg opens an MP4 whose index lies at its end, but cannot go back from there. Of what a
        server gives without its length, FFmpeg takes the end for a failure.
        """
        assert self._container is not None
        start, length = self._container.start_time or 0, self._container.duration or 0
        nearly_all = (start + length) / av.time_base - _LAST_SECONDS
        last: float | None = None
        try:
            for item in items:
                last = item.stamp if item.stamp is not None else last
                yield item
        except SourceError as error:
            is_unreadable = getattr(error.__cause__, "errno", None) == errno.EIO
            if not (self.ends and is_unreadable):
                raise
            if last is None:
                raise SourceError(
                    f"{self.name}: cannot be played from this server (its index lies at its end, "
                    "and the server gives no byte ranges): download it and add --realtime, or put "
                    "its index first (ffmpeg -i IN -c copy -movflags +faststart OUT)"
                ) from error
            if last < nearly_all:
                raise

    def _opened(self) -> InputContainer:
        timeout = self._live.timeout_seconds
        options = {
            # Not nobuffer: it throws away what was probed, and the key picture with it.
            "fflags": "discardcorrupt",
            "probesize": str(_PROBE_BYTES),
            "analyzeduration": str(round(_PROBE_SECONDS * av.time_base)),
            "protocol_whitelist": _WHITELIST,
        }
        protocol = self._scheme
        if protocol.startswith("rtsp"):
            options["rtsp_transport"] = self._live.transport
        if protocol == "udp":
            options["overrun_nonfatal"] = "1"
        if protocol.startswith("http"):
            options["live_start_index"] = "-1"  # of a playlist: the newest part
        return av.open(
            self._text,
            container_options=options,
            timeout=(_OPENING_TIMEOUTS * timeout, timeout),
            metadata_errors="replace",
        )

    def _explained(self, error: Exception) -> str:
        return (
            f"{self.name}: cannot be opened ({self._reason(error)}): check the address, and that "
            "it is sending"
        )

    def _reason(self, error: Exception) -> str:
        if isinstance(error, av.ExitError):  # our time-out
            seconds = _OPENING_TIMEOUTS * self._live.timeout_seconds
            return f"it gave nothing for {seconds:g} seconds"
        if isinstance(error, av.InvalidDataError):
            return "it sends no video"
        return "its host is not known" if has_unknown_host(self._text) else reason_of(error)


def _scheme(text: str) -> str:
    return text.partition("://")[0].lower()
