"""Secrets in addresses, and unknown hosts."""

from __future__ import annotations

import pytest

from tracker_blur.realtime.addresses import address_name, has_unknown_host, without_secrets


@pytest.mark.parametrize(
    ("address", "expected"),
    [
        ("udp://239.0.0.1:1234", "udp://239.0.0.1:1234"),
        ("udp://239.0.0.1:1234?pkt_size=1316", "udp://239.0.0.1:1234?pkt_size=***"),
        ("rtmp://live.example/app/stream-key", "rtmp://live.example/app/***"),
        ("rtmp://live.example/app/stream-key/", "rtmp://live.example/app/***/"),
        (
            "rtmps://live.example:443/app/sub/key?auth=1",
            "rtmps://live.example:443/app/sub/***?auth=***",
        ),
        ("RTMP://live.example/stream-key", "RTMP://live.example/***"),
        ("rtmp://live.example/key?path=a/b/c", "rtmp://live.example/***?path=***"),
        ("rtmp://live.example", "rtmp://live.example"),
        ("rtmp://live.example/", "rtmp://live.example/"),
        ("lost rtmp://live.example/app/key : why", "lost rtmp://live.example/app/*** : why"),
        ("rtsp://ann:secret@camera.local:554/in", "rtsp://camera.local:554/in"),
        ("rtsp://ann:p@ss@word@camera.local/in", "rtsp://camera.local/in"),
        ("rtsp://ann:p?ss&word@camera.local/in", "rtsp://camera.local/in"),
        ("lost rtsp://ann@camera.local/in: why", "lost rtsp://camera.local/in: why"),
        (
            "srt://host:9000?mode=caller&passphrase=secret",
            "srt://host:9000?mode=***&passphrase=***",
        ),
        (
            "srt://host:9000?STREAMID=publish:key,a=b&latency=1",
            "srt://host:9000?STREAMID=***&latency=***",
        ),
        ("http://[::1]:80/put?token=secret", "http://[::1]:80/put?token=***"),
        ("http://host/put?secret", "http://host/put?***"),
        ("http://host/put?a=b?c=d&&e=&f", "http://host/put?a=***&&***&***"),
        ("http://host/put?sig=a%20b/c==", "http://host/put?sig=***"),
        (
            "rtsp://cam:554/user=admin&password=secret&channel=1.sdp?real",
            "rtsp://cam:554/user=admin&password=***&channel=***",
        ),
        ("rtsp://cam/user=admin_password=secret_1.sdp", "rtsp://cam/user=admin_password=***"),
        ("rtsp://cam/Pwd=secret", "rtsp://cam/Pwd=***"),
        ("cannot open: passwd=secret", "cannot open: passwd=***"),
        (
            "rtmp://live.example/app/key playpath=key2 token=t",
            "rtmp://live.example/app/*** playpath=*** token=***",
        ),
        ("out of room? really & truly: a=b", "out of room? really & truly: a=b"),
        ("rtsp://ann:12/34@camera.local:554/in", "rtsp://camera.local:554/in"),
        ("http://host:80/put?to=me@home&a=b", "http://host:80/put?to=***&a=***"),
    ],
)
def test_secrets_are_masked_and_the_rest_stays(address: str, expected: str) -> None:
    assert without_secrets(address) == expected


@pytest.mark.parametrize(
    ("address", "name"),
    [
        (
            "srt://host:9?passphrase=correct horse&mode=caller",
            "srt://host:9?passphrase=***&mode=***",
        ),
        ("rtsp://ann:correct horse@camera.local/in", "rtsp://camera.local/in"),
        ("rtmp://live.example/app/correct horse", "rtmp://live.example/app/***"),
        ("http://host/the video.ts", "http://host/the%20video.ts"),
        ("the pass/a video.mkv", "the pass/a video.mkv"),
    ],
)
def test_spaces_do_not_end_an_address(address: str, name: str) -> None:
    assert address_name(address) == name
    quoted = without_secrets(f"Connection to {address} failed: timed out", address)
    assert quoted == f"Connection to {name} failed: timed out"


@pytest.mark.parametrize(
    ("address", "is_unknown"),
    [
        ("rtsp://none.invalid:554/in", True),
        ("rtsp://127.0.0.1/in", False),
        ("http://[::1]:80/in", False),
        ("udp://:1234", False),
    ],
)
def test_unknown_hosts(address: str, is_unknown: bool) -> None:
    assert has_unknown_host(address) is is_unknown
