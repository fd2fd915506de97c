"""Uploads: streamed into a temporary file, which gets its name when it is whole."""

from __future__ import annotations

import os
import shutil
from contextlib import ExitStack
from http import HTTPStatus
from pathlib import Path
from typing import TYPE_CHECKING

from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException

from tracker_blur.errors import SinkError
from tracker_blur.files.atomic import replacing
from tracker_blur.files.paths import is_media, why_not_read

if TYPE_CHECKING:
    from starlette.requests import Request

    from tracker_blur.web.folder import Folder

_BLOCK_BYTES = 1 << 20
_CHECK_BYTES = 64 << 20
_SPARE_BYTES = 256 << 20
"""What stays free on the disk, for whatever else runs on this machine."""

_LONGEST_NAME_BYTES = 255 - 32  # what is made of a file has its name, and more


def new_file(folder: Folder, name: str) -> Path:
    """Return where an upload goes.

    Raises:
        HTTPException: The name is not one of a file (400), not that of a video or an image (415),
            or it is taken (409).
    """
    if not is_file_name(name):
        raise HTTPException(HTTPStatus.BAD_REQUEST, f"{name}: is not a name for a file")
    path = folder.resolve_new(name)
    if not is_media(path):
        reason = why_not_read(path) or "no video and no image"
        raise HTTPException(HTTPStatus.UNSUPPORTED_MEDIA_TYPE, f"{name}: is {reason}")
    if os.path.lexists(folder.root / name):
        raise _taken(name)
    return path


async def receive(request: Request, path: Path) -> None:
    """Write the body of a request to a new file, for its owner alone.

    Nothing is left of it when the client gives up, or what it sends is too long.

    Raises:
        HTTPException: There is no space (507), the name was taken meanwhile (409), or the body is
            too long (413).
    """
    length = int(request.headers.get("content-length", "0"))
    _check_space(path, length)
    try:
        with ExitStack() as stack:
            writing = replacing(path, overwrite=False, is_private=True)
            temporary = await run_in_threadpool(writing.__enter__)
            stack.push(writing.__exit__)
            await _write(request, temporary)
            stack.pop_all()
            # It puts the file on the disk, which takes long.
            await run_in_threadpool(writing.__exit__, None, None, None)
    except SinkError as error:
        if os.path.lexists(path):
            raise _taken(path.name) from error
        raise HTTPException(HTTPStatus.INSUFFICIENT_STORAGE, str(error)) from error
    except OSError as error:
        raise HTTPException(HTTPStatus.INSUFFICIENT_STORAGE, f"{path.name}: {error}") from error


async def _write(request: Request, temporary: Path) -> None:
    waiting = bytearray()
    written = next_check = 0
    with temporary.open("wb", buffering=_BLOCK_BYTES) as file:  # it continues after a short write
        async for chunk in request.stream():
            waiting += chunk
            if len(waiting) >= _BLOCK_BYTES:
                await run_in_threadpool(file.write, bytes(waiting))
                written += len(waiting)
                waiting.clear()
            if written >= next_check:
                next_check = written + _CHECK_BYTES
                _check_space(temporary, 0)
        await run_in_threadpool(file.write, bytes(waiting))
        await run_in_threadpool(file.flush)
        if os.fstat(file.fileno()).st_size != written + len(waiting):
            raise OSError("not all of it is on the disk")


def _check_space(path: Path, more_bytes: int) -> None:
    free = shutil.disk_usage(path.parent).free
    if more_bytes + _SPARE_BYTES > free:
        raise HTTPException(
            HTTPStatus.INSUFFICIENT_STORAGE,
            f"the disk has too little space ({free >> 20} MiB are free): delete what is not needed",
        )


def is_file_name(name: str) -> bool:
    """Return whether a name that someone sent is one for a new file, in whatever folder."""
    return (
        name.isprintable()
        and not name.startswith((".", "-"))
        and Path(name).name == name
        and "\\" not in name
        and 0 < len(os.fsencode(name)) <= _LONGEST_NAME_BYTES
    )


def _taken(name: str) -> HTTPException:
    return HTTPException(HTTPStatus.CONFLICT, f"{name}: is there already: rename the new one")
