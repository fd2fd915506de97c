"""The settings for jobs that the service starts with."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from tracker_blur.errors import SettingsError

if TYPE_CHECKING:
    from pathlib import Path

    from tracker_blur.service.addresses import AllowedHost


@dataclass(frozen=True, slots=True, kw_only=True)
class JobLimits:
    """How much jobs may take, of all clients together.

    Attributes:
        upload_bytes: The longest file of a request.
        megapixels: The most pixels of an image that is sent or fetched, in millions.
        upload_seconds: How long such a file may take to arrive.
        fetch_seconds: How long a file may take that is named by its URL.
        transfers: Files that arrive at the same time.
        stored_bytes: Uploads and what is made of them, all together.
        unfinished: Jobs that are not over.
        kept: Jobs, with those that are over.
        job_seconds: How long a job may run.
        at_once: Jobs that run at the same time.
    """

    upload_bytes: int = 10 << 30
    megapixels: float = 50.0
    upload_seconds: float = 3600.0
    fetch_seconds: float = 600.0
    transfers: int = 8
    stored_bytes: int = 50 << 30
    unfinished: int = 100
    kept: int = 1000
    job_seconds: float = 24 * 3600.0
    at_once: int = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class JobSettings:
    """What jobs are made of.

    Attributes:
        root: The folder whose files requests may name; None: they send files.
        allowed_hosts: Hosts whose files requests may name by their URL.
        keep_hours: How long an upload, and what was made of it, is kept after its job is over.
        limits: How much jobs may take.

    Raises:
        SettingsError: A value makes no sense.
    """

    root: Path | None = None
    allowed_hosts: tuple[AllowedHost, ...] = ()
    keep_hours: float = 24.0
    limits: JobLimits = field(default_factory=JobLimits)

    def __post_init__(self) -> None:
        if not self.keep_hours > 0:
            raise SettingsError(
                f"is {self.keep_hours:g}: choose more than 0 hours", setting="keep_hours"
            )
