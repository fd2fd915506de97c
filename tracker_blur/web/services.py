"""What the routes of the page share."""

from __future__ import annotations

import os
import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, suppress
from dataclasses import replace
from functools import partial
from http import HTTPStatus
from pathlib import Path
from typing import TYPE_CHECKING

from starlette.exceptions import HTTPException

from tracker_blur.errors import TrackerBlurError
from tracker_blur.files.paths import is_file
from tracker_blur.review.image_tracks import write_image_tracks
from tracker_blur.review.sessions import Sessions
from tracker_blur.web.choice_settings import image_settings
from tracker_blur.web.decided_files import decided_files, is_decided
from tracker_blur.web.events import EventHub
from tracker_blur.web.folder import Folder
from tracker_blur.web.job_commands import OVERWRITE, Choice
from tracker_blur.web.job_plans import JobPlans
from tracker_blur.web.job_queue import JobQueue
from tracker_blur.web.review_jobs import ReviewJobs
from tracker_blur.web.reviews import Review, Reviews
from tracker_blur.web.watches import Watches

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from tracker_blur.web.job import Action, Job
    from tracker_blur.web.job_commands import Decisions
    from tracker_blur.web.queue_settings import QueueSettings
    from tracker_blur.web.state import State


class Services:
    """The parts of the page behind its routes.

    Args:
        root: The folder that the page shows.
        state: What it keeps on disk.
        queue: How jobs are run, and how many are taken.
        warn: Called with a line when something fails that no request waits for.

    Attributes:
        folder: The folder that the page shows.
        events: What all open pages get to know.
        reviews: Which videos are reviewed.
        jobs: What is run.
        watches: Which folders are watched.
        sessions: The reviews that are open.
        review_jobs: Makes results of reviews, and searches them.
    """

    def __init__(
        self, root: Path, state: State, queue: QueueSettings, warn: Callable[[str], None]
    ) -> None:
        self.folder = Folder(root)
        self.events = EventHub()
        self.reviews = Reviews(state, self.folder)
        self.jobs = JobQueue(state, self.folder.root, self.events, queue, warn)
        self.watches = Watches(
            state, self.folder, self._redact, warn, lambda: self.events.publish("watches", {})
        )
        self.sessions = Sessions(
            lambda review_id, version: self.events.publish(
                "review", {"id": review_id, "version": version}
            ),
            queue.models_folder,
        )
        self.review_jobs = ReviewJobs(self.folder, self.jobs, self.reviews, self.sessions, warn)
        self._models_folder = queue.models_folder
        self._tracking_image = threading.Lock()
        self._warming = ThreadPoolExecutor(1, "review warming")
        self._at_end = ExitStack()
        self.close_with(self.events.close)
        self.close_with(self.sessions.close)
        self.close_with(partial(self._warming.shutdown, cancel_futures=True))

    def start(self) -> None:
        """Begin to run jobs and to watch folders."""
        self.jobs.start()
        self.close_with(self.jobs.close)
        self.watches.start()
        self.close_with(self.watches.close)
        self.review_jobs.start()
        self.close_with(self.review_jobs.close)

    def warm(self, review_id: str) -> None:
        """Open a review that someone is about to look at, while their browser loads the page."""
        review = self.reviews.get(review_id)
        if review is not None and is_file(review.tracks):
            with suppress(RuntimeError):  # the server stops
                self._warming.submit(self._warm, review)

    def _warm(self, review: Review) -> None:
        with suppress(TrackerBlurError):  # the page's own request says so
            self.sessions.get(review.id, review.video, review.tracks).warm()

    def close_with(self, callback: Callable[[], object]) -> None:
        """Call this when the server stops; what was added last comes first."""
        self._at_end.callback(callback)

    def close(self) -> None:
        """Stop everything but the processes of jobs, which the next server finds again."""
        self._at_end.close()

    def add_jobs(
        self,
        action: Action,
        files: Iterable[str],
        choice: Choice,
        decisions: Decisions | None = None,
    ) -> list[Job]:
        """Add a job for each file, as the page names them; none if one cannot be added.

        Args:
            action: What to do.
            files: The files.
            choice: How.
            decisions: What happens to decisions made in the reviews of files that are redacted;
                None: there are none.

        Raises:
            HTTPException: There is no such file, this cannot be done with it, or there are too many
                jobs.
            TrackerBlurError: A review cannot be opened.
        """
        named = [(file, self.folder.resolve(file)) for file in files]
        decided: set[Path] = set()
        if action == "redact" and decisions != "ignore":
            decided = {each for _, path in named for each in decided_files(path)}
            self._check_decided(decided, {path for _, path in named}, decisions)
        with self.jobs.planning:
            self.jobs.check_room(len(named))
            plans, known = JobPlans(self.folder, self.jobs.promised()), self.jobs.known()
            planned = [
                path if path in decided else plans.plan(action, file, choice, known)
                for file, path in named
            ]
            added = [
                self.review_jobs.render_decided(new)
                if isinstance(new, Path)
                else self.jobs.add(new)
                for new in planned
            ]
        for job in added:
            if job.new.review is not None:
                self.reviews.open(self.folder.resolve(job.new.file))
        return added

    def _check_decided(
        self, decided: set[Path], paths: set[Path], decisions: Decisions | None
    ) -> None:
        """Check that files can be made as decided, if that is wanted, before any job is added."""
        for path in sorted(decided):
            name = self.folder.relative(path)
            if decisions is None:
                raise HTTPException(
                    HTTPStatus.CONFLICT,
                    f"{name}: was reviewed: say whether the decisions are kept or ignored",
                )
            if path not in paths:
                raise HTTPException(
                    HTTPStatus.CONFLICT,
                    f"{name}: was reviewed: choose the files of its folder, not the folder",
                )
            self.review_jobs.check_decided(path)

    def decided(self, files: Iterable[str]) -> list[str]:
        """Return the files, of these and below these, about which someone has decided in a review.

        Raises:
            HTTPException: There is no such file.
        """
        return [
            self.folder.relative(path)
            for file in files
            for path in decided_files(self.folder.resolve(file))
        ]

    def track_for_review(self, review: Review, choice: Choice = Choice()) -> Job:
        """Return the job that writes the tracks for a review: one that is on its way, or a new one.

        Raises:
            HTTPException: There are tracks, or the file has none.
            ChoiceError: The choice makes no sense.
        """
        with self.jobs.planning:
            for job in self.jobs.known():
                if job.new.action == "track" and job.new.review == review.id and not job.is_over:
                    return job
            plans = JobPlans(self.folder, ())
            return self.jobs.add(plans.track(review.video, choice, review.tracks))

    def track_image(self, review: Review, choice: Choice) -> None:
        """Write the tracks of an image for its review, as the user chose, unless there are some.

        Raises:
            ChoiceError: The choice makes no sense.
            TrackerBlurError: The image cannot be read, or the tracks cannot be written.
        """
        settings = replace(image_settings(choice), models_folder=self._models_folder)
        with self._tracking_image:
            if not review.tracks.is_file():
                write_image_tracks(review.video, review.tracks, settings)

    def _redact(self, source: Path, target: Path, choice: Choice) -> Job:
        with self.jobs.planning:
            taken = {self.folder.root / path for path in self.jobs.promised()}
            if is_decided(source):  # no one is there to be asked
                if target in taken or os.path.lexists(target):
                    target = self.folder.free_output(target, taken)
                return self.review_jobs.render_decided(source, target)
            earlier = self._earlier(source, target)
            if earlier is not None:
                if not earlier.is_over:
                    self.jobs.cancel(earlier.id)
                choice = choice._replace(options={**choice.options, OVERWRITE: True})
            elif target in taken or os.path.lexists(target):
                target = self.folder.free_output(target, taken)
            job = self.jobs.add(JobPlans(self.folder, ()).redact(source, target, choice))
        if job.new.review is not None:
            self.reviews.open(source)
        return job

    def _earlier(self, source: Path, target: Path) -> Job | None:
        """Return the job whose result is replaced: of this file, as it was, to this very place.

        What someone has changed since is not replaced.
        """
        names = self.folder.relative(source), self.folder.relative(target)
        for job in reversed(self.jobs.known()):
            if job.new.action != "redact" or job.new.is_upload:
                continue
            if (job.new.file, job.new.output) != names:
                continue
            if not job.is_over:
                return job
            if job.state == "done" and job.ended is not None and target.is_file():
                return job if target.stat().st_mtime <= job.ended else None
        return None
