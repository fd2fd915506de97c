"""What the routes of the service share."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tracker_blur.service.access import Access
from tracker_blur.service.bodies import Bodies
from tracker_blur.service.jobs import Jobs
from tracker_blur.service.metrics import Metrics
from tracker_blur.service.pool import DetectorPool

if TYPE_CHECKING:
    from collections.abc import Callable

    from tracker_blur.service.settings import ServiceSettings


class Service:
    """The parts of the service behind its routes.

    Args:
        settings: Its settings.
        report: Called with a line when something fails that is no fault of a client.

    Attributes:
        settings: Its settings.
        report: The same function.
        access: Decides who is answered.
        bodies: Read images.
        pool: Detects.
        metrics: Of everything.
        jobs: Are run one after the other.

    Raises:
        SinkError: The jobs cannot be kept, or are another server's.
    """

    def __init__(self, settings: ServiceSettings, report: Callable[[str], None]) -> None:
        self.settings = settings
        self.report = report
        self.access = Access(settings.host, settings.token)
        self.bodies = Bodies(settings.limits)
        self.pool = DetectorPool(settings)
        self.metrics = Metrics()
        self.jobs = Jobs(settings.jobs, settings.port, report, settings.models_folder)
        pool, bodies = self.pool, self.bodies
        self.metrics.show("waiting", "Requests that wait for a detector", lambda: pool.waiting)
        self.metrics.show("running", "Requests that a detector works on", lambda: pool.running)
        self.metrics.show("detectors", "Loaded detectors", lambda: pool.loaded)
        queue = self.jobs.queue
        self.metrics.show("jobs_running", "Jobs that run", lambda: queue.unfinished()["running"])
        self.metrics.show("jobs_waiting", "Jobs that wait", lambda: queue.unfinished()["waiting"])
        self.metrics.show("held_bytes", "Bodies of requests in memory", lambda: bodies.held_bytes)

    @property
    def is_stopping(self) -> bool:
        """Whether no new work is taken."""
        return self.pool.is_closed

    def start(self) -> None:
        """Load what the first requests need.

        Raises:
            TrackerBlurError: It cannot be loaded.
        """
        self.pool.warm_up()

    def close(self) -> None:
        """Take no more work, and end answers without an end; other running requests continue."""
        self.pool.close()
        self.jobs.close()
