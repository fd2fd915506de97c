"""Network addresses in messages: without secrets, and whether their host is known."""

from __future__ import annotations

import re
import socket
from urllib.parse import urlsplit

_MASK = "***"
# Up to the last @: a password may contain others, and slashes, too.
_USER = re.compile(r"//(?:[^/\s:?]*:[^\s?]*|[^/\s]*)@")
_SPACE = re.compile(r"\s")
_STREAM_KEY = re.compile(r"(rtmp\w*://[^/\s]*/(?:[^/?&\s]+/)*)[^/?&\s]+", re.IGNORECASE)
_QUERY = re.compile(r"(://[^?&\s]*)([?&]\S*)")
_VALUE = re.compile(r"([?&](?:[^=&]*=)?)[^&]+")
_PASSWORD = re.compile(  # some are in the path
    r"((?:pass|pwd|token|secret|key|auth|sig|playpath|streamid)\w*=)[^&\s]*", re.IGNORECASE
)


def address_name(address: str) -> str:
    """Return what messages call an address: it contains nothing that may be secret.

    Spaces in it, as in a passphrase, become %20: in a text they would end the address.
    """
    return without_secrets(_SPACE.sub("%20", address) if "://" in address else address)


def without_secrets(text: str, address: str = "") -> str:
    """Return a text whose addresses contain nothing that may be secret.

    User and password are removed. Values of options and the last part of an RTMP path, the stream
    key, are masked.

    Args:
        text: Such as an error message of FFmpeg.
        address: One that the text may quote, and that may contain spaces.
    """
    if address:
        text = text.replace(address, address_name(address))
    text = _USER.sub("//", text)
    text = _STREAM_KEY.sub(rf"\1{_MASK}", text)
    text = _QUERY.sub(lambda match: match[1] + _VALUE.sub(rf"\1{_MASK}", match[2]), text)
    return _PASSWORD.sub(rf"\1{_MASK}", text)


def has_unknown_host(address: str) -> bool:
    """Return whether the host of an address cannot be resolved; this may take seconds.

    FFmpeg reports an unknown host with the same error as other failures.
    """
    try:
        host = urlsplit(address).hostname
        if host is not None:
            socket.getaddrinfo(host, None)
    except (OSError, ValueError):
        return True
    return False
