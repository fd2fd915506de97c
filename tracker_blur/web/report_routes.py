"""The route of a review's report: on what was last made of its video."""

from __future__ import annotations

from http import HTTPStatus
from typing import TYPE_CHECKING, Literal

from fastapi import APIRouter, Query
from starlette.exceptions import HTTPException
from starlette.responses import Response

from tracker_blur.files.paths import is_file
from tracker_blur.review.record import report_for
from tracker_blur.review.report import report_of
from tracker_blur.review.report_facts import faces_of
from tracker_blur.review.report_page import page_of
from tracker_blur.web.json_answers import JsonAnswer
from tracker_blur.web.review_results import last_result, rendered_tracks, verdict_of

if TYPE_CHECKING:
    from tracker_blur.web.services import Services

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
        tracks = review.tracks if is_file(review.tracks) else None
        session = None if tracks is None else services.sessions.get(rid, review.video, tracks)
        made = last_result(services.jobs, services.folder, rid, session)
        if made is None:
            raise HTTPException(HTTPStatus.CONFLICT, f"{review.video.name}: make the result first")
        output = services.folder.resolve(str(made.job.new.output))
        data = report_for(
            review.video,
            output,
            tracks,
            verdict_of(services.jobs, made.job),
            rendered=rendered_tracks(services.jobs, made.job),
            version=made.version,
            grouped=None if session is None else session.grouping.person_of,
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
