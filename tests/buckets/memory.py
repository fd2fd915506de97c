"""Buckets in this process's memory, instead of those of a store."""

from __future__ import annotations

import hashlib
from typing import Any

from fsspec.implementations.memory import MemoryFileSystem


class MemoryBuckets(MemoryFileSystem):
    """Buckets whose objects have ETags."""

    protocol = "s3"
    cachable = False

    def __init__(self, *buckets: str) -> None:
        super().__init__()
        self.store: dict[str, Any] = {}
        self.pseudo_dirs = ["", *(f"/{bucket}" for bucket in buckets)]

    @classmethod
    def _strip_protocol(cls, path: str) -> str:
        return "/" + path.removeprefix("s3://").strip("/")

    def info(self, path: str, **details: Any) -> dict[str, Any]:
        entry: dict[str, Any] = super().info(path, **details)
        if entry["type"] == "file":
            entry["ETag"] = hashlib.md5(self.store[entry["name"]].getvalue()).hexdigest()  # noqa: S324  # as S3 does
        return entry

    def names(self) -> list[str]:
        """Return the addresses of all objects."""
        return sorted(f"s3:/{name}" for name in self.store)
