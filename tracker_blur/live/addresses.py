"""Keeps what is secret in an address out of what is told: terminal, page, figures, logs."""

from __future__ import annotations

import re

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
