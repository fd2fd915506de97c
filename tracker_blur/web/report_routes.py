"""The route of a review's report: on what was last made of its video."""

from __future__ import annotations

from http import HTTPStatus
from typing import TYPE_CHECKING, Any, Literal

from fastapi import APIRouter, Query
from starlette.exceptions import HTTPException
from starlette.responses import Response

from tracker_blur.files.paths import is_file
from tracker_blur.review.record import report_for
from tracker_blur.review.report import report_of
from tracker_blur.review.report_facts import faces_of
from tracker_blur.review.report_page import page_of
from tracker_blur.web.json_answers import JsonAnswer
from tracker_blur.web.review_jobs import last_search, rendered_tracks

if TYPE_CHECKING:
    from tracker_blur.web.job import Job
    from tracker_blur.web.services import Services

_MAKING = ("render", "redact")
_PAGE_POLICY = (  # it runs nothing; its style and images are in it
    "default-src 'none'; img-src data:; style-src 'unsafe-inline'; sandbox; frame-ancestors 'none'"
)


def create_router(services: Services) -> APIRouter:
    """Return the route."""
    router = APIRouter()

    @router.get("/api/reviews/{rid}/report")
    def report(
        rid: str,
        form: Literal["internal", "public"] = "internal",
        kind: Literal["html", "json"] = Query("html", alias="as"),
    ) -> Response:
        review = services.reviews.get(rid)
        if review is None:
            raise HTTPException(
                HTTPStatus.NOT_FOUND, "there is no such review: open the video again"
            )
        made = _last_made(services, rid)
        output = None if made is None else services.folder.resolve(str(made.new.output))
        if made is None or output is None or not output.is_file():
            raise HTTPException(HTTPStatus.CONFLICT, f"{review.video.name}: make the result first")
        tracks = review.tracks if is_file(review.tracks) else None
        data = report_for(
            review.video,
            output,
            tracks,
            _verdict(services, made),
            rendered=rendered_tracks(services, made),
            version=made.new.settings.get("version", 0),
        )
        content = report_of(data, form)
        if kind == "json":
            return JsonAnswer(content)
        faces = {}
        if form == "internal" and data.content is not None:
            partial = data.content.settings.get("partial") is True
            faces = faces_of(review.video, data.content.tracks, partial=partial)
        page = page_of(content, faces).encode("utf-8", "backslashreplace")
        headers = {"Content-Security-Policy": _PAGE_POLICY}
        return Response(page, media_type="text/html; charset=utf-8", headers=headers)

    return router


def _last_made(services: Services, review_id: str) -> Job | None:
    """Return the job that made the last result of a review's video."""
    jobs = [
        job
        for job in services.jobs.known()
        if job.new.review == review_id and job.new.action in _MAKING and job.state == "done"
    ]
    with_output = [job for job in jobs if job.new.output is not None]
    return max(with_output, key=lambda job: job.ended or 0, default=None)


def _verdict(services: Services, made: Job) -> dict[str, Any] | None:
    """Return what the last search of this result found; that of another one says nothing of it."""
    search = last_search(services, made)
    if search is not None:
        return search.result
    verified = (made.result or {}).get("verified")
    return verified if isinstance(verified, dict) else None
