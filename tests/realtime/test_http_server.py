"""The limits of connections."""

from __future__ import annotations

import socket

from tracker_blur.realtime.http_server import Connections


def test_each_connection_of_a_burst_takes_the_place_of_another() -> None:
    connections = Connections()
    pairs = [socket.socketpair() for _ in range(100)]
    for ours, theirs in pairs:
        theirs.setblocking(False)
        connections.add(ours)  # their threads have not noticed yet that they were ended
    assert [is_ended(theirs) for _, theirs in pairs] == [True] * 68 + [False] * 32
    for pair in pairs:
        for one in pair:
            one.close()


def is_ended(client: socket.socket) -> bool:
    """Return whether the server has ended this client's connection."""
    try:
        return client.recv(1) == b""
    except BlockingIOError:
        return False
