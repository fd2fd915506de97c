"""Keeps what is secret in an address out of what is told: terminal, page, figures, logs.

FFmpeg has one and the same word for a host that nobody knows and for others' failures.

Who may see and use what is served: the page, the figures.
"""

from __future__ import annotations

import hmac
import ipaddress
import re
import socket
from email.message import Message
from http.cookies import CookieError, SimpleCookie
from urllib.parse import parse_qs, quote, unquote, urlsplit

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


_LOOPBACK_NAMES = {"localhost"}


def is_loopback(host: str) -> bool:
    """Return whether a name or an address is this machine's own, reached from nowhere else."""
    if host.lower() in _LOOPBACK_NAMES:
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


class RequestAuthorization:
    """Tells by its headers whether a request is welcome.

    host   what is listened at
    token  what a visitor must know; None: whoever is on this machine may
    """

    def __init__(self, host: str, token: str | None) -> None:
        self._is_local = is_loopback(host)
        self._token = token

    @property
    def query(self) -> str:
        """What the page's address ends with, so that it brings the token; "" without one."""
        return "" if self._token is None else f"?token={quote(self._token)}"

    def is_named_rightly(self, headers: Message) -> bool:
        """Return whether the request was meant for this machine.

        A foreign name that somebody has pointed at the loopback address is not (DNS rebinding).
        Elsewhere the token keeps such requests away: the browser has none for that name.
        Several names are none: who else reads them may heed another one.
        """
        names = headers.get_all("Host", [])
        if len(names) > 1:
            return False
        return not self._is_local or is_loopback(_host(f"//{''.join(names)}"))

    def is_from_own_page(self, headers: Message) -> bool:
        """Return whether no other site's page has made the browser ask (CSRF).

        Browsers name the origin of each POST; programs need not.
        """
        origins = headers.get_all("Origin", [])
        if origins:
            return [origin.partition("://")[2] for origin in origins] == [headers.get("Host")]
        return headers.get("Sec-Fetch-Site", "none") in {"none", "same-origin"}

    def knows_token(self, target: str, headers: Message, cookie: str) -> bool:
        """Return whether a request brings the token, in its address or in this cookie."""
        if self._token is None:
            return True
        return any(
            hmac.compare_digest(offered.encode(), self._token.encode())
            for offered in (token_in(target), _cookie(headers, cookie))
        )


def token_in(target: str) -> str:
    """Return the token in a request's address, or ""."""
    return parse_qs(target.partition("?")[2]).get("token", [""])[0]


def _host(address: str) -> str:
    try:
        return urlsplit(address).hostname or ""
    except ValueError:
        return ""


def _cookie(headers: Message, name: str) -> str:
    try:
        morsel = SimpleCookie(headers.get("Cookie", "")).get(name)
    except CookieError:
        return ""
    return "" if morsel is None else unquote(morsel.value)
