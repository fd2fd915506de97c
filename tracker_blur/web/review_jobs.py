"""Jobs of a review: render what was decided, and search the result."""

from __future__ import annotations

import threading
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

from starlette.exceptions import HTTPException

from tracker_blur.files.paths import is_file
from tracker_blur.review.verify_report import VerifyReport, runs_of
from tracker_blur.web.job import NewJob
from tracker_blur.web.job_commands import Choice, verify_arguments

if TYPE_CHECKING:
    from pathlib import Path

    from tracker_blur.review.session import ReviewSession
    from tracker_blur.web.job import Job
    from tracker_blur.web.services import Services

_TRACKS_SUFFIX, _REVIEWED_SUFFIX = ".tracks.jsonl", ".reviewed.tracks.jsonl"
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


class ReviewJobs:
    """Adds the jobs of reviews to the queue, and a search after each rendering that asks for one.

    Args:
        services: the parts of the page.
    """

    def __init__(self, services: Services) -> None:
        self._services = services
        self._verified: set[str] = set()
        self._is_closed = threading.Event()
        self._thread = threading.Thread(target=self._watch, name="review jobs", daemon=True)
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
        services = self._services
        tracks = edited_tracks_path(session.track_path)
        session.write_edited_tracks(tracks)
        folder = services.folder
        taken = {folder.root / name for name in services.jobs.promised()}
        target = folder.free_output(session.video, taken)
        settings = session.redaction
        look = [f"{flag}={getattr(settings, name)}" for name, flag in _LOOK.items()]
        partial = ["--partial"] if session.content.settings.get("partial") is True else []
        job = services.jobs.add(
            NewJob(
                action="render",
                file=folder.relative(session.video),
                output=folder.relative(target),
                arguments=(
                    *("render", str(session.video), str(tracks), str(target)),
                    *look,
                    *partial,
                ),
                settings={"method": settings.method, "version": session.version, _VERIFY: verify},
                review=review_id,
            )
        )
        return services.jobs.as_dict(job)

    def verify(self, review_id: str, session: ReviewSession) -> dict[str, Any]:
        """Search the last result of a review; returns the job.

        Raises:
            HTTPException: there is none.
        """
        made = self._last(review_id, "render")
        if made is None or made.new.output is None:
            raise HTTPException(HTTPStatus.CONFLICT, f"{session.video.name}: make the result first")
        return self._services.jobs.as_dict(self._verify(made))

    def verdict(self, review_id: str) -> VerifyReport | None:
        """Return what the last search of a review's result found; None without one."""
        job = self._last(review_id, "verify")
        if job is None or job.result is None:
            return None
        return VerifyReport((round((job.ended or 0) * 1e9), 0), runs_of([job.result]))

    def _verify(self, made: Job) -> Job:
        folder = self._services.folder
        output = folder.resolve(str(made.new.output))
        choice = Choice()
        return self._services.jobs.add(
            NewJob(
                action="verify",
                file=str(made.new.output),
                arguments=verify_arguments(output, folder.resolve(made.new.file), made.new, choice),
                settings={},
                review=made.new.review,
            )
        )

    def _last(self, review_id: str, action: str) -> Job | None:
        """Return the last finished job of a review."""
        jobs = [
            job
            for job in self._services.jobs.known()
            if (job.new.review, job.new.action, job.state) == (review_id, action, "done")
        ]
        return max(jobs, key=lambda job: job.ended or 0, default=None)

    def _watch(self) -> None:
        while not self._is_closed.wait(_POLL_SECONDS):
            known = self._services.jobs.known()
            searched = {job.new.file for job in known if job.new.action == "verify"}
            for job in known:
                is_due = job.state == "done" and job.new.settings.get(_VERIFY) is True
                if not is_due or job.id in self._verified:
                    continue
                self._verified.add(job.id)
                if job.new.output not in searched:
                    self._verify(job)


def edited_tracks_path(track_path: Path) -> Path:
    """Return where the tracks of a review go to be rendered: beside its track file.

    Raises:
        HTTPException: something else has that name.
    """
    name = track_path.name
    stem = name.removesuffix(_TRACKS_SUFFIX) if name.endswith(_TRACKS_SUFFIX) else track_path.stem
    path = track_path.with_name(stem + _REVIEWED_SUFFIX)
    if path.exists() and not is_file(path):
        raise HTTPException(HTTPStatus.CONFLICT, f"{path.name}: is no file: move it away")
    return path
