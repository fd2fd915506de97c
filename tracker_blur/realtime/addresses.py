"""Keeps what is secret in an address out of what is told: terminal, page, figures, logs.

FFmpeg has one and the same word for a host that nobody knows and for others' failures.
"""

from __future__ import annotations

import re
import socket
from urllib.parse import urlsplit

_HIDDEN = "***"
_USER = re.compile(r"//[^/\s]*@")  # up to the last @: a password may hold others
_STREAM_KEY = re.compile(r"(rtmp\w*://[^/\s]*/(?:[^/?&\s]+/)*)[^/?&\s]+", re.IGNORECASE)
_QUERY = re.compile(r"(://[^?&\s]*)([?&]\S*)")
_VALUE = re.compile(r"([?&](?:[^=&]*=)?)[^&]+")
_PASSWORD = re.compile(r"((?:pass|pwd)\w*=)[^&\s]*", re.IGNORECASE)  # some are in the path


def without_secrets(text: str) -> str:
    """Return a text whose addresses lack what may be secret.

    That is user and password, what options are set to, and the last part of an RTMP path: the key.
    """
    text = _USER.sub("//", text)
    text = _STREAM_KEY.sub(rf"\1{_HIDDEN}", text)
    text = _QUERY.sub(lambda found: found[1] + _VALUE.sub(rf"\1{_HIDDEN}", found[2]), text)
    return _PASSWORD.sub(rf"\1{_HIDDEN}", text)


def has_unknown_host(address: str) -> bool:
    """Return whether the name of an address's host cannot be resolved; may take seconds."""
    try:
        host = urlsplit(address).hostname
        if host is not None:
            socket.getaddrinfo(host, None)
    except (OSError, ValueError):
        return True
    return False
