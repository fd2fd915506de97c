"""Every error as a problem document (RFC 9457), `application/problem+json`."""

from __future__ import annotations

import json
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

from fastapi.exceptions import RequestValidationError
from pydantic import BaseModel, ConfigDict, Field
from starlette.exceptions import HTTPException
from starlette.responses import Response

from tracker_blur.errors import (
    InputError,
    MissingPackageError,
    MissingWeightsError,
    ModelError,
    SettingsError,
    SourceError,
    TrackerBlurError,
)
from tracker_blur.serving.bounds import LostClientError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from fastapi import FastAPI, Request
    from starlette.types import Scope, Send

MEDIA_TYPE = "application/problem+json"

_PARAMETERS = {"confidence": "confidence", "detector": "detector", "hide": "classes"}
"""What requests call the settings that errors name."""

_OUTER = ("body", "query", "path", "header")  # FastAPI's names for where a field was


class ProblemDocument(BaseModel):
    """An error (RFC 9457)."""

    model_config = ConfigDict(extra="allow")

    type: str = Field("about:blank", description="Always `about:blank`: the status says it all.")
    title: str = Field(description="The name of the status.")
    status: int = Field(description="The HTTP status.")
    detail: str = Field(description="What happened, and what to do.")
    instance: str = Field(description="The path of the request.")


class Problem(Exception):  # noqa: N818  # the name that RFC 9457 gives it
    """Ends a request with a status and a reason.

    Args:
        status: The HTTP status.
        detail: What happened and what to do, in one line.
        headers: Of the answer.
        members: Further members of the document.
    """

    def __init__(
        self,
        status: int,
        detail: str,
        headers: Mapping[str, str] | None = None,
        **members: Any,
    ) -> None:
        super().__init__(detail)
        self.status = status
        self.detail = detail
        self.headers = dict(headers or {})
        self.members = members

    def response(self, scope: Scope) -> Response:
        """Return the answer to a request."""
        document = {
            "type": "about:blank",
            "title": HTTPStatus(self.status).phrase,
            "status": self.status,
            "detail": self.detail,
            "instance": _path(scope),
            **self.members,
        }
        return Response(
            json.dumps(document), self.status, headers=self.headers, media_type=MEDIA_TYPE
        )


def unavailable(detail: str, retry_seconds: int = 1) -> Problem:
    """Return the problem of a request that may succeed when it is sent again later."""
    return Problem(
        HTTPStatus.SERVICE_UNAVAILABLE, detail, {"retry-after": str(max(1, retry_seconds))}
    )


def problem_of(error: TrackerBlurError) -> Problem:
    """Return what a client learns about an error.

    What names files of this machine does not leave it.
    """
    if isinstance(error, MissingWeightsError):
        return Problem(
            HTTPStatus.UNPROCESSABLE_ENTITY,
            f"the weights of {error.model} are not on the server: get them there with 'trackblur "
            f"models pull {error.model}', or choose another detector",
        )
    if isinstance(error, (ModelError, MissingPackageError)):
        return unavailable("this detector cannot be loaded here: its log says why", 60)
    if isinstance(error, SourceError) and error.remedy == "max_megapixels":
        detail = f"the image {error.__cause__}: reduce it"
        return Problem(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, detail)
    if isinstance(error, (SettingsError, InputError, SourceError)):
        return Problem(HTTPStatus.UNPROCESSABLE_ENTITY, error.text(_PARAMETERS))
    return Problem(HTTPStatus.INTERNAL_SERVER_ERROR, "this failed: the service's log says why")


def documented(meanings: Mapping[int, str]) -> dict[int | str, dict[str, Any]]:
    """Return the errors of a route for OpenAPI.

    Args:
        meanings: What each status means there.
    """
    return {
        status: {"description": meaning, "model": ProblemDocument}
        for status, meaning in meanings.items()
    }


def describe_errors(openapi: dict[str, Any]) -> None:
    """Say in an OpenAPI document that all errors are problem documents; FastAPI says JSON."""
    schema = {"$ref": f"#/components/schemas/{ProblemDocument.__name__}"}
    for operations in openapi["paths"].values():
        for operation in operations.values():
            for status, answer in operation["responses"].items():
                if int(status) >= HTTPStatus.BAD_REQUEST:
                    answer["content"] = {MEDIA_TYPE: {"schema": schema}}
    for name in ("HTTPValidationError", "ValidationError"):
        openapi["components"]["schemas"].pop(name, None)


async def refuse(scope: Scope, send: Send, code: int, reason: str) -> None:
    """Answer with a problem, and close the connection: for code outside of the application."""
    response = Problem(code, reason, {"connection": "close"}).response(scope)
    await send({"type": "http.response.start", "status": code, "headers": response.raw_headers})
    await send({"type": "http.response.body", "body": response.body})


def add_handlers(app: FastAPI, report: Callable[[str], None]) -> None:
    """Let an application answer with problems, whatever fails.

    Args:
        app: The application.
        report: Called with a line when something fails that is no fault of the client.
    """

    def failed(request: Request, error: Exception) -> Response:
        assert isinstance(error, TrackerBlurError)
        problem = problem_of(error)
        if problem.status >= HTTPStatus.INTERNAL_SERVER_ERROR:
            report(str(error))
        return problem.response(request.scope)

    app.add_exception_handler(Problem, _problem)
    app.add_exception_handler(HTTPException, _refused)
    app.add_exception_handler(RequestValidationError, _invalid)
    app.add_exception_handler(TrackerBlurError, failed)
    app.add_exception_handler(LostClientError, _late)
    app.add_exception_handler(Exception, _broken)  # the server reports it


def _problem(request: Request, error: Exception) -> Response:
    assert isinstance(error, Problem)
    return error.response(request.scope)


def _refused(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    headers = dict(error.headers or {})
    return Problem(error.status_code, _sentence(error), headers).response(request.scope)


def _invalid(request: Request, error: Exception) -> Response:
    """Say which fields make no sense; the values are not repeated, as they may be long."""
    assert isinstance(error, RequestValidationError)
    errors = [
        {
            "field": _place(each["loc"]),
            "message": each["msg"].removeprefix("Value error, "),
        }
        for each in error.errors()[:10]
    ]
    first = errors[0]
    detail = f"{first['field']}: {first['message']}" if first["field"] else first["message"]
    return Problem(HTTPStatus.UNPROCESSABLE_ENTITY, detail, errors=errors).response(request.scope)


def _place(location: Sequence[str | int]) -> str:
    """Return where a field is, as clients call it."""
    inner = location[1:] if location[:1] and location[0] in _OUTER else location
    return ".".join(map(str, inner))[:200]


def _late(request: Request, _error: Exception) -> Response:
    reason = "the request did not arrive in time"
    return Problem(HTTPStatus.REQUEST_TIMEOUT, reason).response(request.scope)


def _broken(request: Request, _error: Exception) -> Response:
    reason = "this is a bug: please report it with what the service's log shows"
    return Problem(HTTPStatus.INTERNAL_SERVER_ERROR, reason).response(request.scope)


def _sentence(error: HTTPException) -> str:
    if error.status_code == HTTPStatus.NOT_FOUND and error.detail == "Not Found":
        return "there is nothing at this address: /docs lists what there is"
    if error.status_code == HTTPStatus.METHOD_NOT_ALLOWED:
        return "this address does not take this method: the header Allow lists those it takes"
    return str(error.detail)


def _path(scope: Scope) -> str:
    raw: bytes = scope.get("raw_path") or scope["path"].encode()
    return raw.partition(b"?")[0][:1000].decode("latin-1")
