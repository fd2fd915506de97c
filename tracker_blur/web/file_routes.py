"""Routes for what can be hidden, for the files of the folder, and for watched folders."""

from __future__ import annotations

from http import HTTPStatus
from typing import TYPE_CHECKING, Any, get_args

from fastapi import APIRouter, Request
from pydantic import BaseModel, Field
from starlette.exceptions import HTTPException
from starlette.responses import Response

from tracker_blur.core import plugins
from tracker_blur.files.paths import is_folder, is_media
from tracker_blur.redaction.methods import names_of
from tracker_blur.version import __version__
from tracker_blur.web.job_commands import Care, redact_arguments
from tracker_blur.web.job_routes import CLASSES, ChoiceBody
from tracker_blur.web.json_answers import JsonAnswer
from tracker_blur.web.made_files import results_in
from tracker_blur.web.opened_file import OpenedFile
from tracker_blur.web.results_zip import zip_answer
from tracker_blur.web.uploads import new_file, receive

if TYPE_CHECKING:
    from tracker_blur.web.services import Services


class WatchedBody(BaseModel):
    """A folder that is watched, as the page sends it."""

    folder: str = Field(max_length=4096)


class WatchBody(WatchedBody, extra="forbid"):
    """A folder to watch, as the page sends it."""

    target: str = Field(max_length=4096)
    settings: ChoiceBody = ChoiceBody()


def create_router(services: Services) -> APIRouter:
    """Return the routes."""
    router = APIRouter()
    folder, outputs = services.folder, services.jobs.outputs

    @router.get("/api/app")
    def show_app() -> JsonAnswer:
        return JsonAnswer(
            {
                "version": __version__,
                "folder": str(folder.root),
                "methods": [
                    {"name": name, "class": kind}
                    for kind in ("destructive", "cosmetic")
                    for name in names_of(kind)
                    if name != "image"  # it needs a file
                ],
                "classes": CLASSES,
                "detectors": ["auto", *plugins.names("tracker_blur.detectors")],
                "care": get_args(Care),
            }
        )

    @router.get("/api/files")
    def list_files(path: str = "") -> JsonAnswer:
        entries = [{**entry, "is_result": is_result(entry)} for entry in folder.entries(path)]
        return JsonAnswer({"path": path, "entries": entries})

    def is_result(entry: dict[str, Any]) -> bool:
        """Return whether a job has written a file, or files in a folder of results."""
        path = folder.root / entry["path"]
        if entry["kind"] == "folder":
            return entry["redacted_of"] is not None and outputs.any_below(path)
        return outputs.has(path)

    @router.get("/api/files/{name:path}")
    def send_result(name: str) -> Response:
        path = folder.resolve(name)
        if is_folder(path) and (made := results_in(path, outputs, folder)):
            return zip_answer(made, f"{path.name}.zip", outputs.open)
        file = outputs.open(path) if is_media(path) else None
        if file is None:
            raise HTTPException(
                HTTPStatus.NOT_FOUND,
                f"{name}: is not what a job of this page wrote: nothing else is sent",
            )
        return OpenedFile(file, path.name)

    @router.put("/api/files/{name:path}")
    async def upload(name: str, request: Request) -> JsonAnswer:
        path = new_file(folder, name)
        await receive(request, path)
        return JsonAnswer({"path": folder.relative(path)}, HTTPStatus.CREATED)

    @router.get("/api/watches")
    def list_watches() -> JsonAnswer:
        return JsonAnswer({"watches": services.watches.all()})

    @router.post("/api/watches")
    def watch(body: WatchBody) -> JsonAnswer:
        source, target = folder.resolve(body.folder), folder.resolve_new(body.target)
        if not is_folder(source):
            raise HTTPException(HTTPStatus.BAD_REQUEST, f"{body.folder}: is not a folder")
        if target == folder.root or target == source or target in source.parents:
            raise HTTPException(
                HTTPStatus.BAD_REQUEST, f"{body.target}: choose another folder for the outputs"
            )
        choice = body.settings.choice()
        redact_arguments(source, target, choice, is_image=False, tracks=None)  # is it possible?
        names = folder.relative(source), folder.relative(target)
        return JsonAnswer(services.watches.add(*names, choice), HTTPStatus.CREATED)

    @router.delete("/api/watches")
    def end_watch(body: WatchedBody) -> Response:
        if not services.watches.remove(body.folder):
            raise HTTPException(HTTPStatus.NOT_FOUND, f"{body.folder}: is not watched")
        return Response(status_code=HTTPStatus.NO_CONTENT)

    return router
