"""A network address: RTSP, RTMP, UDP, HTTP, HLS and whatever else FFmpeg reads (PyAV)."""

from __future__ import annotations

import errno
from typing import TYPE_CHECKING

import av

from tracker_blur.errors import SettingsError, SourceError, reason_of
from tracker_blur.realtime.addresses import address_name, has_unknown_host
from tracker_blur.realtime.sources._container import (
    NETWORK_FORMATS,
    PROBE_BYTES,
    ContainerSource,
    paced,
)

if TYPE_CHECKING:
    import threading
    from collections.abc import Iterator

    from av.container import InputContainer

    from tracker_blur.realtime.settings import LiveSettings
    from tracker_blur.realtime.sources import CapturedItem

_PROTOCOLS = {"rtsp", "rtsps", "rtmp", "rtmps", "udp", "rtp", "tcp", "http", "https"}
# A playlist may refer to other addresses, but not to files of this machine.
_PROTOCOL_WHITELIST = "http,https,tls,tcp,udp,rtp,rtsp,rtsps,rtmp,rtmps,crypto,httpproxy,data"


def make(text: str, settings: LiveSettings) -> NetworkSource:
    """Return the source; raises SettingsError for an unsupported protocol."""
    protocol = _protocol(text)
    if protocol not in _PROTOCOLS:
        raise SettingsError(
            f"{address_name(text)}: '{protocol}' is not a supported protocol: choose one of "
            f"{', '.join(sorted({*_PROTOCOLS, 'srt'}))}"
        )
    return NetworkSource(text, settings)


class NetworkSource(ContainerSource):
    """A stream from a server. It is reconnected when it stops, unless it is a video with an end."""

    def __init__(self, address: str, settings: LiveSettings) -> None:
        super().__init__(address_name(address))
        self._address = address
        self._protocol = _protocol(address)
        self._settings = settings
        self._timing = settings.timing
        self._opening_seconds = self._timing.open_timeouts * settings.timeout_seconds

    def read(self, stopping: threading.Event) -> Iterator[CapturedItem]:
        """Yield frames and audio as they arrive, those of a video or playlist when they are due."""
        assert self._container is not None
        items = self._until_end(super().read(stopping))
        is_playlist = self._container.format.name == "hls"
        self.is_finite = self._protocol.startswith("http") and bool(self._container.duration)
        # A playlist's segments arrive whole, like a video: faster than they are to be shown.
        is_paced = is_playlist or self.is_finite
        yield from paced(items, stopping, self._timing) if is_paced else items

    def _until_end(self, items: Iterator[CapturedItem]) -> Iterator[CapturedItem]:
        """Yield the items; for a video with an end, distinguish a failure from the end.

        FFmpeg opens an MP4 whose index is at its end, but cannot seek back without byte ranges.
        It reports the end of a response without Content-Length as a failure.
        """
        assert self._container is not None
        start, duration = self._container.start_time or 0, self._container.duration or 0
        end = (start + duration) / av.time_base
        last: float | None = None
        try:
            for item in items:
                last = item.timestamp if item.timestamp is not None else last
                yield item
        except SourceError as error:
            is_io_error = getattr(error.__cause__, "errno", None) == errno.EIO
            if not (self.is_finite and is_io_error):
                raise
            if last is None:
                raise SourceError(
                    f"{self.name}: cannot be played from this server (its index is at its end, and "
                    "the server supports no byte ranges): download it and add --realtime, or move "
                    "its index to the front (ffmpeg -i IN -c copy -movflags +faststart OUT)"
                ) from error
            if last < end - self._timing.end_of_video_seconds:
                raise

    def _open_container(self) -> InputContainer:
        options = {
            # Not "nobuffer": it throws away the probed packets, and the key frame with them.
            "fflags": "discardcorrupt",
            "probesize": str(PROBE_BYTES),
            "analyzeduration": str(round(self._timing.probe_seconds * av.time_base)),
            "protocol_whitelist": _PROTOCOL_WHITELIST,
            "format_whitelist": NETWORK_FORMATS,
        }
        if self._protocol.startswith("rtsp"):
            options["rtsp_transport"] = self._settings.transport
        if self._protocol == "udp":
            options["overrun_nonfatal"] = "1"
        if self._protocol.startswith("http"):
            options["live_start_index"] = "-1"  # start with a playlist's newest segment
        return av.open(
            self._address,
            container_options=options,
            timeout=(self._opening_seconds, self._settings.timeout_seconds),
            metadata_errors="replace",
        )

    def _open_error(self, error: Exception) -> str:
        return (
            f"{self.name}: cannot be opened ({self._reason(error)}): check the address, and that "
            "the sender is running"
        )

    def _reason(self, error: Exception) -> str:
        if isinstance(error, av.ExitError):  # our timeout
            return f"no data for {self._opening_seconds:g} seconds"
        if isinstance(error, av.InvalidDataError):
            return "it sends no video"
        if has_unknown_host(self._address):
            return "unknown host"
        if isinstance(error, av.ArgumentError):  # of no accepted format
            return "it sends no video"
        return reason_of(error)


def _protocol(address: str) -> str:
    return address.partition("://")[0].lower()
