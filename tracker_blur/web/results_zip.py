"""Several results in one ZIP archive, which is made while it is sent."""

from __future__ import annotations

import io
import zipfile
from typing import TYPE_CHECKING
from urllib.parse import quote

from starlette.responses import StreamingResponse

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from pathlib import Path
    from typing import BinaryIO

    from typing_extensions import Buffer

_BLOCK_BYTES = 1 << 20
_LEFT_OUT = "LEFT OUT.txt"
_REASON = """\
Not in this archive, because no job of this page has written them as they are now. They were there
before, or were put there, changed, replaced or deleted since.

"""


class _Pipe(io.RawIOBase):
    """Takes what is written; it can be taken out, and that is all."""

    def __init__(self) -> None:
        self._content = bytearray()

    def writable(self) -> bool:
        return True

    def write(self, content: Buffer, /) -> int:
        self._content += content
        return memoryview(content).nbytes

    def take(self) -> bytes:
        """Return what was written since the last time."""
        content = bytes(self._content)
        self._content.clear()
        return content


def zip_answer(
    files: Iterable[tuple[Path, str]],
    name: str,
    opened: Callable[[Path], BinaryIO | None],
    *,
    has_body: bool = True,
) -> StreamingResponse:
    """Return the answer with files in a ZIP archive.

    Args:
        files: each with its name in the archive.
        name: what the archive is called.
        opened: opens a file if it is what was written; others are left out, and a text says so.
        has_body: False for a `HEAD` request, for which no file is read.
    """
    encoded = quote(name.encode("utf-8", "replace"))
    return StreamingResponse(
        _zipped(files, opened) if has_body else iter(()),
        media_type="application/zip",
        headers={"Content-Disposition": f"attachment; filename*=utf-8''{encoded}"},
    )


def _zipped(
    files: Iterable[tuple[Path, str]], opened: Callable[[Path], BinaryIO | None]
) -> Iterator[bytes]:
    """Yield a ZIP archive in parts. Videos and images are stored as they are.

    Args:
        files: each with its name in the archive.
        opened: opens a file if it is sent.

    Raises:
        OSError: A file cannot be read; then the archive stays incomplete, and no program takes it.
    """
    pipe, left_out = _Pipe(), []
    with zipfile.ZipFile(pipe, "w", zipfile.ZIP_STORED) as archive:
        for path, name in files:
            text = name.encode("utf-8", "replace").decode()  # a file's name may be no text
            source = opened(path)  # just before it is read: hashing them all takes long
            if source is None:
                left_out.append(f"{text}\n")
                continue
            with source, archive.open(_entry(source, text), "w") as target:
                while block := source.read(_BLOCK_BYTES):
                    target.write(block)
                    yield pipe.take()
        if left_out:
            archive.writestr(_LEFT_OUT, _REASON + "".join(left_out))
    yield pipe.take()


def _entry(file: BinaryIO, name: str) -> zipfile.ZipInfo:
    """Return what an archive says about an open file: its size, permissions and time."""
    path = f"/dev/fd/{file.fileno()}"
    return zipfile.ZipInfo.from_file(path, name, strict_timestamps=False)
