"""Jobs of a review: render what was decided, and search the result."""

from __future__ import annotations

import threading
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

from starlette.exceptions import HTTPException

from tracker_blur.errors import TrackerBlurError, reason_of
from tracker_blur.files.identity import sha256
from tracker_blur.settings import Settings
from tracker_blur.web.job import NewJob
from tracker_blur.web.job_commands import Choice, verify_arguments
from tracker_blur.web.review_results import (
    OF_JOB,
    STATE,
    TRACKS_FILE,
    VERSION,
    found_in,
    last_result,
    result_dict,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from tracker_blur.review.session import ReviewSession
    from tracker_blur.review.sessions import Sessions
    from tracker_blur.review.verify_report import VerifyReport
    from tracker_blur.web.folder import Folder
    from tracker_blur.web.job import Job
    from tracker_blur.web.job_queue import JobQueue
    from tracker_blur.web.review_results import Result
    from tracker_blur.web.reviews import Reviews

_PRIVATE_MODE = 0o600
_VERIFY = "verify_after"
_POLL_SECONDS = 1.0
_LOOK = {
    "method": "--method",
    "tone": "--tone",
    "factor": "--factor",
    "blocks": "--blocks",
    "color": "--color",
    "shape": "--shape",
    "padding_ratio": "--padding",
    "feather_ratio": "--feather",
}
_COMPARED = ("audio", "subtitles", "metadata")  # by a search, which must know them
_STREAMS = {
    "audio": "--audio",
    "subtitles": "--subtitles",
    "metadata": "--metadata",
    "tracks_kept": "--tracks-kept",
    "codec": "--codec",
    "encoder": "--encoder",
    "quality": "--quality",
    "preset": "--preset",
    "max_megapixels": "--max-megapixels",
}


class ReviewJobs:
    """Adds the jobs of reviews to the queue, and a search after each rendering that asks for one.

    Args:
        folder: that of the page.
        jobs: the queue.
        reviews: which videos are reviewed.
        sessions: those that are open.
        warn: called with a line when a requested search cannot be added.
    """

    def __init__(
        self,
        folder: Folder,
        jobs: JobQueue,
        reviews: Reviews,
        sessions: Sessions,
        warn: Callable[[str], None],
    ) -> None:
        self._folder = folder
        self._jobs = jobs
        self._reviews = reviews
        self._sessions = sessions
        self._warn = warn
        self._verified: set[str] = set()
        self._late: set[str] = set()
        self._is_closed = threading.Event()
        self._thread = threading.Thread(target=self._watch, name="review jobs", daemon=True)

    def start(self) -> None:
        """Begin to add searches."""
        self._thread.start()

    def close(self) -> None:
        """Add no more jobs."""
        self._is_closed.set()
        self._thread.join()

    def render(self, review_id: str, session: ReviewSession, *, verify: bool) -> dict[str, Any]:
        """Render a video as it was decided, into a new file; returns the job.

        Raises:
            TrackerBlurError: the edited tracks cannot be written.
        """
        return self._jobs.as_dict(self._render(review_id, session, None, verify=verify))

    def render_decided(self, path: Path, target: Path | None = None) -> Job:
        """Return a new job that renders a file as it was decided in its review.

        Args:
            path: a video or an image that was reviewed.
            target: where to; None: into a new file next to it.

        Raises:
            TrackerBlurError: the review cannot be opened, or the edited tracks cannot be written.
        """
        return self._render(*self._opened(path), target, verify=False)

    def check_decided(self, path: Path) -> None:
        """Check that the review of a file can be opened; raises TrackerBlurError."""
        self._opened(path)

    def _opened(self, path: Path) -> tuple[str, ReviewSession]:
        review = self._reviews.open(path)
        return review.id, self._sessions.get(review.id, review.video, review.tracks)

    def _render(
        self, review_id: str, session: ReviewSession, given: Path | None, *, verify: bool
    ) -> Job:
        folder, jobs = self._folder, self._jobs

        def make(own: Path) -> NewJob:
            taken = {folder.root / name for name in jobs.promised()}
            target = given or folder.free_output(session.video, taken)
            tracks = own / TRACKS_FILE
            version, settings = session.write_edited_tracks(tracks)
            tracks.chmod(_PRIVATE_MODE)
            look = [f"{flag}={getattr(settings, name)}" for name, flag in _LOOK.items()]
            streams = _streams(session.content.settings)
            partial = ["--partial"] if session.content.settings.get("partial") is True else []
            return NewJob(
                action="render",
                file=folder.relative(session.video),
                output=folder.relative(target),
                arguments=(
                    *("render", str(session.video), str(tracks), str(target)),
                    *look,
                    *(f"{_STREAMS[name]}={value}" for name, value in streams.items()),
                    *partial,
                ),
                settings={
                    "method": settings.method,
                    VERSION: version,
                    STATE: session.state_sha256(version),
                    "tracks_sha256": sha256(tracks),
                    "options": {name: streams[name] for name in _COMPARED if name in streams},
                    _VERIFY: verify,
                },
                review=review_id,
            )

        return jobs.add_with_files(make)

    def made(self, review_id: str, session: ReviewSession) -> dict[str, Any] | None:
        """Return the last result of a review: where it is, and whether it shows all decisions."""
        made = self._last(review_id, session)
        is_due = made is not None and self._is_due(made.job)  # before the jobs: it becomes one
        return result_dict(self._jobs, made, is_search_due=is_due)

    def verify(self, review_id: str, session: ReviewSession) -> dict[str, Any]:
        """Search the last result of a review; returns the job.

        Raises:
            HTTPException: there is none.
        """
        made = self._last(review_id, session)
        if made is None:
            raise HTTPException(HTTPStatus.CONFLICT, f"{session.video.name}: make the result first")
        return self._jobs.as_dict(self._verify(made.job))

    def verdict(self, review_id: str, session: ReviewSession) -> VerifyReport | None:
        """Return what a search of a review's last result found; None without one."""
        made = self._last(review_id, session)
        return None if made is None else found_in(self._jobs, made.job)

    def _last(self, review_id: str, session: ReviewSession) -> Result | None:
        return last_result(self._jobs, self._folder, review_id, session)

    def _verify(self, made: Job) -> Job:
        folder = self._folder
        output = folder.resolve(str(made.new.output))
        choice = Choice()
        return self._jobs.add(
            NewJob(
                action="verify",
                file=str(made.new.output),
                arguments=verify_arguments(output, folder.resolve(made.new.file), made.new, choice),
                settings={OF_JOB: made.id},
                review=made.new.review,
            )
        )

    def _watch(self) -> None:
        while not self._is_closed.wait(_POLL_SECONDS):
            known = self._jobs.known()
            searched = {job.new.settings.get(OF_JOB) for job in known}
            for job in known:
                if self._is_due(job) and (job.id in searched or self._verify_or_warn(job)):
                    self._verified.add(job.id)

    def _is_due(self, job: Job) -> bool:
        """Return whether a search of what a job has made was requested, and not added yet."""
        is_asked_for = job.state == "done" and job.new.settings.get(_VERIFY) is True
        return is_asked_for and job.id not in self._verified

    def _verify_or_warn(self, made: Job) -> bool:
        """Add a search; one that cannot be must not end the thread that adds the others.

        Returns:
            Whether that is settled; otherwise it is added once there is room.
        """
        try:
            self._verify(made)
        except HTTPException as error:  # such as for a result that was deleted
            if error.status_code != HTTPStatus.TOO_MANY_REQUESTS:
                self._warn(f"a result is not searched: {error.detail}")
                return True
            if made.id not in self._late:
                self._late.add(made.id)
                self._warn(f"{made.new.output}: is searched later: {error.detail}")
            return False
        except (OSError, TrackerBlurError) as error:
            self._warn(f"{made.new.output}: is not searched: {reason_of(error)}")
        return True


def _streams(settings: Mapping[str, Any]) -> dict[str, str]:
    """Return what a track file's settings say of sound, subtitles, metadata and the encoder."""
    default = Settings()
    found = {}
    for name in _STREAMS:
        value = settings.get(name, getattr(default, name))
        if isinstance(value, list | tuple):
            value = ",".join(map(str, value)) or None
        if value is not None and value != getattr(default, name):
            found[name] = str(value)
    return found
