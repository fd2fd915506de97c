"""Downloads weight files from their official addresses.

Nothing else here opens a connection on its own: only streams and servers that the user names do.
"""

from __future__ import annotations

import http.client
import urllib.error
import urllib.request
from typing import IO, TYPE_CHECKING
from urllib.parse import urlsplit

from tracker_blur.errors import ModelError, SettingsError, SinkError, reason_of
from tracker_blur.files.atomic import replacing
from tracker_blur.weights.catalog import MODELS, WeightFile
from tracker_blur.weights.store import cache_folder

if TYPE_CHECKING:
    from pathlib import Path

_TIMEOUT_SECONDS = 30.0
_FURTHER_HOSTS = frozenset(
    {
        "media.githubusercontent.com",
        "objects.githubusercontent.com",
        "raw.githubusercontent.com",
        "release-assets.githubusercontent.com",
    }
)
"""Where GitHub, the host of all addresses in the catalog, keeps the contents of files."""

_REDIRECTS = range(300, 400)  # statuses that urllib reports only after too many redirects


def pull(name: str, folder: Path | None = None) -> list[Path]:
    """Download the files of a model, and return their paths.

    Files that are present and intact are kept. A download takes its name only when its SHA-256 is
    the pinned one. Otherwise nothing of it stays.

    Args:
        name: The model's name in the catalog.
        folder: Where to put the files; default: the user's cache.

    Raises:
        SettingsError: No model has this name.
        ModelError: The network or the disk fails, or the hash is not the pinned one.
    """
    model = next((model for model in MODELS if model.name == name), None)
    if model is None:
        known = ", ".join(model.name for model in MODELS)
        raise SettingsError(f"no model is called '{name}': choose one of {known}")
    target = cache_folder() if folder is None else folder
    try:
        target.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise ModelError(f"{target}: cannot create this folder ({reason_of(error)})") from error
    return [_fetch(file, target / file.name) for file in model.files]


def _fetch(file: WeightFile, path: Path) -> Path:
    if _is_intact(file, path):
        return path
    try:
        content = _download(file)
    except (OSError, http.client.HTTPException) as error:
        raise ModelError(
            f"{file.url}: cannot download {file.name} ({_reason(error)}): check the network, or "
            f"put the file into {path.parent} yourself"
        ) from error
    if not file.matches(content):
        raise ModelError(
            f"{file.url}: this is not the pinned {file.name} (its SHA-256 is not "
            f"{file.sha256[:12]}…): nothing was kept; try again, and report it if it happens again"
        )
    try:
        with replacing(path, overwrite=True) as temporary:
            temporary.write_bytes(content)
    except SinkError as error:
        raise ModelError(str(error)) from error
    except OSError as error:
        raise ModelError(f"{path}: cannot write this weight file ({reason_of(error)})") from error
    return path


def _is_intact(file: WeightFile, path: Path) -> bool:
    try:
        return path.is_file() and file.matches(path.read_bytes())
    except OSError as error:
        raise ModelError(
            f"{path}: cannot read this weight file ({reason_of(error)}): check the file"
        ) from error


class _KnownHostsOnly(urllib.request.HTTPRedirectHandler):
    """Follows redirects within the host of the address, and by HTTPS to those in `_FURTHER_HOSTS`.

    Others could learn who downloads what, and the hash is checked only afterwards.
    """

    def redirect_request(
        self,
        req: urllib.request.Request,
        fp: IO[bytes],
        code: int,
        msg: str,
        headers: http.client.HTTPMessage,
        newurl: str,
    ) -> urllib.request.Request | None:
        """Return the request for the new address; raises URLError for one that is not allowed."""
        old, new = urlsplit(req.full_url), urlsplit(newurl)
        is_same_host = (new.scheme, new.hostname) == (old.scheme, old.hostname)
        if not (is_same_host or (new.scheme == "https" and new.hostname in _FURTHER_HOSTS)):
            raise urllib.error.URLError(
                f"redirected to {new.scheme}://{new.hostname}, which is no known host"
            )
        return super().redirect_request(req, fp, code, msg, headers, newurl)


def _download(file: WeightFile) -> bytes:
    """Return the content at the address, or one byte more than expected if it is too long."""
    opener = urllib.request.build_opener(_KnownHostsOnly)
    with opener.open(file.url, timeout=_TIMEOUT_SECONDS) as response:
        content: bytes = response.read(file.size_bytes + 1)
        missing = response.length if len(content) <= file.size_bytes else 0
    if missing:
        raise ConnectionError(f"the connection broke off {missing} bytes before the end")
    return content


def _reason(error: Exception) -> str:
    if isinstance(error, urllib.error.HTTPError):
        error.close()  # it holds the connection
        return "too many redirects" if error.code in _REDIRECTS else str(error)
    return reason_of(getattr(error, "reason", error)) or type(error).__name__
