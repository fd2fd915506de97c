"""Objects in buckets, through fsspec: listed, fetched and stored. Nothing is cached.

Stores make an object appear only when all its bytes are there, so an upload that is interrupted
leaves none.
"""

from __future__ import annotations

import logging
from contextlib import contextmanager
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from tracker_blur.buckets.urls import PACKAGES, as_folder, bucket_of, scheme_of
from tracker_blur.errors import (
    MissingPackageError,
    SinkError,
    SourceError,
    TrackerBlurError,
    reason_of,
)

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

_VERSION_KEYS = ("ETag", "etag", "generation", "VersionId", "LastModified", "updated")
_NO_CREDENTIALS = {
    "CredentialRetrievalError",
    "DefaultCredentialsError",
    "NoAuthTokenError",
    "NoCredentialsError",
    "PartialCredentialsError",
    "ProfileNotFound",
    "RefreshError",
    "SSOTokenLoadError",
    "TokenRetrievalError",
    "UnauthorizedSSOTokenError",
}
"""Names of errors of the stores' packages, which cannot be imported here."""


@dataclass(frozen=True, slots=True)
class StoredObject:
    """An object in the state that it is in.

    Attributes:
        url: Its address.
        size_bytes: Its size.
        version: Its ETag, generation and time, as far as the store has them: if they are others,
            so may be the content.
    """

    url: str
    size_bytes: int
    version: str


def objects_in(url: str) -> list[StoredObject]:
    """Return all objects in a folder and below it, sorted by address.

    Raises:
        MissingPackageError: The store's package is not installed.
        SourceError: The folder cannot be listed.
    """
    folder = as_folder(url)
    with _naming(url, SourceError):
        found = _store(url).find(folder, detail=True)
    objects = [_object(scheme_of(url), entry) for entry in found.values() if _is_object(entry)]
    # Where there is no such folder, stores find the object with its name.
    return sorted((one for one in objects if one.url.startswith(folder)), key=lambda one: one.url)


def state_of(url: str) -> StoredObject | None:
    """Return the state of an object; None if there is none with this address.

    Raises:
        MissingPackageError: The store's package is not installed.
        SourceError: The store does not say.
    """
    with _naming(url, SourceError):
        try:
            entry = _store(url).info(url)
        except FileNotFoundError:
            return None
    return _object(scheme_of(url), entry) if _is_object(entry) else None


def fetch(url: str, target: Path) -> StoredObject:
    """Copy an object into a new file, and return its state.

    Raises:
        SourceError: It is missing, cannot be read, or was replaced meanwhile.
    """
    before = state_of(url)
    if before is None:
        raise SourceError(f"{url}: no such object: check the name")
    with _naming(url, SourceError):
        _store(url).get_file(url, str(target))
    check_unchanged(before)
    if target.stat().st_size != before.size_bytes:
        raise SourceError(f"{url}: was not read to its end: run this again")
    return before


def check_unchanged(known: StoredObject) -> None:
    """Check that an object is still in the state that is known; raises SourceError."""
    if state_of(known.url) != known:
        raise SourceError(
            f"{known.url}: was replaced or changed while it was being read: wait until it is "
            "complete, then run this again"
        )


def store(source: Path, url: str, *, overwrite: bool) -> None:
    """Copy a file into a bucket. The object appears when it is whole, or not at all.

    Raises:
        SinkError: There is one already that may not be replaced, or it cannot be written.
    """
    check_free(url, overwrite=overwrite)
    with _naming(url, SinkError):
        _store(url).put_file(str(source), url, mode="overwrite" if overwrite else "create")
        state = state_of(url)
    size_bytes = source.stat().st_size
    if state is None or state.size_bytes != size_bytes:
        raise SinkError(
            f"{url}: is not there as it was written: run this again with", remedy="overwrite"
        )


def check_free(url: str, *, overwrite: bool) -> None:
    """Check that there is such a bucket, and nothing with this address that may not be replaced.

    Raises:
        SinkError: There is no such bucket, or such an object already.
    """
    with _naming(url, SinkError):
        _store(url).info(bucket_of(url))
        if not overwrite and state_of(url) is not None:
            raise _exists(url)


def _exists(url: str) -> SinkError:
    return SinkError(f"{url}: already exists: choose another name or use", remedy="overwrite")


def _is_object(entry: dict[str, Any]) -> bool:
    return entry["type"] == "file" and not entry["name"].endswith("/")


def _object(scheme: str, entry: dict[str, Any]) -> StoredObject:
    version = " ".join(f"{key}={entry[key]}" for key in _VERSION_KEYS if entry.get(key))
    return StoredObject(f"{scheme}://{entry['name'].lstrip('/')}", int(entry["size"]), version)


def _store(url: str) -> Any:
    """Return what reads and writes a kind of bucket; raises MissingPackageError."""
    scheme = scheme_of(url)
    try:
        return _filesystem(scheme)
    except ImportError as error:
        raise MissingPackageError(PACKAGES[scheme], scheme, f"{scheme}://") from error


@lru_cache
def _filesystem(scheme: str) -> Any:
    import fsspec

    logging.getLogger(PACKAGES[scheme]).setLevel(logging.CRITICAL)  # our own errors say it
    return fsspec.filesystem(scheme, use_listings_cache=False, skip_instance_cache=True)


@contextmanager
def _naming(url: str, kind: type[SourceError | SinkError]) -> Iterator[None]:
    """Turn whatever a store's package raises into one line about this address."""
    try:
        yield
    except TrackerBlurError:
        raise
    except FileExistsError as error:
        raise _exists(url) from error
    except FileNotFoundError as error:
        raise kind(f"{url}: no such bucket: check the name") from error
    except Exception as error:
        raise kind(f"{url}: {_problem(url, error)}") from error


def _problem(url: str, error: Exception) -> str:
    """Return what went wrong, and what to do."""
    if type(error).__name__ in _NO_CREDENTIALS:
        where = (
            "'aws configure'"
            if scheme_of(url) == "s3"
            else "'gcloud auth application-default login'"
        )
        return f"there are no credentials for it ({reason_of(error)}): set them, as with {where}"
    if isinstance(error, PermissionError):
        return (
            f"access is not permitted ({reason_of(error)}): check your credentials and their rights"
        )
    if isinstance(error, NotImplementedError):
        return "this store cannot write only what is new: use --overwrite"
    return (
        f"cannot be reached ({reason_of(error)}): check the address and the network, then run this "
        "again"
    )
