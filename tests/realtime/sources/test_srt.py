"""SRT: the program ffmpeg is started and ended."""

from __future__ import annotations

import pytest

from tests.realtime.sources.ffmpeg_sender import ffmpeg_program
from tracker_blur.errors import SourceError
from tracker_blur.realtime.settings import LiveSettings
from tracker_blur.realtime.sources import open_source
from tracker_blur.realtime.sources.srt import SrtSource


def test_no_process_is_left_if_the_session_ends_while_it_starts() -> None:
    ffmpeg_program()
    source = open_source("srt://127.0.0.1:9?mode=listener", LiveSettings())
    assert isinstance(source, SrtSource)
    source.abort()
    with pytest.raises(SourceError, match="was stopped while it was being opened"):
        source.open()
    assert source._process is None


def test_no_argument_of_the_program_holds_a_secret() -> None:
    ffmpeg_program()
    address = "srt://127.0.0.1:9?mode=listener&passphrase=a-long-passphrase&streamid=an-id"
    source = open_source(address, LiveSettings())
    assert isinstance(source, SrtSource)
    arguments = " ".join(source._command)
    assert "mpegts" in arguments
    for secret in ("passphrase", "an-id"):
        assert secret not in arguments


def test_a_missing_program_is_reported_without_secrets(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "")
    with pytest.raises(SourceError, match=r"passphrase=\*\*\*: SRT needs the program ffmpeg"):
        open_source("srt://127.0.0.1:9?passphrase=secret", LiveSettings())
