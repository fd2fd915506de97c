"""Which attachments of Matroska are fonts that subtitles need; by their content, not their name."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from av.stream import AttachmentStream

_KINDS = {  # OpenType 1.9.1; WOFF 1.0 and 2.0 (W3C)
    b"\0\1\0\0": ("ttf", "font/ttf"),
    b"true": ("ttf", "font/ttf"),
    b"OTTO": ("otf", "font/otf"),
    b"ttcf": ("ttc", "font/collection"),
    b"wOFF": ("woff", "font/woff"),
    b"wOF2": ("woff2", "font/woff2"),
}
_MAGIC_BYTES = 4


def fonts(attachments: Iterable[AttachmentStream]) -> Iterator[tuple[str, str, bytes]]:
    """Yield the name, media type and content of each font.

    Players look fonts up by the names inside of them. So files get numbers for names, which may
    tell who made them or where they lay.
    """
    number = 0
    for attachment in attachments:
        kind = _KINDS.get(bytes(attachment.data[:_MAGIC_BYTES]))
        if kind is not None:
            number += 1
            suffix, media_type = kind
            yield f"font{number}.{suffix}", media_type, attachment.data
