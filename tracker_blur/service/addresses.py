"""Which addresses the service may fetch from: hosts that were allowed, at public addresses."""

from __future__ import annotations

import ipaddress
import re
import socket
from typing import TYPE_CHECKING, NamedTuple

from tracker_blur.errors import SettingsError

if TYPE_CHECKING:
    from collections.abc import Iterator

    Address = ipaddress.IPv4Address | ipaddress.IPv6Address

_NUMBER = re.compile(r"\d+|0x[0-9a-f]*")
_GLOBAL_UNICAST = ipaddress.ip_network("2000::/3")
_NAT64 = ipaddress.ip_network("64:ff9b::/96")
_OLD_RELAYS = ipaddress.ip_network("192.88.99.0/24")
_METADATA = frozenset(
    map(
        ipaddress.ip_address,
        # Of Alibaba, Oracle, Azure, AWS and Google; their others are link-local.
        ("100.100.100.200", "192.0.0.192", "168.63.129.16", "fd00:ec2::254", "fd20:ce::254"),
    )
)
"""Where a cloud's machines get their secrets from."""

_PORTS = {"http": 80, "https": 443}


class AllowedHost(NamedTuple):
    """A host that may be fetched from.

    Attributes:
        name: Its name in lower case and ASCII, or its address.
        port: The only port; None: that of the scheme.
    """

    name: str
    port: int | None

    @classmethod
    def parse(cls, text: str) -> AllowedHost:
        """Return the host that is written as `HOST`, `HOST:PORT` or `[IPV6]:PORT`.

        Raises:
            SettingsError: It is none, or no one should ever fetch from it.
        """
        named, port = _split(text)
        address = _address(named)
        if address is not None:
            if not is_unicast(address):
                raise SettingsError(f"{text}: is no address of a machine: name another")
            return cls(str(address), port)
        try:
            name = named.rstrip(".").encode("idna").decode().lower()
        except UnicodeError:
            name = ""
        if not name or not all(part.isalnum() for part in name.replace("-", "").split(".")):
            raise SettingsError(f"{text}: is no host: write a name such as media.example.org")
        last = name.rpartition(".")[2]
        if last == "localhost" or _NUMBER.fullmatch(last):  # it would never lead to a public one
            raise SettingsError(f"{text}: is this machine, or a number: write its address instead")
        return cls(name, port)

    def covers(self, scheme: str, host: str, port: int) -> bool:
        """Return whether it is that of a URL, whose host is in lower case."""
        return host == self.name and port == (self.port or _PORTS[scheme])

    def addresses(self, port: int) -> list[tuple[str, int]]:
        """Return where to connect to; a name is looked up, which may take seconds.

        All of its addresses must be public: one of them may come from someone else. Those that are
        named as addresses may be private: the operator who allowed them has seen which they are.

        Raises:
            OSError: It cannot be looked up.
            ValueError: It has an address that is not public.
        """
        if _address(self.name) is not None:
            return [(self.name, port)]
        found = socket.getaddrinfo(self.name, port, type=socket.SOCK_STREAM)
        named = list(dict.fromkeys(str(place[0]) for *_, place in found))
        if not named or not all(is_public(address) for address in named):
            raise ValueError("it leads to an address that is not public")
        return [(address, port) for address in named]


def is_public(text: str) -> bool:
    """Return whether an address is one of the Internet, and hides no other one."""
    address = _address(text)
    return address is not None and all(_is_public(each) for each in (address, *_embedded(address)))


def is_unicast(address: Address) -> bool:
    """Return whether an address may be that of a machine that someone means: maybe a private one.

    Clouds hand out their secrets at link-local addresses, and at a few others.
    """
    return not any(
        each in _METADATA
        or each.is_link_local
        or each.is_multicast
        or each.is_unspecified
        or (each.is_reserved and not each.is_loopback)
        or each == ipaddress.ip_address("255.255.255.255")
        for each in (address, *_embedded(address))
    )


def _address(text: str) -> Address | None:
    try:
        return ipaddress.ip_address(text)
    except ValueError:
        return None


def _is_public(address: Address) -> bool:
    if isinstance(address, ipaddress.IPv6Address):
        # The registry of special ranges changes; what is public lies in one block.
        return address in _NAT64 or (address in _GLOBAL_UNICAST and address.is_global)
    is_special = address.is_multicast or address.is_reserved or address in _OLD_RELAYS
    is_special = is_special or address in _METADATA
    return address.is_global and not is_special


def _embedded(address: Address) -> Iterator[ipaddress.IPv4Address]:
    """Yield the IPv4 addresses that a gateway would take out of an IPv6 one."""
    if not isinstance(address, ipaddress.IPv6Address):
        return
    if address.ipv4_mapped is not None:
        yield address.ipv4_mapped
    if address.sixtofour is not None:
        yield address.sixtofour
    if address.teredo is not None:
        yield from address.teredo
    if address in _NAT64:
        yield ipaddress.IPv4Address(int(address) & 0xFFFFFFFF)


def _split(text: str) -> tuple[str, int | None]:
    """Return the host and the port of what `parse` gets; raises SettingsError."""
    if text.startswith("["):
        host, _, rest = text[1:].partition("]")
    elif text.count(":") == 1:
        host, colon, rest = text.partition(":")
        rest = colon + rest
    else:
        host, rest = text, ""
    if not rest:
        return host, None
    port = rest[1:]
    if rest[0] != ":" or not (port.isascii() and port.isdigit() and 0 < int(port) < 1 << 16):
        raise SettingsError(f"{text}: has no port behind the host: write HOST or HOST:PORT")
    return host, int(port)
