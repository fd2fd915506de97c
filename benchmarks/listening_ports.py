"""Whether a program listens on a port, asked without connecting to it (Linux).

A server that serves one client would take a test connection for that client.
"""

from __future__ import annotations

import socket
from pathlib import Path

_TCP_LISTENS, _UDP_IS_BOUND = "0A", "07"  # as /proc/net states them


def kind_of_socket(protocol: str) -> socket.SocketKind:
    """Return the kind of socket on which a streaming protocol is received."""
    return socket.SOCK_DGRAM if protocol in ("udp", "srt") else socket.SOCK_STREAM


def is_listened_on(port: int, kind: socket.SocketKind) -> bool:
    """Return whether any program of this machine listens on a port."""
    is_udp = kind is socket.SOCK_DGRAM
    state = _UDP_IS_BOUND if is_udp else _TCP_LISTENS
    return any(
        fields[1].endswith(f":{port:04X}") and fields[3] == state
        for table in (("udp", "udp6") if is_udp else ("tcp", "tcp6"))
        for line in Path(f"/proc/net/{table}").read_text().splitlines()[1:]
        if (fields := line.split())
    )
