"""What tracks hold is compared, whatever codec they are stored in."""

from __future__ import annotations

from array import array
from fractions import Fraction
from typing import Any

import av
import pytest

from tracker_blur.verification.preservation import _streams
from tracker_blur.verification.stream_contents import StreamContents


def sound(codec: str, *seconds: float) -> StreamContents:
    return StreamContents(1, "sound", codec, {}, 0.001, array("d", seconds))


@pytest.mark.parametrize(
    ("now", "problem"),
    [
        (sound("flac", 0.0, 0.5, 1.0), "decoded from aac and now flac"),
        (sound("flac", 0.0, 0.5), "lasts 0.5 instead of 1.0 seconds"),
        (sound("flac"), "holds nothing (flac)"),
        (sound("opus", 0.0, 0.5, 1.0), "holds something else (opus instead of aac)"),
    ],
)
def test_sound_in_another_codec_must_last_as_long(now: StreamContents, problem: str) -> None:
    was = sound("aac", 0.0, 0.5, 1.0)
    (check,) = _streams([now], [was], (0.0, 0.0), 0.001)
    assert problem in check.detail
    assert check.passed == problem.startswith("decoded")


def test_what_is_no_style_stays_however_long_it_is() -> None:
    """One start after the other without an end took time by the square of their number."""
    contents = StreamContents(2, "text", "subrip", {}, 0.001)
    for text in ("<" * 300_000, r"{\b1}bold{\b0} <i>text</i>", "a < b"):
        packet: av.Packet[Any] = av.Packet(text.encode())
        packet.pts, packet.time_base = 0, Fraction(1, 1000)
        contents.add(packet, is_text=True)
    assert contents.texts == ["<" * 300_000, "bold text", "a < b"]
