"""Routes for jobs: add, watch, fetch the result, delete."""

from __future__ import annotations

import mimetypes
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

from anyio import CapacityLimiter, to_thread
from fastapi import APIRouter, Request
from pydantic import ValidationError
from starlette.responses import Response, StreamingResponse

from tracker_blur.files.paths import is_folder
from tracker_blur.service.file_answers import file_answer
from tracker_blur.service.job_requests import (
    JOB_BODY,
    JobAnswer,
    JobList,
    JobOptions,
    JobRequest,
    answer_of,
    invalid,
)
from tracker_blur.service.problems import Problem, documented, unavailable
from tracker_blur.serving.protocol import connection_of
from tracker_blur.web.events import KEEP_ALIVE, RETRY, Event
from tracker_blur.web.job_commands import ChoiceError
from tracker_blur.web.json_answers import JsonAnswer
from tracker_blur.web.opened_file import ANY_TYPE
from tracker_blur.web.results_zip import zip_answer

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable

    from starlette.types import Scope

    from tracker_blur.service.arrivals import Arrival
    from tracker_blur.service.jobs import Jobs
    from tracker_blur.web.job import Job

_PATH = "/v1/jobs"
_JSON = "application/json"
_TRACKS_TYPE = "application/jsonl"
_DELETED_AT_ONCE = 8  # each waits for a process to end, in a thread that others need, too
_MAX_COMMAS = 10_000  # in a body: to say that 100,000 fields are unknown takes a second
_OVER = ("done", "failed", "cancelled")

_NO_TOKEN = {401: "The token is missing or wrong."}
_PROBLEMS = documented(
    {
        **_NO_TOKEN,
        400: "This cannot be done with that file.",
        403: "The service has no folder, or does not fetch from that host.",
        404: "There is no such file.",
        408: "The file did not arrive in time.",
        409: "The file was reviewed: `decisions` must say what happens to that.",
        413: "The file is too long.",
        415: "The file is no video and no image.",
        422: "A field makes no sense.",
        429: "There are too many jobs.",
        502: "The server of the URL did not answer well.",
        503: "There is no room for the file, or too many arrive.",
        504: "The server of the URL did not answer in time.",
    }
)
_OF_A_JOB = documented(
    {
        **_NO_TOKEN,
        404: "There is no such job, or no such file of it.",
        409: "The state of the job does not allow it.",
        422: "The id makes no sense.",
    }
)
_STREAM: dict[int | str, dict[str, Any]] = {
    **_OF_A_JOB,
    **documented({503: "Too many clients wait for events."}),
    200: {
        "description": "Events `job`, each with the job as it is now, and `gone`.",
        "content": {"text/event-stream": {"schema": {"type": "string"}}},
    },
}
_FILE: dict[int | str, dict[str, Any]] = {
    **_OF_A_JOB,
    200: {"content": {ANY_TYPE: {"schema": {"type": "string", "format": "binary"}}}},
    **documented({400: "`Range` cannot be read.", 416: "There is no such part."}),
    206: {"description": "The part that `Range` names."},
    304: {"description": "The file is still the one of `If-None-Match`."},
}


def is_upload(scope: Scope) -> bool:
    """Return whether the body of a request may be a whole video."""
    if scope["method"] != "POST" or scope["path"] != _PATH:
        return False
    return not any(
        name == b"content-type" and _is_json(value.decode("latin-1"))
        for name, value in scope["headers"]
    )


def create_router(jobs: Jobs) -> APIRouter:
    """Return the routes."""
    router = APIRouter(tags=["jobs"])
    deleting = CapacityLimiter(_DELETED_AT_ONCE)

    @router.post(
        _PATH,
        response_model=JobAnswer,
        status_code=HTTPStatus.CREATED,
        openapi_extra=JOB_BODY,
        responses=_PROBLEMS,
    )
    async def add_job(request: Request) -> Response:
        """Add a job for a video or an image.

        It is the file of a form, or the whole body, with its name in the query; a JSON body names a
        file by its path or its URL.
        """
        await to_thread.run_sync(jobs.check_room)
        if _is_json(request.headers.get("content-type", "")):
            job = await _add_named(jobs, await _body_of(request))
        else:
            query = dict(request.query_params)
            name = query.pop("name", None)
            options = JobOptions.of_fields(query)  # before the file comes
            async with jobs.transfers.upload(request, name) as arrival:
                if arrival.fields:
                    options = JobOptions.of_fields({**query, **arrival.fields})
                job = await _add_file(jobs, arrival, options)
        answer = answer_of(await to_thread.run_sync(jobs.queue.as_dict, job))
        headers = {"location": answer["links"]["self"]}
        return JsonAnswer(answer, HTTPStatus.CREATED, headers)

    @router.get(_PATH, response_model=JobList, responses=documented(_NO_TOKEN))
    def list_jobs() -> Response:
        """Return all jobs: those that the page adds, too."""
        return JsonAnswer({"jobs": [answer_of(job) for job in jobs.queue.all()]})

    @router.get(_PATH + "/{job_id}", response_model=JobAnswer, responses=_OF_A_JOB)
    def show_job(job_id: str) -> Response:
        """Return a job."""
        return JsonAnswer(answer_of(jobs.queue.as_dict(jobs.queue.get(job_id))))

    @router.get(_PATH + "/{job_id}/events", response_class=Response, responses=_STREAM)
    async def send_events(job_id: str, request: Request) -> Response:
        """Send the job as it is now, and whenever it changes, until it is over."""
        job = await to_thread.run_sync(jobs.queue.get, job_id)
        if not connection_of(request.scope).begin_stream():
            raise unavailable("too many clients wait for events: ask for the job instead")
        return StreamingResponse(_events(jobs, job), media_type="text/event-stream")

    @router.post(_PATH + "/{job_id}/cancel", response_model=JobAnswer, responses=_OF_A_JOB)
    def cancel_job(job_id: str) -> Response:
        """End a job, and keep its record; what is half-written is deleted."""
        return JsonAnswer(answer_of(jobs.queue.as_dict(jobs.queue.cancel(job_id))))

    @router.delete(
        _PATH + "/{job_id}",
        status_code=HTTPStatus.NO_CONTENT,
        responses={**_OF_A_JOB, **documented({503: "Too many jobs are just being ended."})},
    )
    async def delete_job(job_id: str) -> Response:
        """End a job if it is not over, and delete it, with its upload and what was made of that.

        What a job has written into the service's folder stays.
        """
        if deleting.available_tokens < 1:
            raise unavailable("too many jobs are just being ended: try again later")
        await to_thread.run_sync(jobs.delete, job_id, limiter=deleting)
        return Response(status_code=HTTPStatus.NO_CONTENT)

    def send_output(job_id: str, request: Request) -> Response:
        """Send what a job has written, or the part of it that `Range` names.

        Of a job for a folder, it is a ZIP archive with all files.
        """
        job = jobs.queue.get(job_id)
        path = jobs.output_of(job)
        if is_folder(path):
            has_body = request.method != "HEAD"
            files, opened = jobs.files_of(job), jobs.queue.outputs.open
            return zip_answer(files, f"{path.name}.zip", opened, has_body=has_body)
        kind = mimetypes.guess_type(path.name)[0] or ANY_TYPE
        is_media = kind.startswith(("video/", "image/"))
        file = jobs.open(job, path)
        return file_answer(request, file, path.name, kind if is_media else ANY_TYPE)

    def send_tracks(job_id: str, request: Request) -> Response:
        """Send the track file of a job: what was hidden, frame by frame."""
        job = jobs.queue.get(job_id)
        path = jobs.tracks_of(job)
        return file_answer(request, jobs.open(job, path), path.name, _TRACKS_TYPE)

    for name, send in {"output": send_output, "tracks": send_tracks}.items():
        _add_file_route(router, f"{_PATH}/{{job_id}}/{name}", send)
    return router


def _add_file_route(router: APIRouter, path: str, send: Callable[..., Response]) -> None:
    for method in ("GET", "HEAD"):
        router.add_api_route(
            path,
            send,
            methods=[method],
            response_class=Response,
            responses=_FILE,
            include_in_schema=method == "GET",  # else both would have one id
        )


async def _body_of(request: Request) -> JobRequest:
    content = await request.body()
    if content.count(b",") > _MAX_COMMAS:
        raise Problem(HTTPStatus.UNPROCESSABLE_ENTITY, "the body has too many values: send fewer")
    try:
        return JobRequest.model_validate_json(content)
    except ValidationError as error:
        raise invalid(error) from None


async def _add_named(jobs: Jobs, body: JobRequest) -> Job:
    """Add the job for a file that a request names."""
    if body.url is not None:
        async with jobs.transfers.fetch(body.url, body.name) as arrival:
            return await _add_file(jobs, arrival, body)
    return await to_thread.run_sync(
        _refusing,
        lambda: jobs.add_path(body.action, str(body.path), body.choice(), body.decisions),
    )


async def _add_file(jobs: Jobs, arrival: Arrival, options: JobOptions) -> Job:
    """Add the job for a file that has arrived."""
    return await to_thread.run_sync(
        _refusing, lambda: jobs.add_upload(options.action, arrival.finish(), options.choice())
    )


def _refusing(add: Callable[[], Job]) -> Job:
    """Add a job; raises Problem for a choice that makes no sense."""
    try:
        return add()
    except ChoiceError as error:
        field = "options" if error.option is None else f"options.{error.option}"
        errors = [{"field": field, "message": error.problem}]
        raise Problem(
            HTTPStatus.UNPROCESSABLE_ENTITY, f"{field}: {error.problem}", errors=errors
        ) from error


async def _events(jobs: Jobs, job: Job) -> AsyncIterator[str]:
    with jobs.services.events.subscribed() as subscriber:  # first: nothing is missed
        yield RETRY
        shown = await to_thread.run_sync(jobs.queue.as_dict, job)
        yield str(Event("job", answer_of(shown)))
        if shown["state"] in _OVER:  # not by the job: it may have ended since
            return
        async for event in subscriber:
            if event is None:
                yield KEEP_ALIVE
            elif event.data.get("id") == job.id:
                is_gone = event.name == "gone"
                yield str(event if is_gone else Event("job", answer_of(event.data)))
                if is_gone or event.data["state"] in _OVER:
                    return


def _is_json(content_type: str) -> bool:
    return content_type.partition(";")[0].strip().lower() == _JSON
