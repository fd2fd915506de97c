"""Authorizes HTTP requests for the web page and the metrics."""

from __future__ import annotations

import hmac
import ipaddress
from contextlib import suppress
from typing import TYPE_CHECKING
from urllib.parse import parse_qs, quote, unquote, urlsplit

if TYPE_CHECKING:
    from collections.abc import Iterator
    from email.message import Message

_LOOPBACK_NAMES = {"localhost"}
_MAX_QUERY_FIELDS = 16  # anyone may send a query, and Python takes long to parse a long one


def is_loopback(host: str) -> bool:
    """Return whether a host name or address can be reached from this machine only."""
    if host.lower() in _LOOPBACK_NAMES:
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


class RequestAuthorization:
    """Decides by its headers whether a request is allowed.

    Args:
        host: The address that the server listens on.
        token: The token that a request must carry; None: none is needed, as for metrics.
    """

    def __init__(self, host: str, token: str | None) -> None:
        self._is_local = is_loopback(host)
        self._token = token

    @property
    def query(self) -> str:
        """The query that adds the token to the page's address; "" without a token."""
        return "" if self._token is None else f"?token={quote(self._token)}"

    def has_allowed_host(self, headers: Message) -> bool:
        """Return whether the Host header names this machine.

        This stops DNS rebinding: a foreign name that points at the loopback address. Servers on
        other addresses rely on the token, which the browser does not have for a foreign name.
        Several Host headers are refused: another reader of them may use a different one.
        """
        names = headers.get_all("Host", [])
        if len(names) > 1:
            return False
        return not self._is_local or is_loopback(_host(f"//{''.join(names)}"))

    def is_same_origin(self, headers: Message) -> bool:
        """Return whether the request does not come from another site's page (CSRF).

        Browsers send the origin with each POST; programs need not.
        """
        origins = headers.get_all("Origin", [])
        if origins:
            return [origin.partition("://")[2] for origin in origins] == [headers.get("Host")]
        return headers.get("Sec-Fetch-Site", "none") in {"none", "same-origin"}

    def has_token(self, target: str, headers: Message, cookie: str) -> bool:
        """Return whether a request carries the token in its address or in this cookie."""
        if self._token is None:
            return True
        return any(map(self.is_token, (token_in(target), *_cookies(headers, cookie))))

    def is_token(self, text: str) -> bool:
        """Return whether a text is the token."""
        return self._token is not None and hmac.compare_digest(text.encode(), self._token.encode())


def token_in(target: str) -> str:
    """Return the token in a request's address, or ""."""
    with suppress(ValueError):  # too many fields
        fields = parse_qs(target.partition("?")[2], max_num_fields=_MAX_QUERY_FIELDS)
        return fields.get("token", [""])[0]
    return ""


def _host(address: str) -> str:
    """Return the host of an address; "" if there is none, or a user, whom no browser names here."""
    try:
        parts = urlsplit(address)
        return "" if "@" in parts.netloc else parts.hostname or ""
    except ValueError:
        return ""


def _cookies(headers: Message, name: str) -> Iterator[str]:
    """Yield the values of all cookies of this name; a server on another port may have set one.

    `http.cookies` takes a minute for a header of 64 kB in Python before 3.11.10 and 3.12.6.
    """
    for pair in headers.get("Cookie", "").split(";"):
        key, _, value = pair.strip().partition("=")
        if key == name:
            yield unquote(value)
