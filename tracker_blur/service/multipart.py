"""Reads multipart/form-data as it comes, without files of its own."""

from __future__ import annotations

from dataclasses import dataclass
from http import HTTPStatus
from typing import TYPE_CHECKING

from python_multipart.exceptions import FormParserError
from python_multipart.multipart import MultipartParser, parse_options_header

from tracker_blur.service.problems import Problem

if TYPE_CHECKING:
    from collections.abc import AsyncIterable, AsyncIterator

MEDIA_TYPE = "multipart/form-data"

_MAX_PARTS = 32
_MAX_OPTIONS = 2 << 10  # characters of a header: the time to read its options grows as the square
_MAX_HEAD_BYTES = 8 << 10  # of all headers of a part


@dataclass(frozen=True, slots=True)
class PartHead:
    """What is known of a part of a form before its data comes.

    Attributes:
        name: Of the field.
        file_name: What the client calls the file; None: it is no file.
    """

    name: str
    file_name: str | None


def is_multipart(content_type: str) -> bool:
    """Return whether this Content-Type is that of a form with files."""
    return content_type.partition(";")[0].strip().lower() == MEDIA_TYPE


async def read_parts(
    content_type: str, chunks: AsyncIterable[bytes]
) -> AsyncIterator[tuple[PartHead, bytes]]:
    """Yield the data of each part as it comes, at least once for each, if only b"".

    Args:
        content_type: The header of the request.
        chunks: Its body.

    Raises:
        Problem: It is no multipart/form-data, breaks off, or has too many parts.
    """
    form = _Form()
    boundary = _options(content_type).get(b"boundary", b"")
    if not boundary:
        raise _malformed("its Content-Type has no boundary")
    try:
        parser = MultipartParser(
            boundary,
            {
                "on_part_begin": form.begin_part,
                "on_header_field": form.add_name,
                "on_header_value": form.add_value,
                "on_header_end": form.end_header,
                "on_headers_finished": form.end_head,
                "on_part_data": form.add_data,
                "on_end": form.end,
            },
        )
        async for chunk in chunks:
            parser.write(chunk)
            for piece in form.take():
                yield piece
        parser.finalize()
    except FormParserError as error:
        raise _malformed(str(error)) from error
    if not form.has_ended:
        raise _malformed("it breaks off")


async def read_file(
    content_type: str,
    chunks: AsyncIterable[bytes],
    max_field_bytes: int,
    fields: dict[str, str],
) -> AsyncIterator[tuple[str, bytes]]:
    """Yield what the client calls the only file of a form, and its data as it comes.

    Args:
        content_type: The header of the request.
        chunks: Its body.
        max_field_bytes: The longest text of another field.
        fields: Gets the other fields, once all data has come.

    Raises:
        Problem: As `read_parts` does, or there are several files, or a field is too long.
    """
    file: PartHead | None = None
    texts: dict[str, bytearray] = {}
    async for head, data in read_parts(content_type, chunks):
        if head.file_name is None:
            text = texts.setdefault(head.name, bytearray())
            text += data
            if len(text) > max_field_bytes:
                raise Problem(
                    HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
                    f"{head.name[:80]}: is longer than {max_field_bytes} bytes",
                )
            continue
        file = file or head
        if head is not file:
            raise Problem(
                HTTPStatus.UNPROCESSABLE_ENTITY, "there are several files: send one a request"
            )
        yield head.file_name, data
    fields |= {name: text.decode("utf-8", "replace") for name, text in texts.items()}


class _Form:
    """Takes what the parser calls it with."""

    def __init__(self) -> None:
        self._pieces: list[tuple[PartHead, bytes]] = []
        self._part: PartHead | None = None
        self._parts = self._head_bytes = 0
        self._name = self._value = b""
        self._disposition = ""
        self.has_ended = False

    def take(self) -> list[tuple[PartHead, bytes]]:
        """Return what has come since the last call."""
        pieces, self._pieces = self._pieces, []
        return pieces

    def begin_part(self) -> None:
        self._parts += 1
        if self._parts > _MAX_PARTS:
            raise _malformed(f"it has more than {_MAX_PARTS} parts")
        self._head_bytes = 0
        self._disposition = ""

    def add_name(self, data: bytes, start: int, end: int) -> None:
        self._count(end - start)
        self._name += data[start:end]

    def add_value(self, data: bytes, start: int, end: int) -> None:
        self._count(end - start)
        self._value += data[start:end]

    def end_header(self) -> None:
        if self._name.lower() == b"content-disposition":
            self._disposition = self._value.decode("latin-1")
        self._name = self._value = b""

    def end_head(self) -> None:
        options = _options(self._disposition)
        if b"name" not in options:
            raise _malformed("a part has no name")
        file_name = options.get(b"filename")
        self._part = PartHead(
            options[b"name"].decode("utf-8", "replace"),
            None if file_name is None else file_name.decode("utf-8", "replace"),
        )
        self._pieces.append((self._part, b""))

    def add_data(self, data: bytes, start: int, end: int) -> None:
        assert self._part is not None  # its head came before
        self._pieces.append((self._part, data[start:end]))

    def end(self) -> None:
        self.has_ended = True

    def _count(self, length: int) -> None:
        self._head_bytes += length
        if self._head_bytes > _MAX_HEAD_BYTES:
            raise _malformed(f"the head of a part has more than {_MAX_HEAD_BYTES} bytes")


def _options(header: str) -> dict[bytes, bytes]:
    """Return the options of a header; raises Problem for one that is too long."""
    if len(header) > _MAX_OPTIONS:
        raise _malformed(f"one of its headers has more than {_MAX_OPTIONS} characters")
    return parse_options_header(header)[1]


def _malformed(reason: str) -> Problem:
    return Problem(HTTPStatus.BAD_REQUEST, f"the form cannot be read ({reason}): check the client")
