"""The answer with a file that is open already."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from starlette.responses import FileResponse

if TYPE_CHECKING:
    from typing import BinaryIO

    from starlette.types import Receive, Scope, Send

ANY_TYPE = "application/octet-stream"


class OpenedFile(FileResponse):
    """Sends a file that was checked and opened, whatever has its name by now.

    Args:
        file: The file. It is closed at the end, or by a caller that does not send the answer.
        name: What browsers save it as; it may be no text.
        kind: Its media type.
    """

    def __init__(self, file: BinaryIO, name: str, kind: str = ANY_TYPE) -> None:
        super().__init__(
            f"/dev/fd/{file.fileno()}",  # the class opens what it sends: here, the same file again
            filename=name.encode("utf-8", "replace").decode(),
            media_type=kind,
            stat_result=os.fstat(file.fileno()),
        )
        self.file = file

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send the file, then close it."""
        with self.file:
            await super().__call__(scope, receive, send)
