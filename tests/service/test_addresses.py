"""Which hosts may be allowed, and which addresses their names may lead to."""

from __future__ import annotations

import socket
from typing import Any

import pytest

from tracker_blur.errors import SettingsError
from tracker_blur.service.addresses import AllowedHost, is_public

PRIVATE = (
    *("0.0.0.1", "10.1.2.3", "100.64.0.1", "127.0.0.1", "169.254.169.254", "172.16.0.1"),
    *("192.0.2.1", "192.88.99.1", "192.168.1.1", "198.18.0.1", "224.0.0.1", "240.0.0.1"),
    *(
        "168.63.129.16",
        "255.255.255.255",
        "::",
        "::1",
        "::127.0.0.1",
        "100::1",
        "2001:db8::1",
        "fc00::1",
    ),
    *("fe80::1", "fe80::1%eth0", "fec0::1", "ff02::1"),
    # Those that hide an address of IPv4: mapped, 6to4, Teredo, and two gateways.
    *("::ffff:127.0.0.1", "::ffff:10.0.0.1", "2002:7f00:1::", "2001:0:a00:1::1"),
    *("64:ff9b::7f00:1", "64:ff9b:1::1"),
    *("", "localhost", "127.1"),
)
PUBLIC = ("8.8.8.8", "2606:4700::1111", "2002:808:808::", "64:ff9b::808:808")


@pytest.mark.parametrize("address", PRIVATE)
def test_private_addresses_are_not_public(address: str) -> None:
    assert not is_public(address)


@pytest.mark.parametrize("address", PUBLIC)
def test_public_addresses_are(address: str) -> None:
    assert is_public(address)


@pytest.mark.parametrize(
    ("text", "name", "port"),
    [
        ("Media.Example.ORG.", "media.example.org", None),
        ("media.example.org:8080", "media.example.org", 8080),
        ("münchen.example", "xn--mnchen-3ya.example", None),
        ("10.0.0.5:9000", "10.0.0.5", 9000),
        ("[::1]:9000", "::1", 9000),
        ("::1", "::1", None),
    ],
)
def test_hosts_are_names_or_addresses(text: str, name: str, port: int | None) -> None:
    assert AllowedHost.parse(text) == (name, port)


@pytest.mark.parametrize(
    "text",
    [
        *("", "a b", "http://media.example.org", "media.example.org/x", "media.example.org:x"),
        *("media.example.org:0", "media.example.org:65536", "[::1]x", "*.example.org", "user@host"),
        *("a..b", "a" * 70),
        # No one fetches from these, least of all the secrets of a cloud's machine.
        *("169.254.169.254", "::ffff:169.254.169.254", "64:ff9b::a9fe:a9fe", "fe80::1%eth0"),
        *("::", "224.0.0.1", "255.255.255.255"),
        *("100.100.100.200", "fd00:ec2::254", "168.63.129.16", "::ffff:100.100.100.200"),
        *("localhost", "a.localhost.", "2130706433", "127.1", "0x7f.1", "0x7f000001"),
    ],
)
def test_what_is_no_host_is_refused(text: str) -> None:
    with pytest.raises(SettingsError):
        AllowedHost.parse(text)


@pytest.mark.parametrize(
    ("allowed", "host", "port", "is_covered"),
    [
        ("media.example.org", "media.example.org", 443, True),
        ("media.example.org", "media.example.org", 8443, False),
        ("media.example.org:8443", "media.example.org", 8443, True),
        ("media.example.org:8443", "media.example.org", 443, False),
        ("media.example.org", "evil.media.example.org", 443, False),
        ("media.example.org", "media.example.org.evil.example", 443, False),
        ("media.example.org", "example.org", 443, False),
    ],
)
def test_a_host_covers_itself_alone(allowed: str, host: str, port: int, is_covered: bool) -> None:
    assert AllowedHost.parse(allowed).covers("https", host, port) is is_covered


def test_one_private_address_among_public_ones_is_enough_to_refuse(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    found: list[str] = []

    def look_up(host: str, port: int, **_: Any) -> list[Any]:
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (each, port)) for each in found]

    monkeypatch.setattr(socket, "getaddrinfo", look_up)
    host = AllowedHost.parse("media.example.org")
    found[:] = ["8.8.8.8", "8.8.8.8", "1.1.1.1"]
    assert host.addresses(80) == [("8.8.8.8", 80), ("1.1.1.1", 80)]
    for private in (["8.8.8.8", "127.0.0.1"], ["::ffff:10.0.0.1"], []):
        found[:] = private
        with pytest.raises(ValueError, match="not public"):
            host.addresses(80)


def test_an_address_that_is_allowed_is_not_looked_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delattr(socket, "getaddrinfo")
    assert AllowedHost.parse("10.0.0.5").addresses(80) == [("10.0.0.5", 80)]
