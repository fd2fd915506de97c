"""The results of a review: what was made of its video, and from which of its states."""

from __future__ import annotations

from contextlib import suppress
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, NamedTuple

from starlette.exceptions import HTTPException

from tracker_blur.files.identity import sha256
from tracker_blur.files.paths import is_file
from tracker_blur.review.decisions import is_changed_since
from tracker_blur.review.verify_report import VerifyReport, runs_of

if TYPE_CHECKING:
    from pathlib import Path

    from tracker_blur.review.session import ReviewSession
    from tracker_blur.web.folder import Folder
    from tracker_blur.web.job import Job
    from tracker_blur.web.job_queue import JobQueue

TRACKS_FILE = "tracks.jsonl"
"""In the folder of a job that renders it."""
VERSION, STATE, OF_JOB = "version", "state_sha256", "of_job"
"""Settings of jobs: the state of the review that was rendered, and what stands for it; the job
whose result is searched."""

_MAKING = ("render", "redact")
_SHOWN = ("verdict", "clean", "look_here", "left_visible", "checks")  # of what a search has found


class Result(NamedTuple):
    """What was made of the video of a review.

    Attributes:
        job: the job that made it.
        version: the version of the review that it shows.
        is_current: whether what was decided since changes no picture.
    """

    job: Job
    version: int
    is_current: bool


def last_result(
    jobs: JobQueue, folder: Folder, review_id: str, session: ReviewSession | None
) -> Result | None:
    """Return the last result that shows the review as it is now, or else as it was before.

    What was made without the tracks and decisions of the review is none of its results.

    Args:
        jobs: all jobs.
        folder: that of the page.
        review_id: its id.
        session: the review; None: its tracks are gone, and no one has decided anything.
    """
    results = []
    for job in jobs.known():
        is_made = job.new.action in _MAKING and job.state == "done"
        if job.new.review != review_id or not is_made or not _is_there(folder, job):
            continue
        version = 0 if session is None else _version_of(job, session)
        if version is not None:
            lines = [] if session is None else session.lines()
            results.append(Result(job, version, not is_changed_since(lines, version)))
    return max(results, key=lambda one: (one.is_current, one.job.ended or 0), default=None)


def _is_there(folder: Folder, job: Job) -> bool:
    with suppress(HTTPException):
        return job.new.output is not None and is_file(folder.resolve(job.new.output))
    return False


def _version_of(job: Job, session: ReviewSession) -> int | None:
    """Return the version of a review that a job has made; None: it is another one's."""
    if job.new.action == "redact":  # it has written the track file that is reviewed, or another
        is_own = (job.result or {}).get("tracks_sha256") == session.state_sha256(0)
        return 0 if is_own else None
    version = job.new.settings.get(VERSION)
    state = session.state_sha256(version) if isinstance(version, int) else None
    return version if state is not None and state == job.new.settings.get(STATE) else None


def result_dict(
    jobs: JobQueue, result: Result | None, *, is_search_due: bool
) -> dict[str, Any] | None:
    """Return what the page shows of a result, with what a search of it has found.

    Args:
        jobs: all jobs.
        result: the result.
        is_search_due: whether a search of it was requested that is no job yet.
    """
    if result is None:
        return None
    verdict = verdict_of(jobs, result.job)
    return {
        "job": result.job.id,
        "output": result.job.new.output,
        "version": result.version,
        "is_current": result.is_current,
        "is_being_checked": is_search_due or _is_being_searched(jobs, result.job),
        "verdict": verdict and {name: verdict[name] for name in _SHOWN if name in verdict},
        "warnings": (result.job.result or {}).get("warnings", []),
    }


def _is_being_searched(jobs: JobQueue, made: Job) -> bool:
    return any(
        job.new.action == "verify" and job.new.settings.get(OF_JOB) == made.id and not job.is_over
        for job in jobs.known()
    )


def verdict_of(jobs: JobQueue, made: Job) -> dict[str, Any] | None:
    """Return what the last search of a job's result found; that of another one does not count."""
    search = last_search(jobs, made)
    if search is not None:
        return search.result
    verified = (made.result or {}).get("verified")
    return verified if isinstance(verified, dict) else None


def found_in(jobs: JobQueue, made: Job) -> VerifyReport | None:
    """Return the places that the last search of a job's result found; None without one."""
    search = last_search(jobs, made)
    if search is None or search.result is None:
        return None
    return VerifyReport((round((search.ended or 0) * 1e9), 0), runs_of([search.result]))


def last_search(jobs: JobQueue, made: Job) -> Job | None:
    """Return the last finished search of what a job has made; of an earlier result there is none.

    Args:
        jobs: all jobs.
        made: the job.
    """
    searches = [
        job
        for job in jobs.known()
        if job.new.action == "verify" and job.state == "done"
        if job.new.settings.get(OF_JOB) == made.id
    ]
    return max(searches, key=lambda job: job.ended or 0, default=None)


def rendered_tracks(jobs: JobQueue, made: Job) -> Path | None:
    """Return the track file that a job has rendered, as it was then; None: it had none of its own.

    Raises:
        HTTPException: it was changed since.
    """
    if made.new.action != "render":
        return None
    path = jobs.folder_of(made.id) / TRACKS_FILE
    try:
        is_same = sha256(path) == made.new.settings.get("tracks_sha256")
    except OSError:
        is_same = False
    if not is_same:
        raise HTTPException(
            HTTPStatus.CONFLICT, f"{made.new.output}: its tracks are gone: make it again"
        )
    return path
