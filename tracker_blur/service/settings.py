"""The settings of the service: where it listens, what it offers, how much it takes."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from tracker_blur.core.detector_choice import AUTO
from tracker_blur.errors import SettingsError
from tracker_blur.service.job_settings import JobSettings

if TYPE_CHECKING:
    from pathlib import Path

_LAST_PORT = 65_535
_FIELDS_BYTES = 64 << 10
_SENDABLE = re.compile(r"[A-Za-z0-9._~/=-]*")  # some clients write it into URLs as it is
_SHORTEST_TOKEN = 16  # characters; a service answers thousands of guesses a second


@dataclass(frozen=True, slots=True, kw_only=True)
class ServiceLimits:
    """How much the service takes from all its clients together.

    Attributes:
        image_bytes: The longest file of an image.
        waiting_bytes: Bodies of all requests that are read, wait or are worked on.
        megapixels: The most pixels of an image, in millions. Each takes about 10 bytes of memory,
            and 37 if it has 16 bits and alpha.
        image_seconds: How long a client may take to send an image.
        at_once: Images that are worked on at the same time.
        queue: Requests that wait for their turn; further ones are refused.
        queue_seconds: How long one waits before it is refused.
        detectors: Loaded detectors that are kept for the next request.
        requests: Requests that are answered at the same time, waiting ones included. Twice as many
            connections may be open.
        unauthenticated: Further connections, of clients that have not sent the token yet. Fewer
            than `requests`: some routes read the token in the body.
        stop_seconds: How long requests may take to end when the service stops.
    """

    image_bytes: int = 64 << 20
    waiting_bytes: int = 512 << 20
    megapixels: float = 50.0
    image_seconds: float = 60.0
    at_once: int = 2
    queue: int = 64
    queue_seconds: float = 30.0
    detectors: int = 8
    requests: int = 256
    unauthenticated: int = 128
    stop_seconds: float = 30.0

    @property
    def body_bytes(self) -> int:
        """The longest request with an image: it may be in base64, and have other fields."""
        return self.image_bytes * 4 // 3 + _FIELDS_BYTES


@dataclass(frozen=True, slots=True, kw_only=True)
class ServiceSettings:
    """Where the service listens and what it offers.

    Attributes:
        host: The address that it listens on.
        port: The port; 0: any free one.
        token: What requests must carry as `Authorization: Bearer`; None: nothing, which is for the
            loopback address only.
        detector: The detector of requests that name none, as in `Settings.detector`. It may be a
            file, which requests cannot name.
        models_folder: A folder with weight files, searched first.
        limits: How much it takes.
        jobs: What jobs are made of.

    Raises:
        SettingsError: A value makes no sense.
    """

    host: str = "127.0.0.1"
    port: int = 9001
    token: str | None = None
    detector: str = AUTO
    models_folder: Path | None = None
    limits: ServiceLimits = field(default_factory=ServiceLimits)
    jobs: JobSettings = field(default_factory=JobSettings)

    def __post_init__(self) -> None:
        if not 0 <= self.port <= _LAST_PORT:
            raise SettingsError(
                f"is {self.port}: choose a number from 0 to {_LAST_PORT}", setting="port"
            )
        if self.token is None:
            return
        if not _SENDABLE.fullmatch(self.token):
            raise SettingsError(
                "the token has characters that not every client can send, such as + or a space: "
                "write one of letters and digits into its file, such as 'openssl rand -hex 32' "
                "makes"
            )
        if len(self.token) < _SHORTEST_TOKEN:
            raise SettingsError(
                f"the token has fewer than {_SHORTEST_TOKEN} characters, and may be guessed: "
                "write a longer one into its file"
            )
