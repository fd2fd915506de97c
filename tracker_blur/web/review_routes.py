"""Routes of the review page: frames, tracks, edits and doubts of one video."""

from __future__ import annotations

from http import HTTPStatus
from typing import TYPE_CHECKING, Any, Literal

from fastapi import APIRouter, Body
from starlette.exceptions import HTTPException
from starlette.responses import FileResponse, Response

from tracker_blur.files.paths import is_file, is_image
from tracker_blur.review.frames import OvertakenError
from tracker_blur.review.operations import StaleError
from tracker_blur.review.session import ReviewSession, user_name
from tracker_blur.review.summary import MAX_BOX_FRAMES
from tracker_blur.web.json_answers import JsonAnswer

if TYPE_CHECKING:
    from collections.abc import Callable

    from tracker_blur.review.sessions import Sessions
    from tracker_blur.web.review_jobs import ReviewJobs
    from tracker_blur.web.services import Services

_MAX_WIDTH = 16384
_MAX_FACE_PX = 640
_MAX_TIMES = 200_000
_MAX_TEXT = 2000
_MAX_NAME = 100


def create_router(services: Services) -> APIRouter:
    """Return the routes."""
    sessions = services.sessions
    jobs = services.review_jobs
    router = APIRouter(prefix="/api/reviews/{rid}")

    def opened(rid: str) -> ReviewSession:
        review = services.reviews.get(rid)
        if review is None:
            raise HTTPException(
                HTTPStatus.NOT_FOUND, "there is no such review: open the video again"
            )
        if not is_file(review.tracks):
            if is_image(review.video):  # they are made when it is opened
                raise HTTPException(
                    HTTPStatus.NOT_FOUND, f"{review.video.name}: its tracks are gone: open it again"
                )
            raise HTTPException(
                HTTPStatus.CONFLICT,
                f"{review.video.name}: its tracks are not there yet: wait until they are made",
            )
        session = sessions.get(rid, review.video, review.tracks)
        session.take_verdict(jobs.verdict(rid, session))
        return session

    _add_views(router, opened, jobs)
    _add_edits(router, opened, sessions)
    _add_jobs(router, opened, jobs)
    return router


def _add_views(router: APIRouter, opened: Callable[[str], ReviewSession], jobs: ReviewJobs) -> None:
    """Add the routes that show something."""

    @router.get("")
    def show(rid: str) -> JsonAnswer:
        session = opened(rid)
        return JsonAnswer({"id": rid, **session.summary(), "result": jobs.made(rid, session)})

    @router.get("/times")
    def times(rid: str, first: int, last: int) -> JsonAnswer:
        session = opened(rid)
        _check_span(session, first, last, _MAX_TIMES)
        return JsonAnswer({"first": first, "last": last, "pts": session.times(first, last)})

    @router.get("/boxes")
    def boxes(rid: str, first: int, last: int) -> JsonAnswer:
        session = opened(rid)
        _check_span(session, first, last, MAX_BOX_FRAMES)
        return JsonAnswer(session.boxes(first, last))

    @router.get("/frames/{number}")
    def frame(
        rid: str,
        number: int,
        view: Literal["original", "redacted"] = "original",
        width: int | None = None,
        client: str = "",
        seq: int = 0,
    ) -> Response:
        if width is not None and not 16 <= width <= _MAX_WIDTH:
            raise HTTPException(
                HTTPStatus.BAD_REQUEST, f"width is {width}: give 16 to {_MAX_WIDTH} pixels"
            )
        try:
            content = opened(rid).frame(
                number,
                redacted=view == "redacted",
                width=width,
                client=client[:_MAX_NAME],
                seq=seq,
            )
        except IndexError as error:
            raise _no_frame(number) from error
        except OvertakenError as error:
            raise HTTPException(
                HTTPStatus.CONFLICT, "a newer request has overtaken this one"
            ) from error
        return Response(content, media_type="image/jpeg", headers={"X-Frame": str(number)})

    @router.get("/faces/{track}/{number}")
    def face(rid: str, track: int, number: int, size: int = 160) -> Response:
        if not 16 <= size <= _MAX_FACE_PX:
            raise HTTPException(
                HTTPStatus.BAD_REQUEST, f"size is {size}: give 16 to {_MAX_FACE_PX} pixels"
            )
        try:
            content = opened(rid).face(track, number, size)
        except IndexError:  # no mistake: it was there when the page asked, and an edit took it away
            return Response(status_code=HTTPStatus.NO_CONTENT)
        except OvertakenError as error:  # the review was closed meanwhile
            raise HTTPException(HTTPStatus.CONFLICT, "the review was closed: try again") from error
        return Response(content, media_type="image/jpeg", headers={"X-Frame": str(number)})

    @router.get("/journal")
    def journal(rid: str) -> JsonAnswer:
        return JsonAnswer({"lines": opened(rid).line_dicts()})

    @router.get("/doubts")
    def doubts(rid: str) -> JsonAnswer:
        session = opened(rid)
        left_out = session.queue().left_out
        return JsonAnswer({"doubts": session.doubt_dicts(), "left_out": left_out})

    @router.get("/media")
    def media(rid: str) -> FileResponse:
        return FileResponse(opened(rid).checked_video())


def _add_edits(
    router: APIRouter, opened: Callable[[str], ReviewSession], sessions: Sessions
) -> None:
    """Add the routes that change something."""

    def changed(rid: str, change: Callable[[ReviewSession], dict[str, Any]]) -> JsonAnswer:
        session = opened(rid)
        try:
            answer = change(session)
        except StaleError as error:
            raise HTTPException(
                HTTPStatus.CONFLICT,
                "the review has changed in another window: look at it, then repeat this",
            ) from error
        if answer.get("changed", True):
            sessions.notify(rid, session)
        return JsonAnswer(answer)

    @router.post("/edits")
    def edit(rid: str, request: dict[str, Any] = Body()) -> JsonAnswer:
        who, why = _who(request), request.get("why")
        given, base = request.get("edit"), _base(request)
        if not isinstance(given, dict):
            raise HTTPException(HTTPStatus.BAD_REQUEST, "edit is missing: give an object")
        if why is not None and not (isinstance(why, str) and len(why) <= _MAX_TEXT):
            raise HTTPException(HTTPStatus.BAD_REQUEST, "why is no text, or too long")
        return changed(rid, lambda session: session.apply(given, who, why or None, base))

    @router.post("/undo")
    def undo(rid: str, request: dict[str, Any] | None = Body(None)) -> JsonAnswer:
        who, base = _who(request or {}), _base(request or {})
        return changed(rid, lambda session: session.undo(who, base))

    @router.post("/redo")
    def redo(rid: str, request: dict[str, Any] | None = Body(None)) -> JsonAnswer:
        who, base = _who(request or {}), _base(request or {})
        return changed(rid, lambda session: session.redo(who, base))


def _add_jobs(router: APIRouter, opened: Callable[[str], ReviewSession], jobs: ReviewJobs) -> None:
    """Add the routes that start a job."""

    @router.post("/render", status_code=HTTPStatus.ACCEPTED)
    def render(rid: str, request: dict[str, Any] | None = Body(None)) -> JsonAnswer:
        verify = (request or {}).get("verify", False) is True
        job = jobs.render(rid, opened(rid), verify=verify)
        return JsonAnswer({"job": job}, HTTPStatus.ACCEPTED)

    @router.post("/verify", status_code=HTTPStatus.ACCEPTED)
    def verify(rid: str) -> JsonAnswer:
        return JsonAnswer({"job": jobs.verify(rid, opened(rid))}, HTTPStatus.ACCEPTED)


def _who(request: dict[str, Any]) -> str:
    """Return who edits: as the page says, or as the system calls the user."""
    who = request.get("who")
    if who is None or who == "":
        return user_name()
    if not isinstance(who, str) or len(who) > _MAX_NAME or not who.isprintable():
        raise HTTPException(HTTPStatus.BAD_REQUEST, "who is no name: give a short text")
    return who


def _base(request: dict[str, Any]) -> int | None:
    """Return the version that an edit was made for; None: any."""
    base = request.get("base")
    if base is not None and type(base) is not int:
        raise HTTPException(HTTPStatus.BAD_REQUEST, "base is no version: give a whole number")
    return base


def _check_span(session: ReviewSession, first: int, last: int, most: int) -> None:
    count = session.content.tracks.frame_count
    if not 0 <= first <= last < count:
        raise HTTPException(
            HTTPStatus.NOT_FOUND, f"there are no frames {first} to {last}: they end at {count - 1}"
        )
    if last - first >= most:
        raise HTTPException(HTTPStatus.BAD_REQUEST, f"ask for at most {most} frames at once")


def _no_frame(number: int) -> HTTPException:
    return HTTPException(HTTPStatus.NOT_FOUND, f"there is no frame {number}")
