"""Bodies of Roboflow's inference protocol: images in base64, and JSON that may hold the token."""

from __future__ import annotations

import base64
import binascii
import re
from http import HTTPStatus
from typing import TYPE_CHECKING, TypeVar

import anyio.to_thread
from fastapi import Request
from fastapi.exceptions import RequestValidationError
from pydantic import BaseModel, ValidationError

from tracker_blur.service.problems import Problem

if TYPE_CHECKING:
    from collections.abc import Callable

    from starlette.types import Message, Receive

QueryT = TypeVar("QueryT", bound=BaseModel)

_MAX_VALUES = 10_000  # in a body; each takes tens of bytes once it is parsed
_BEGINNING = 2 << 10  # bytes; in these, the client names the token
_KEY = re.compile(rb'\s*\{\s*(?:"model_id"\s*:\s*"[^"\\]*"\s*,\s*)?"api_key"\s*:\s*"([^"\\]*)"')
_DATA_URL = re.compile(rb"data:image/[a-z0-9.+-]+;base64,", re.IGNORECASE)
_DATA_URL_LENGTH = 80  # more than any of images has
_WHITE = b" \t\r\n"


def decoded(text: bytes) -> bytes:
    """Return the file that a text in base64 holds; the text may be a data URL.

    Raises:
        Problem: It is no base64.
    """
    prefix = _DATA_URL.match(text[:_DATA_URL_LENGTH])
    encoded = text[prefix.end() :] if prefix else text
    try:
        return base64.b64decode(encoded.translate(None, _WHITE), validate=True)
    except binascii.Error:
        raise Problem(
            HTTPStatus.UNPROCESSABLE_ENTITY,
            "the image is not in base64: send its file in base64, or as the field 'file' of a form",
        ) from None


async def parsed(model: type[QueryT], content: bytes) -> QueryT:
    """Return the JSON of a body; long ones hold images, so a thread reads them.

    Raises:
        Problem: It has more values than any that makes sense.
        RequestValidationError: It is not what the model says.
    """
    try:
        return await anyio.to_thread.run_sync(_parsed, model, content)
    except ValidationError as error:
        raise RequestValidationError(error.errors(include_url=False)) from None


def _parsed(model: type[QueryT], content: bytes) -> QueryT:
    if sum(map(content.count, (b",", b"[", b"{"))) > _MAX_VALUES:  # none of them is base64
        raise Problem(HTTPStatus.UNPROCESSABLE_ENTITY, "the body has too many values: send fewer")
    return model.model_validate_json(content)


def checked_at_its_beginning(request: Request, check: Callable[[str | None], None]) -> Request:
    """Return a request whose body is read on only if it begins with the right token.

    The client names it before the image. So no one without a token makes the service keep bodies.

    Args:
        request: One with JSON, no part of which was read.
        check: Called with what the body's beginning gives as `api_key`, or None; raises Problem.
    """
    return Request(request.scope, _Checked(request.receive, check))


class _Checked:
    """Passes on the messages of a request once their beginning was checked."""

    def __init__(self, receive: Receive, check: Callable[[str | None], None]) -> None:
        self._receive = receive
        self._check = check
        self._messages: list[Message] | None = None

    async def __call__(self) -> Message:
        if self._messages is None:
            self._messages = await self._begun()
        return self._messages.pop(0) if self._messages else await self._receive()

    async def _begun(self) -> list[Message]:
        messages: list[Message] = []
        beginning = b""
        is_more = True
        while is_more and len(beginning) < _BEGINNING:
            messages.append(message := await self._receive())
            beginning += message.get("body", b"")
            is_more = message.get("more_body", False)
        found = _KEY.match(beginning[:_BEGINNING])
        self._check(found[1].decode("utf-8", "replace") if found else None)
        return messages
