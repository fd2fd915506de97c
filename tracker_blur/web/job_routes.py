"""Routes for jobs, for their outputs, and for the events that all pages get."""

from __future__ import annotations

from http import HTTPStatus
from typing import TYPE_CHECKING, Annotated, Any, Literal

from fastapi import APIRouter, Request
from pydantic import BaseModel, Field, ValidationError, model_validator
from pydantic_core import InitErrorDetails, PydanticCustomError
from starlette.exceptions import HTTPException
from starlette.responses import Response, StreamingResponse

from tracker_blur.files.companions import tracks_path
from tracker_blur.files.paths import is_file, is_folder, is_image, is_media
from tracker_blur.serving.protocol import connection_of
from tracker_blur.web.choice_settings import check_choice
from tracker_blur.web.job_commands import Care, Choice, ChoiceError, Decisions
from tracker_blur.web.json_answers import JsonAnswer
from tracker_blur.web.made_files import made_files
from tracker_blur.web.opened_file import OpenedFile
from tracker_blur.web.results_zip import zip_answer

if TYPE_CHECKING:
    from typing import Self

    from tracker_blur.web.job import Job
    from tracker_blur.web.services import Services

CLASSES = ("faces", "plates")
_ARCHIVE = "trackblur results.zip"

_OWN_FIELDS = "classes", "method"

_Text = Annotated[str, Field(max_length=4096)]


class ChoiceBody(BaseModel, extra="forbid"):
    """How files are redacted, as the page sends it."""

    classes: list[Literal["faces", "plates"]] = Field(default=[], max_length=len(CLASSES))
    method: _Text | None = None
    care: Care = "normal"
    options: dict[_Text, Any] = {}

    @model_validator(mode="after")
    def _make_sense(self) -> Self:
        try:
            check_choice(self.choice())
        except ChoiceError as error:
            field: tuple[str, ...] = (error.option or "options",)
            if error.option is not None and error.option not in _OWN_FIELDS:
                field = ("options", error.option)
            problem = PydanticCustomError("choice", "{problem}", {"problem": error.problem})
            details = InitErrorDetails(type=problem, loc=field, input=None)
            raise ValidationError.from_exception_data("choice", [details]) from None
        return self

    def choice(self) -> Choice:
        """Return the choice."""
        return Choice(tuple(dict.fromkeys(self.classes)), self.method, self.care, self.options)


class JobsBody(ChoiceBody):
    """New jobs, one for each file."""

    files: list[_Text] = Field(min_length=1, max_length=10_000)
    action: Literal["redact", "track", "verify"]
    decisions: Decisions | None = None


class FilesBody(BaseModel, extra="forbid"):
    """Some files."""

    files: list[_Text] = Field(min_length=1, max_length=10_000)


class ReviewBody(ChoiceBody):
    """A video to review."""

    path: _Text
    tracks: _Text | None = None


def create_router(services: Services) -> APIRouter:
    """Return the routes."""
    router = APIRouter()
    folder, jobs = services.folder, services.jobs

    @router.get("/api/jobs")
    def list_jobs() -> JsonAnswer:
        return JsonAnswer({"jobs": jobs.all()})

    @router.post("/api/jobs")
    def add_jobs(body: JobsBody) -> JsonAnswer:
        choice = body.choice()
        added = services.add_jobs(body.action, body.files, choice, body.decisions)
        return JsonAnswer({"jobs": [jobs.as_dict(job) for job in added]}, HTTPStatus.CREATED)

    @router.post("/api/decided")
    def list_decided(body: FilesBody) -> JsonAnswer:
        return JsonAnswer({"files": services.decided(body.files)})

    actions = {
        "pause": jobs.pause,
        "resume": jobs.resume,
        "cancel": jobs.cancel,
        "retry": jobs.retry,
    }

    @router.post("/api/jobs/{job_id}/{action}")
    def act(job_id: str, action: str) -> JsonAnswer:
        if action not in actions:
            raise HTTPException(HTTPStatus.NOT_FOUND, f"{action}: jobs have no such action")
        return JsonAnswer(jobs.as_dict(actions[action](job_id)))

    @router.delete("/api/jobs/{job_id}")
    def forget(job_id: str) -> Response:
        jobs.forget(job_id)
        return Response(status_code=HTTPStatus.NO_CONTENT)

    @router.get("/api/jobs/{job_id}/output")
    def send_output(job_id: str) -> Response:
        return _output(jobs.get(job_id), services)

    @router.get("/api/results.zip")
    def send_results() -> StreamingResponse:
        made = [
            file
            for job in jobs.known()
            if job.new.action in ("redact", "render")
            for file in made_files(job, jobs.outputs, folder)
        ]
        if not made:
            raise HTTPException(HTTPStatus.NOT_FOUND, "there are no results yet")
        return zip_answer(dict.fromkeys(made), _ARCHIVE, jobs.outputs.open)

    @router.get("/api/events")
    async def send_events(request: Request) -> Response:
        if not connection_of(request.scope).begin_stream():
            raise HTTPException(HTTPStatus.SERVICE_UNAVAILABLE, "too many pages are open")
        return StreamingResponse(services.events.stream(), media_type="text/event-stream")

    @router.post("/api/reviews")
    def open_review(body: ReviewBody) -> JsonAnswer:
        path = folder.resolve(body.path)
        if not (is_file(path) and is_media(path)):
            raise HTTPException(HTTPStatus.BAD_REQUEST, f"{body.path}: is no video and no image")
        tracks = tracks_path(path) if body.tracks is None else folder.resolve(body.tracks)
        review = services.reviews.open(path, tracks)
        if is_image(path):
            services.track_image(review, body.choice())
        if tracks.is_file():
            services.warm(review.id)
            return JsonAnswer({"id": review.id})
        job = services.track_for_review(review, body.choice())
        return JsonAnswer({"job": jobs.as_dict(job)}, HTTPStatus.ACCEPTED)

    return router


def _output(job: Job, services: Services) -> Response:
    """Return the answer with what a job has written; with all files of a folder, as an archive."""
    if job.state != "done" or job.new.output is None:
        raise HTTPException(HTTPStatus.CONFLICT, "this job has written nothing")
    written = services.jobs.output_of(job) if job.new.is_upload else None
    path = written or services.folder.resolve(job.new.output)
    if is_folder(path):
        made = made_files(job, services.jobs.outputs, services.folder)
        if not made:
            raise HTTPException(HTTPStatus.NOT_FOUND, f"{job.new.output}: nothing of it is left")
        return zip_answer(made, f"{path.name}.zip", services.jobs.outputs.open)
    file = services.jobs.outputs.open(path) if written is None else written.open("rb")
    if file is None:
        raise HTTPException(
            HTTPStatus.NOT_FOUND,
            f"{job.new.output}: is no longer what this job wrote: make it again",
        )
    return OpenedFile(file, path.name)
