"""Only packets that nothing refers to are left out, whatever wraps their units."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any, cast

import av
import pytest

from tracker_blur.video.disposable import DisposablePackets

MP4 = b"\x01\x64\x00\x1f\xff\xe1\x00\x00"  # lengths of four bytes
SLICE, REFERENCE, KEY, DELIMITER, MESSAGE = b"\x01s", b"\x41s", b"\x65s", b"\x09\xf0", b"\x06m"


def packets(codec: str, extra: bytes) -> DisposablePackets:
    context = SimpleNamespace(codec=SimpleNamespace(canonical_name=codec), extradata=extra)
    return DisposablePackets(cast("Any", SimpleNamespace(codec_context=context)))


def with_lengths(*units: bytes) -> bytes:
    return b"".join(len(unit).to_bytes(4, "big") + unit for unit in units)


def with_start_codes(*units: bytes) -> bytes:
    return b"".join(b"\x00\x00\x00\x01" + unit for unit in units)


@pytest.mark.parametrize(
    ("units", "is_disposable"),
    [
        ((SLICE,), True),
        ((DELIMITER, SLICE, SLICE), True),
        ((SLICE, REFERENCE), False),
        ((REFERENCE,), False),
        ((KEY,), False),
        ((MESSAGE, SLICE), False),  # a message may be about more than its own frame
        ((DELIMITER,), False),
        ((), False),
    ],
)
def test_packets_are_recognized_by_their_units(
    units: tuple[bytes, ...], is_disposable: bool
) -> None:
    for extra, content in ((MP4, with_lengths(*units)), (b"", with_start_codes(*units))):
        assert packets("h264", extra).holds(av.Packet(content)) is is_disposable


@pytest.mark.parametrize("content", [b"\x00\x00\x00\x02\x01", b"\x00\x00\x00\x09\x01s", b"\x00"])
def test_what_is_cut_off_is_left_to_the_decoder(content: bytes) -> None:
    assert not packets("h264", MP4).holds(av.Packet(content))


def test_other_codecs_are_left_to_the_decoder() -> None:
    assert not packets("hevc", b"").holds(av.Packet(with_start_codes(SLICE)))
