"""Sealed files: content and its hash, so that what is damaged, or not complete, is noticed."""

from __future__ import annotations

import hashlib
from contextlib import contextmanager
from typing import TYPE_CHECKING

from tracker_blur.errors import SourceError
from tracker_blur.files.atomic import replacing

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

_HASH_BYTES = hashlib.sha256().digest_size


@contextmanager
def sealing(path: Path) -> Iterator[Callable[[bytes], None]]:
    """Yield a function that appends to a new file, which only its owner may read.

    It gets its name, complete, when the block succeeds; an older one is replaced.

    Raises:
        SinkError: It cannot be written.
    """
    digest = hashlib.sha256()
    with (
        replacing(path, overwrite=True, is_private=True) as temporary,
        temporary.open("wb") as file,
    ):

        def append(content: bytes) -> None:
            digest.update(content)
            file.write(content)

        yield append
        file.write(digest.digest())


def unsealed(path: Path) -> bytes:
    """Return the content of a sealed file.

    Raises:
        SourceError: It is missing, damaged or not complete.
    """
    try:
        content = path.read_bytes()
    except OSError as error:
        raise SourceError(f"{path}: cannot be read: run the same command again") from error
    content, digest = content[:-_HASH_BYTES], content[-_HASH_BYTES:]
    if hashlib.sha256(content).digest() != digest:
        raise SourceError(f"{path}: is damaged: run the same command again")
    return content


def is_intact(path: Path) -> bool:
    """Return whether a sealed file is there, complete and undamaged."""
    try:
        unsealed(path)
    except SourceError:
        return False
    return True
