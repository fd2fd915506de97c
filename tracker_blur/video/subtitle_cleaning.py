"""Cleans tracks of subtitles: what players show stays, everything else is left out.

| codec | what is left out |
|---|---|
| ASS, SSA | see `tracker_blur.video.ass` |
| SubRip, plain text | tags other than styles, comments |
| WebVTT | the header with its notes and styles, identifiers, settings, names of who speaks |
| mov_text | boxes behind a text other than styles, names of fonts |
| VobSub | all of the header but the size and the palette |
| others as images | the header, except for the page numbers of DVB |

Other text subtitles are converted by FFmpeg first, and cleaned as what they become.
"""

from __future__ import annotations

import io
import re
import struct
from typing import Protocol

from tracker_blur.video.ass import AssCleaner
from tracker_blur.video.iso_boxes import iso_boxes

_STYLE_TAG = re.compile(
    r"</?(?:b|i|u|s)>|<font(?:\s+(?:color|size|face)=(?:\"[^\"<>]*\"|[#\w]+))+\s*>|</font>",
    re.IGNORECASE,
)
_VTT_TAG = re.compile(
    r"</?(?:b|i|u|ruby|rt|c)>|<(?:\d+:)?\d\d:\d\d\.\d{3}>"
    r"|<c(?:\.(?:bg_)?(?:white|lime|cyan|red|yellow|magenta|blue|black))+>"
)
_ANY_TAG = re.compile(r"<(?:!--.*?(?:-->|$)|/?[A-Za-z\d][^<>]*>)", re.DOTALL)
_TEXT_BOXES = frozenset({b"styl", b"tbox", b"twrp", b"hlit", b"hclr", b"krok", b"blnk", b"dlay"})
_FONT_TABLE_OFFSET = 30  # 3GPP TS 26.245, 5.16: behind flags, colors, the box and the style
_FONT = b"Sans-Serif"
_VOBSUB_LINE = re.compile(
    rb"size:\s*\d+x\d+\s*$|palette:(?:\s*[0-9a-f]{6}(?:\s*,)?)+\s*$", re.IGNORECASE
)
_MOST_DVB_BYTES = 40  # page numbers and a kind for each of up to eight languages


class Cleaner(Protocol):
    """Cleans one track.

    Attributes:
        header: The setup data of the cleaned track; empty if it needs none.
    """

    header: bytes

    def clean(self, payload: bytes) -> bytes:
        """Return a packet's payload as it is written."""
        ...

    def text(self, payload: bytes) -> str:
        """Return all that is said in a payload, and what else is in it as text."""
        ...


def cleaner(codec: str, header: bytes) -> Cleaner | None:
    """Return the cleaner for a codec by FFmpeg's name; None for text that must be converted."""
    if codec in ("ass", "ssa"):
        return _Ass(header)
    if codec in ("subrip", "text"):
        return _Tagged(_STYLE_TAG)
    if codec == "webvtt":
        return _Tagged(_VTT_TAG)
    if codec == "mov_text":
        return _MovText(header)
    if codec == "dvd_subtitle":
        return _Images(_vobsub_header(header))
    if codec == "dvb_subtitle":
        return _Images(header if len(header) <= _MOST_DVB_BYTES else b"")
    if codec in ("hdmv_pgs_subtitle", "xsub"):
        return _Images(b"")
    return None


class _Images:
    """Subtitles as images; what they show cannot be judged here."""

    def __init__(self, header: bytes) -> None:
        self.header = header

    def clean(self, payload: bytes) -> bytes:
        return payload

    def text(self, payload: bytes) -> str:  # noqa: ARG002  # they hold none
        return ""


class _Ass:
    def __init__(self, header: bytes) -> None:
        self._cleaner = AssCleaner(header)
        self.header = self._cleaner.header

    def clean(self, payload: bytes) -> bytes:
        return _bytes(self._cleaner.event(_text(payload)))

    def text(self, payload: bytes) -> str:
        event = self._cleaner.event(_text(payload))
        return re.sub(r"\{[^{}]*\}", "", event.split(",", 8)[-1])


class _Tagged:
    """SubRip or WebVTT: text with tags."""

    header = b""

    def __init__(self, kept: re.Pattern[str]) -> None:
        self._kept = kept

    def clean(self, payload: bytes) -> bytes:
        return _bytes(
            _ANY_TAG.sub(lambda tag: tag[0] if self._kept.fullmatch(tag[0]) else "", _text(payload))
        )

    def text(self, payload: bytes) -> str:
        return _text(self.clean(payload))


class _MovText:
    """3GPP timed text: a text behind its size, and boxes that style it."""

    def __init__(self, header: bytes) -> None:
        self.header = _with_plain_fonts(header)

    def clean(self, payload: bytes) -> bytes:
        text = _timed_text(payload)
        return struct.pack(">H", len(text)) + text + _boxes(payload[2 + len(text) :], _TEXT_BOXES)

    def text(self, payload: bytes) -> str:
        text = _timed_text(payload)
        if text[:2] in (b"\xfe\xff", b"\xff\xfe"):
            return text.decode("utf-16", "replace")
        return _text(text)


def _text(payload: bytes) -> str:
    return payload.decode("utf-8", "surrogateescape")


def _bytes(text: str) -> bytes:
    return text.encode("utf-8", "surrogateescape")


def _timed_text(payload: bytes) -> bytes:
    return payload[2 : 2 + int.from_bytes(payload[:2], "big")]


def _boxes(data: bytes, kept: frozenset[bytes]) -> bytes:
    """Return those boxes of a sequence that are of a known type."""
    return b"".join(
        data[box.start : box.end]
        for box in iso_boxes(io.BytesIO(data), 0, len(data))
        if box.kind in kept and box.end <= len(data)
    )


def _with_plain_fonts(header: bytes) -> bytes:
    """Return a sample description with its style, and one name for all of its fonts."""
    table = _boxes(header[_FONT_TABLE_OFFSET:], frozenset({b"ftab"}))
    names, at = b"", 10
    count = 0
    while at + 3 <= len(table):
        names += table[at : at + 2] + bytes([len(_FONT)]) + _FONT
        at += 3 + table[at + 2]
        count += 1
    content = b"ftab" + struct.pack(">H", count) + names
    return header[:_FONT_TABLE_OFFSET] + struct.pack(">I", 4 + len(content)) + content


def _vobsub_header(header: bytes) -> bytes:
    lines = [line.strip() for line in header.replace(b"\0", b"").splitlines()]
    return b"".join(line + b"\n" for line in lines if _VOBSUB_LINE.match(line))
