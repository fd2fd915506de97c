"""The limits of connections."""

from __future__ import annotations

from tracker_blur.serving.connections import Connections
from tracker_blur.serving.limits import ServingLimits


class FakeConnection:
    def __init__(self) -> None:
        self.is_ended = False

    def abort(self) -> None:
        self.is_ended = True


def test_each_connection_of_a_burst_takes_the_place_of_another() -> None:
    connections = Connections(ServingLimits())
    burst = [FakeConnection() for _ in range(100)]
    for connection in burst:
        connections.add(connection)  # none has noticed yet that it was ended
    assert [connection.is_ended for connection in burst] == [True] * 68 + [False] * 32


def test_unauthenticated_connections_take_no_place_of_others() -> None:
    connections = Connections(ServingLimits(unauthenticated=2, requests=2, streams=1))
    stream, old, new, newest = (FakeConnection() for _ in range(4))
    for connection in (stream, old, new, newest):
        connections.add(connection)
        connections.authenticate(connection)
        if connection is stream:
            assert connections.begin_stream(stream)
    for _ in range(5):
        connections.add(FakeConnection())
    ended = [connection.is_ended for connection in (stream, old, new, newest)]
    assert ended == [False, True, False, False]
    assert not connections.begin_stream(new)
    connections.remove(stream)
    assert connections.begin_stream(new)
    connections.authenticate(new)  # its next request: the stream is over
    assert connections.begin_stream(newest)
    assert not connections.begin_stream(new)
    connections.end()
    assert new.is_ended
    assert newest.is_ended
