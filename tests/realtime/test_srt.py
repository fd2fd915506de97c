"""SRT addresses as ffmpeg gets them, without secrets in its arguments."""

from __future__ import annotations

import pytest

from tracker_blur.realtime import srt


@pytest.mark.parametrize(
    ("address", "bare", "preset"),
    [
        ("srt://host:9000", "srt://host:9000", ""),
        (
            "srt://host:9000?mode=caller&passphrase=a+b=c%20&latency=200000",
            "srt://host:9000?mode=caller&latency=200000",
            "passphrase=a b=c%20\n",
        ),
        (
            "srt://ann:secret@[::1]:9000?streamid=publish%3Akey&PassPhrase=x",
            "srt://[::1]:9000",
            "streamid=publish:key\npassphrase=x\n",
        ),
    ],
)
def test_secrets_leave_the_address(address: str, bare: str, preset: str) -> None:
    assert srt.without_options(address) == (bare, preset.encode())


def test_the_script_quotes_its_address() -> None:
    script = srt.input_script("srt://host:1?passphrase=it's", 2.5)
    assert script.decode().splitlines() == [
        "ffconcat version 1.0",
        r"file 'srt://host:1?passphrase=it'\''s'",
        "option rw_timeout 2500000",
    ]


def test_the_arguments_allow_srt_and_mpegts_only() -> None:
    arguments = srt.input_arguments(5)
    assert arguments[arguments.index("-protocol_whitelist") + 1] == "pipe,srt"
    assert arguments[arguments.index("-format_whitelist") + 1] == "concat,mpegts"
