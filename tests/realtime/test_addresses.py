"""What is told of an address."""

from __future__ import annotations

import pytest

from tracker_blur.realtime.addresses import has_unknown_host, without_secrets


@pytest.mark.parametrize(
    ("address", "told"),
    [
        ("udp://239.0.0.1:1234?pkt_size=1316", "udp://239.0.0.1:1234?pkt_size=1316"),
        ("rtmp://live.example/app/stream-key", "rtmp://live.example/app/***"),
        (
            "rtmps://live.example:443/app/sub/key?auth=1",
            "rtmps://live.example:443/app/sub/***?auth=1",
        ),
        ("rtmp://live.example/app", "rtmp://live.example/app"),
        ("rtsp://ann:secret@camera.local:554/in", "rtsp://camera.local:554/in"),
        ("rtsp://ann:p@ss@word@camera.local/in", "rtsp://camera.local/in"),
        ("lost rtsp://ann@camera.local/in: why", "lost rtsp://camera.local/in: why"),
        (
            "srt://host:9000?mode=caller&passphrase=secret",
            "srt://host:9000?mode=caller&passphrase=***",
        ),
        (
            "srt://host:9000?STREAMID=publish:key&latency=1",
            "srt://host:9000?STREAMID=***&latency=1",
        ),
        ("http://[::1]:80/put?token=secret", "http://[::1]:80/put?token=***"),
    ],
)
def test_secrets_are_hidden_and_the_rest_is_not(address: str, told: str) -> None:
    assert without_secrets(address) == told


@pytest.mark.parametrize(
    ("address", "is_unknown"),
    [
        ("rtsp://none.invalid:554/in", True),
        ("rtsp://127.0.0.1/in", False),
        ("http://[::1]:80/in", False),
        ("udp://:1234", False),
    ],
)
def test_hosts_that_nobody_knows(address: str, is_unknown: bool) -> None:
    assert has_unknown_host(address) is is_unknown
