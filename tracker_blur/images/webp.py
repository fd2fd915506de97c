"""Whether a WebP picture was stored without loss.

WebP Container Specification, RFC 9649, section 2.
"""

from __future__ import annotations

import struct

_FRAME_HEADER_SIZE = 16


def is_lossless(webp: bytes) -> bool:
    """Return whether the first picture in the file is in the lossless format."""
    position = 12  # after RIFF, its size, WEBP
    while position + 8 <= len(webp):
        kind, size = struct.unpack_from("<4sI", webp, position)
        if kind in (b"VP8 ", b"VP8L"):
            return bool(kind == b"VP8L")
        position += 8
        if kind == b"ANMF":  # a frame of an animation: its chunks lie inside
            position += _FRAME_HEADER_SIZE
        else:
            position += size + size % 2
    return False
