"""Decides by its headers whether an HTTP request is allowed."""

from __future__ import annotations

import hmac
import ipaddress
from contextlib import suppress
from typing import TYPE_CHECKING
from urllib.parse import parse_qs, quote, unquote, urlsplit

if TYPE_CHECKING:
    from collections.abc import Iterator

    from starlette.datastructures import Headers

_LOOPBACK_NAMES = {"localhost"}
_MAX_QUERY_FIELDS = 16  # anyone may send a query, and Python takes long to parse a long one
_BEARER = "bearer "


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

    def has_allowed_host(self, headers: Headers) -> bool:
        """Return whether the Host header names this machine.

        This stops DNS rebinding: a foreign name that points at the loopback address. Servers on
        other addresses rely on the token, which the browser does not have for a foreign name.
        Several Host headers are refused: another reader of them may use a different one.
        """
        names = headers.getlist("host")
        if len(names) > 1:
            return False
        return not self._is_local or is_loopback(_host(f"//{''.join(names)}"))

    def is_same_origin(self, headers: Headers) -> bool:
        """Return whether the request does not come from another site's page (CSRF).

        Browsers send the origin with each POST; programs need not.
        """
        origins = headers.getlist("origin")
        if origins:
            return [origin.partition("://")[2] for origin in origins] == [headers.get("host")]
        return headers.get("sec-fetch-site", "none") in {"none", "same-origin"}

    def has_token(self, given: str, headers: Headers, cookie: str) -> bool:
        """Return whether a request has the token, in this cookie, as a bearer, or otherwise given.

        Args:
            given: What its address gives as a token; "" if nothing, or if that does not count.
            headers: Its headers.
            cookie: Name of the cookie.
        """
        if self._token is None:
            return True
        return any(map(self.is_token, (given, *_bearers(headers), *_cookies(headers, cookie))))

    def is_token(self, text: str) -> bool:
        """Return whether a text is the token."""
        if self._token is None:
            return False
        # JSON may have halves of characters, which nothing encodes otherwise.
        given = text.encode("utf-8", "surrogatepass")
        return hmac.compare_digest(given, self._token.encode("utf-8", "surrogatepass"))


def token_in(query: str) -> str:
    """Return the token in the query of a request's address, or ""."""
    with suppress(ValueError):  # too many fields
        return parse_qs(query, max_num_fields=_MAX_QUERY_FIELDS).get("token", [""])[0]
    return ""


def _host(address: str) -> str:
    """Return the host of an address; "" if there is none, or a user, whom no browser names here."""
    try:
        parts = urlsplit(address)
        return "" if "@" in parts.netloc else parts.hostname or ""
    except ValueError:
        return ""


def _bearers(headers: Headers) -> Iterator[str]:
    """Yield what programs send as `Authorization: Bearer TOKEN`."""
    for value in headers.getlist("authorization"):
        if value[: len(_BEARER)].lower() == _BEARER:
            yield value[len(_BEARER) :].strip()


def _cookies(headers: Headers, name: str) -> Iterator[str]:
    """Yield the values of all cookies of this name; a server on another port may have set one.

    `http.cookies` takes a minute for a header of 64 kB in Python before 3.11.10 and 3.12.6.
    """
    for pair in "; ".join(headers.getlist("cookie")).split(";"):
        key, _, value = pair.strip().partition("=")
        if key == name:
            yield unquote(value)
