"""The application: pages, static files, the routes of each part, and errors as JSON."""

from __future__ import annotations

import re
from hashlib import sha256
from http import HTTPStatus
from importlib import resources
from pathlib import Path
from typing import TYPE_CHECKING

from fastapi import Depends, FastAPI, Request
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.responses import FileResponse, Response
from starlette.staticfiles import NotModifiedResponse, StaticFiles

from tracker_blur.errors import TrackerBlurError
from tracker_blur.serving.bounds import REVALIDATED
from tracker_blur.web import file_routes, job_routes, report_routes, review_routes
from tracker_blur.web.job_commands import ChoiceError
from tracker_blur.web.json_answers import JsonAnswer

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from starlette.types import Scope

    from tracker_blur.web.services import Services

_STATIC = Path(str(resources.files("tracker_blur.web") / "static"))
_TYPES = {
    ".css": "text/css",
    ".html": "text/html",
    ".js": "text/javascript",
    ".svg": "image/svg+xml",
}
_PAGES = re.compile(r"/|/review/[0-9a-f]{16}")


def is_page(path: str) -> bool:
    """Return whether a path is that of a page, which people open."""
    return _PAGES.fullmatch(path) is not None


def is_upload(scope: Scope) -> bool:
    """Return whether the body of a request may be a whole video."""
    path: str = scope["path"]
    return scope["method"] == "PUT" and path.startswith("/api/files/")


def create_application(services: Services) -> FastAPI:
    """Return the application; its server decides which requests it gets."""
    app = FastAPI(
        openapi_url=None,
        docs_url=None,
        redoc_url=None,
        redirect_slashes=False,
        dependencies=[Depends(_require_json)],
    )
    for module in (file_routes, job_routes, report_routes, review_routes):
        app.include_router(module.create_router(services))
    app.add_api_route("/", _page("index.html"))
    app.add_api_route("/review/{review_id}", _review_page(services))
    app.add_api_route("/static/{name}", _static_files(), methods=["GET", "HEAD"])
    app.add_exception_handler(HTTPException, _refused)
    app.add_exception_handler(RequestValidationError, _invalid)
    app.add_exception_handler(ChoiceError, _failed(services))
    app.add_exception_handler(TrackerBlurError, _failed(services))
    app.add_exception_handler(Exception, _broken)  # the server reports it
    return app


def _static_files() -> Callable[[str, Request], Awaitable[Response]]:
    """Return what answers with scripts and styles, from memory, or that the browser has them.

    A review is opened while the browser asks for them: each look at the disk, in a thread, would
    wait for those that read the tracks.
    """
    paths = [path for path in _STATIC.iterdir() if path.suffix in _TYPES]
    contents = {path.name: path.read_bytes() for path in paths}
    tags = {name: f'"{sha256(content).hexdigest()}"' for name, content in contents.items()}
    conditions = StaticFiles(directory=_STATIC)

    async def static_file(name: str, request: Request) -> Response:
        if name not in contents:
            raise HTTPException(HTTPStatus.NOT_FOUND, "there is no such file")
        headers = {"etag": tags[name], "cache-control": REVALIDATED}
        response = Response(contents[name], media_type=_TYPES[Path(name).suffix], headers=headers)
        if conditions.is_not_modified(response.headers, request.headers):
            return NotModifiedResponse(response.headers)
        return response

    return static_file


def _page(name: str) -> Callable[[], Awaitable[FileResponse]]:
    async def page() -> FileResponse:
        return FileResponse(_STATIC / name)

    return page


def _review_page(services: Services) -> Callable[[str], FileResponse]:
    def page(review_id: str) -> FileResponse:
        services.warm(review_id)
        return FileResponse(_STATIC / "review.html")

    return page


async def _require_json(request: Request) -> None:
    """Refuse bodies of another type: a form of a foreign page could send those."""
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    has_body = request.headers.get("content-length", "0") != "0" or (
        "transfer-encoding" in request.headers
    )
    if has_body and not is_upload(request.scope) and kind != "application/json":
        raise HTTPException(HTTPStatus.UNSUPPORTED_MEDIA_TYPE, "send JSON: application/json")


async def _refused(_request: Request, error: Exception) -> JsonAnswer:
    assert isinstance(error, HTTPException)
    return JsonAnswer({"error": error.detail}, error.status_code, error.headers)


async def _invalid(_request: Request, error: Exception) -> JsonAnswer:
    """Say which field makes no sense, in one sentence."""
    assert isinstance(error, RequestValidationError)
    first = error.errors()[0]
    place = ".".join(str(part) for part in first["loc"] if part not in ("body", "query"))
    text = f"{place}: {first['msg']}" if place else str(first["msg"])
    return JsonAnswer({"error": text}, HTTPStatus.BAD_REQUEST)


def _failed(services: Services) -> Callable[[Request, Exception], Awaitable[JsonAnswer]]:
    async def answer(_request: Request, error: Exception) -> JsonAnswer:
        text = services.folder.named(str(error))
        return JsonAnswer({"error": text}, HTTPStatus.BAD_REQUEST)

    return answer


async def _broken(_request: Request, _error: Exception) -> JsonAnswer:
    reason = "this is a bug: please report it with what the terminal shows"
    return JsonAnswer({"error": reason}, HTTPStatus.INTERNAL_SERVER_ERROR)
