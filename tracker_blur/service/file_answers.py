"""Answers with a file, or a part of it."""

from __future__ import annotations

from http import HTTPStatus
from typing import TYPE_CHECKING

from starlette.datastructures import Headers
from starlette.responses import Response

from tracker_blur.service.problems import Problem
from tracker_blur.web.opened_file import OpenedFile

if TYPE_CHECKING:
    from typing import BinaryIO

    from fastapi import Request
    from starlette.types import Message, Receive, Scope, Send

_KEPT = ("content-range",)
_UNIT = "bytes="
_REASONS = {
    HTTPStatus.BAD_REQUEST: "Range: cannot be read: write such as 'bytes=0-999'",
    HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE: "Range: there is no such part of the file",
}


def file_answer(request: Request, file: BinaryIO, name: str, kind: str) -> Response:
    """Return the answer with a file, or that the client has it already.

    Args:
        request: The request, with `Range`, `If-Range` or `If-None-Match`.
        file: The file; the answer closes it.
        name: What clients save it as.
        kind: Its media type.
    """
    response = _File(file, name, kind)
    tag = response.headers["etag"]
    known = request.headers.get("if-none-match", "").split(",")
    if {each.strip().removeprefix("W/") for each in known} & {tag, "*"}:
        file.close()
        return Response(status_code=HTTPStatus.NOT_MODIFIED, headers={"etag": tag})
    return response


class _File(OpenedFile):
    """A file; a part of it that is not there is a problem document.

    `Range` in other units than bytes is ignored (RFC 9110, 14.2).
    """

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        problem: Problem | None = None
        if not Headers(scope=scope).get("range", "").lower().startswith(_UNIT):
            scope = {**scope, "headers": [each for each in scope["headers"] if each[0] != b"range"]}

        async def sent(message: Message) -> None:
            nonlocal problem
            if message["type"] == "http.response.start" and message["status"] in _REASONS:
                sent_headers = Headers(raw=message["headers"])
                kept = {name: sent_headers[name] for name in _KEPT if name in sent_headers}
                problem = Problem(message["status"], _REASONS[message["status"]], kept)
            if problem is None:
                await send(message)

        await super().__call__(scope, receive, sent)
        if problem is not None:
            await problem.response(scope)(scope, receive, send)
