"""Fetches weight files from their official addresses: nothing else here opens a connection.

(Streams that the user names as input are the other way data comes over a network.)
"""

from __future__ import annotations

import http.client
import os
import urllib.error
import urllib.request
from pathlib import Path

from tracker_blur.errors import ModelError, SettingsError, reason_of
from tracker_blur.files.atomic import NO_SPACE
from tracker_blur.weights.catalog import MODELS, WeightFile
from tracker_blur.weights.store import cache_folder

_TIMEOUT_SECONDS = 30.0
_REDIRECTS = range(300, 400)  # those that urllib gives up


def pull(name: str, folder: Path | None = None) -> list[Path]:
    """Fetch the files of a model into `folder` (default: the user's cache); return their paths.

    Files that are there and whole are kept. A file appears under its name only when its SHA-256
    is the pinned one; until then it has another name, and nothing of it stays when that fails.

    Raises SettingsError when no model has this name, and ModelError when the network, the disk or
    the hash fails.
    """
    model = next((model for model in MODELS if model.name == name), None)
    if model is None:
        known = ", ".join(model.name for model in MODELS)
        raise SettingsError(f"no model is called '{name}': choose one of {known}")
    target = cache_folder() if folder is None else folder
    try:
        target.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise ModelError(f"{target}: cannot make this folder ({reason_of(error)})") from error
    return [_fetch(file, target / file.name) for file in model.files]


def _fetch(file: WeightFile, path: Path) -> Path:
    unfinished = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        if path.is_file() and file.is_this(path.read_bytes()):
            return path
        content = _download(file)
        if not file.is_this(content):
            raise ModelError(
                f"{file.url}: not {file.name} as pinned (its SHA-256 is not {file.sha256[:12]}…): "
                "nothing was kept; try again, and report it if it stays so"
            )
        _write(content, unfinished)
        unfinished.replace(path)
    except (OSError, http.client.HTTPException) as error:
        raise ModelError(
            f"{file.url}: cannot fetch {file.name} ({_reason(error)}): check the network, or put "
            f"the file into {path.parent} yourself"
        ) from error
    finally:
        unfinished.unlink(missing_ok=True)
    return path


def _download(file: WeightFile) -> bytes:
    """Return what the address gives; a byte more than it should have is enough to refuse it."""
    with urllib.request.urlopen(file.url, timeout=_TIMEOUT_SECONDS) as response:
        content: bytes = response.read(file.size_bytes + 1)
        missing = response.length if len(content) <= file.size_bytes else 0
    if missing:
        raise ConnectionError(f"the server broke off {missing} bytes before the end")
    return content


def _write(content: bytes, path: Path) -> None:
    try:
        path.write_bytes(content)
    except OSError as error:
        reason = "no space left" if error.errno in NO_SPACE else (error.strerror or "").lower()
        raise ModelError(
            f"{path.parent}: cannot write into this folder ({reason}): make room, or change its "
            "permissions"
        ) from error


def _reason(error: Exception) -> str:
    if isinstance(error, urllib.error.HTTPError):
        error.close()  # it holds the connection
        if error.code in _REDIRECTS:
            return "the server sends it round in a circle"
        return str(error)
    return str(getattr(error, "reason", error)) or type(error).__name__
