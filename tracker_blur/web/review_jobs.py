"""Jobs of a review: render what was decided, and search the result."""

from __future__ import annotations

import threading
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

from starlette.exceptions import HTTPException

from tracker_blur.files.identity import sha256
from tracker_blur.review.decisions import change_pictures
from tracker_blur.review.verify_report import VerifyReport, runs_of
from tracker_blur.settings import Settings
from tracker_blur.web.job import NewJob
from tracker_blur.web.job_commands import Choice, verify_arguments

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from tracker_blur.review.session import ReviewSession
    from tracker_blur.web.job import Job
    from tracker_blur.web.services import Services

_TRACKS = "tracks.jsonl"  # in the folder of a job that renders it
_PRIVATE_MODE = 0o600
_VERIFY, _OF = "verify_after", "of_job"
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
        services, folder = self._services, self._services.folder

        def make(own: Path) -> NewJob:
            taken = {folder.root / name for name in services.jobs.promised()}
            target = folder.free_output(session.video, taken)
            tracks = own / _TRACKS
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
                    "version": version,
                    "tracks_sha256": sha256(tracks),
                    "options": {name: streams[name] for name in _COMPARED if name in streams},
                    _VERIFY: verify,
                },
                review=review_id,
            )

        return services.jobs.as_dict(services.jobs.add_with_files(make))

    def made(self, review_id: str, session: ReviewSession) -> dict[str, Any] | None:
        """Return the last result of a review: where it is, and whether it shows all decisions."""
        made = self._last_render(review_id)
        if made is None:
            return None
        version = made.new.settings.get("version")
        later = session.lines()[version:] if isinstance(version, int) else []
        return {
            "output": made.new.output,
            "version": version,
            "is_current": not change_pictures(later),
        }

    def verify(self, review_id: str, session: ReviewSession) -> dict[str, Any]:
        """Search the last result of a review; returns the job.

        Raises:
            HTTPException: there is none.
        """
        made = self._last_render(review_id)
        if made is None:
            raise HTTPException(HTTPStatus.CONFLICT, f"{session.video.name}: make the result first")
        return self._services.jobs.as_dict(self._verify(made))

    def verdict(self, review_id: str) -> VerifyReport | None:
        """Return what a search of a review's last result found; None without one."""
        made = self._last_render(review_id)
        job = None if made is None else last_search(self._services, made)
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
                settings={_OF: made.id},
                review=made.new.review,
            )
        )

    def _last_render(self, review_id: str) -> Job | None:
        """Return the job that made a review's last result."""
        jobs = [
            job
            for job in self._services.jobs.known()
            if (job.new.review, job.new.action, job.state) == (review_id, "render", "done")
        ]
        return max(jobs, key=lambda job: job.ended or 0, default=None)

    def _watch(self) -> None:
        while not self._is_closed.wait(_POLL_SECONDS):
            known = self._services.jobs.known()
            searched = {job.new.settings.get(_OF) for job in known}
            for job in known:
                is_due = job.state == "done" and job.new.settings.get(_VERIFY) is True
                if not is_due or job.id in self._verified:
                    continue
                self._verified.add(job.id)
                if job.id not in searched:
                    self._verify(job)


def last_search(services: Services, made: Job) -> Job | None:
    """Return the last finished search of what a job has made; of an earlier result there is none.

    Args:
        services: the parts of the page.
        made: the job.
    """
    jobs = [
        job
        for job in services.jobs.known()
        if job.new.action == "verify" and job.state == "done"
        if job.new.settings.get(_OF) == made.id
    ]
    return max(jobs, key=lambda job: job.ended or 0, default=None)


def rendered_tracks(services: Services, made: Job) -> Path | None:
    """Return the track file that a job has rendered, as it was then; None: it had none of its own.

    Raises:
        HTTPException: it was changed since.
    """
    if made.new.action != "render":
        return None
    path = services.jobs.folder_of(made.id) / _TRACKS
    try:
        is_same = sha256(path) == made.new.settings.get("tracks_sha256")
    except OSError:
        is_same = False
    if not is_same:
        raise HTTPException(
            HTTPStatus.CONFLICT, f"{made.new.output}: its tracks are gone: make it again"
        )
    return path


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
