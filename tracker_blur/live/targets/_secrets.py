"""Keeps what is secret in an address out of what is told: terminal, page, figures, logs."""

from __future__ import annotations

import re
from urllib.parse import urlsplit, urlunsplit

_HIDDEN = "***"
_SECRET_VALUES = re.compile(r"(?i)((?:^|&)(?:passphrase|streamid|password|token|key)=)[^&]*")


def shown(address: str) -> str:
    """Return an address without its password, its secret options and, of RTMP, its stream key."""
    parts = urlsplit(address)
    user, at, host = parts.netloc.rpartition("@")
    name, colon, _ = user.partition(":")
    path = parts.path
    if parts.scheme.lower() in ("rtmp", "rtmps") and path.count("/") > 1:
        path = f"{path.rpartition('/')[0]}/{_HIDDEN}"
    return urlunsplit(
        (
            parts.scheme,
            f"{name}{colon and f':{_HIDDEN}'}{at}{host}",
            path,
            _SECRET_VALUES.sub(rf"\1{_HIDDEN}", parts.query),
            "",
        )
    )
