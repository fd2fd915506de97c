"""Errors of libtiff, which prints them by itself, and which Pillow passes over in some formats.

The handler is one for the whole process; errors are kept for the thread in which they occur. Where
Pillow's copy of libtiff cannot be found, as on Windows, they are printed as before.
"""

from __future__ import annotations

import ctypes
import functools
import threading
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING

import PIL

if TYPE_CHECKING:
    from collections.abc import Iterator

_PLACES = ("../pillow.libs/libtiff*", "../Pillow.libs/libtiff*", ".dylibs/libtiff*")
_SYSTEM = "libtiff.so.6"
_HandlerType = ctypes.CFUNCTYPE(None, ctypes.c_char_p, ctypes.c_char_p, ctypes.c_void_p)
_errors = threading.local()


class LibtiffError(ValueError):
    """libtiff found a file to be damaged."""


@contextmanager
def caught() -> Iterator[None]:
    """Raise the first error of libtiff in the block, also if Pillow passes over it.

    Raises:
        LibtiffError: There was one.
    """
    _catch()
    _errors.first = None
    try:
        yield
    except Exception as error:
        if _errors.first is None:
            raise
        raise LibtiffError(_errors.first) from error
    if _errors.first is not None:
        raise LibtiffError(_errors.first)


@functools.cache
def _catch() -> None:
    for path in _libraries():
        with suppress(OSError, AttributeError):
            library = ctypes.CDLL(path)
            library.TIFFSetErrorHandler.restype = ctypes.c_void_p
            library.TIFFSetErrorHandler(_HANDLER)
            return


def _libraries() -> Iterator[str]:
    folder = Path(PIL.__file__).parent
    for place in _PLACES:
        yield from map(str, sorted(folder.glob(place)))
    yield _SYSTEM


def _note(module: bytes | None, text: bytes | None, _: int | None) -> None:
    """Keep the first error. The values to insert into the text are lost: C passes them."""
    if getattr(_errors, "first", None) is None:
        words = b": ".join(filter(None, (module, text))).decode("ascii", "replace")
        _errors.first = words.partition("%")[0].rstrip(" (,\"'") or "libtiff failed"


_HANDLER = _HandlerType(_note)  # kept: C holds no reference
