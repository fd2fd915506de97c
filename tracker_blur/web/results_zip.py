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
    is_unchanged: Callable[[Path], bool],
    *,
    has_body: bool = True,
) -> StreamingResponse:
    """Return the answer with files in a ZIP archive.

    Args:
        files: each with its name in the archive.
        name: what the archive is called.
        is_unchanged: whether a file is what was written; others are left out, and a text says so.
        has_body: False for a `HEAD` request, for which no file is read.
    """
    encoded = quote(name.encode("utf-8", "replace"))
    return StreamingResponse(
        _zipped(files, is_unchanged) if has_body else iter(()),
        media_type="application/zip",
        headers={"Content-Disposition": f"attachment; filename*=utf-8''{encoded}"},
    )


def _zipped(
    files: Iterable[tuple[Path, str]], is_unchanged: Callable[[Path], bool]
) -> Iterator[bytes]:
    """Yield a ZIP archive in parts. Videos and images are stored as they are.

    Args:
        files: each with its name in the archive.
        is_unchanged: whether a file is sent.

    Raises:
        OSError: A file cannot be read; then the archive stays incomplete, and no program takes it.
    """
    pipe, left_out = _Pipe(), []
    with zipfile.ZipFile(pipe, "w", zipfile.ZIP_STORED) as archive:
        for path, name in files:
            text = name.encode("utf-8", "replace").decode()  # a file's name may be no text
            if not is_unchanged(path):  # just before it is read: hashing them all takes long
                left_out.append(f"{text}\n")
                continue
            entry = zipfile.ZipInfo.from_file(path, text, strict_timestamps=False)
            with path.open("rb") as source, archive.open(entry, "w") as target:
                while block := source.read(_BLOCK_BYTES):
                    target.write(block)
                    yield pipe.take()
        if left_out:
            archive.writestr(_LEFT_OUT, _REASON + "".join(left_out))
    yield pipe.take()
