"""Addresses of buckets: `s3://BUCKET/KEY` and `gs://BUCKET/KEY`; folders end in "/"."""

from __future__ import annotations

from pathlib import PurePosixPath

PACKAGES = {"s3": "s3fs", "gs": "gcsfs"}
"""What reads and writes each kind of bucket; the extra that installs it has the scheme's name."""

_SEPARATOR = "://"


def is_bucket(name: str) -> bool:
    """Return whether a name is the address of a bucket, or of something in one."""
    scheme, separator, _ = name.partition(_SEPARATOR)
    return bool(separator) and scheme in PACKAGES


def scheme_of(url: str) -> str:
    """Return the scheme of an address."""
    return url.partition(_SEPARATOR)[0]


def key_path(url: str) -> PurePosixPath:
    """Return the bucket and the key of an address as a path."""
    return PurePosixPath(url.partition(_SEPARATOR)[2])


def bucket_of(url: str) -> str:
    """Return the address of the bucket that something is in."""
    scheme, separator, rest = url.partition(_SEPARATOR)
    return f"{scheme}{separator}{rest.partition('/')[0]}"


def as_folder(url: str) -> str:
    """Return the address with which those of all objects in a folder begin."""
    return f"{url.rstrip('/')}/"
