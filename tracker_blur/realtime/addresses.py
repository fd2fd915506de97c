"""Keeps what is secret in an address out of what is told: terminal, page, figures, logs.

FFmpeg has one and the same word for a host that nobody knows and for others' failures.
"""

from __future__ import annotations

import re
import socket
from urllib.parse import urlsplit

_HIDDEN = "***"
_USER = re.compile(r"//[^/\s]*@")  # up to the last @: a password may hold others
_OPTION = re.compile(r"([?&](?:passphrase|streamid|password|token|key)=)[^&\s]*", re.IGNORECASE)
_STREAM_KEY = re.compile(r"(rtmps?://[^/\s]+/[^?\s]+/)[^/?\s]+", re.IGNORECASE)


def without_secrets(text: str) -> str:
    """Return a text whose addresses lack what is secret: user, password, options, RTMP's key."""
    text = _USER.sub("//", text)
    for secret in (_OPTION, _STREAM_KEY):
        text = secret.sub(rf"\1{_HIDDEN}", text)
    return text


def has_unknown_host(address: str) -> bool:
    """Return whether the name of an address's host cannot be resolved; may take seconds."""
    try:
        host = urlsplit(address).hostname
        if host is not None:
            socket.getaddrinfo(host, None)
    except (OSError, ValueError):
        return True
    return False
