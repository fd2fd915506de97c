"""One file to redact."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from tracker_blur.errors import SinkError
from tracker_blur.files.suffixes import MediaKind


@dataclass(frozen=True, slots=True)
class Job:
    """One file to redact; `kind` says by which of the two ways."""

    source: Path
    target: Path
    kind: MediaKind

    @contextmanager
    def folder_made(self) -> Iterator[None]:
        """Make the target's folder where it is missing; remove it if the block fails, if empty.

        Raises SinkError when it cannot be made.
        """
        made = [folder for folder in self.target.parents if not folder.exists()]
        try:
            try:
                self.target.parent.mkdir(parents=True, exist_ok=True)
            except OSError as error:
                reason = (error.strerror or str(error)).lower()
                raise SinkError(
                    f"{self.target}: its folder cannot be made ({reason}): choose another"
                ) from error
            yield
        except BaseException:
            with suppress(OSError):
                for folder in made:
                    folder.rmdir()
            raise
