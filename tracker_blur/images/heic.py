"""HEIC images, through pillow-heif, which is loaded when the first one comes.

Only the primary image of a file is read; thumbnails, depth maps, gain maps, bursts and other
auxiliary images are neither read nor written.
"""

from __future__ import annotations

import io
from typing import TYPE_CHECKING, Any

import numpy as np

from tracker_blur.images import avif, exif, icc
from tracker_blur.images.frame import Encoding, ImageFrame

if TYPE_CHECKING:
    from tracker_blur.images.pixel_limit import PixelLimit

_BRANDS = (b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"mif1", b"msf1")
_QUALITY = 90  # of 0 to 100; 1.0 to 1.3 times the size of files written with 80 to 95


def is_heic(data: bytes) -> bool:
    """Return whether a file starts like HEIC; some of these brands are those of AVIF, too."""
    return data[4:8] == b"ftyp" and data[8:12] in _BRANDS and not avif.is_avif(data)


class HeicDecoder:
    """The primary image of a HEIC file, see `tracker_blur.images.decode.Decoder`."""

    may_move = False
    is_complete = True
    count = 1

    def __init__(self, data: bytes, limit: PixelLimit) -> None:
        self._limit = limit
        import pillow_heif

        self._file = pillow_heif.open_heif(io.BytesIO(data), convert_hdr_to_8bit=False)

    def decode(self, index: int) -> ImageFrame:  # noqa: ARG002  # there is one
        """Return the primary image, upright; 10 and 12 bits are shifted up to 16."""
        image = self._file[self._file.primary_index]
        width, height = image.size
        self._limit.check(image.size)
        samples = np.array(image).reshape(height, width, -1)  # copied: the package frees its own
        planes = [np.ascontiguousarray(samples[..., i]) for i in range(samples.shape[2])]
        colors = 3 if len(planes) >= 3 else 1
        info: dict[str, Any] = image.info
        kept = ("bit_depth", "chroma", "nclx_profile")
        return ImageFrame(
            channels=tuple(planes[:colors]),
            alpha=planes[colors] if len(planes) > colors else None,
            encoding=Encoding(
                format="HEIF",
                icc_profile=icc.anonymous(info.get("icc_profile")),
                exif=exif.harmless(exif.parse(info.get("exif"))),
                options={key: info[key] for key in kept if info.get(key)},
            ),
        )


def encode(frame: ImageFrame, exif_block: bytes) -> bytes:
    """Return an image as a HEIC file without thumbnails."""
    import pillow_heif

    planes = frame.channels if frame.alpha is None else (*frame.channels, frame.alpha)
    mode = {1: "L", 2: "LA", 3: "RGB", 4: "RGBA"}[len(planes)]
    if frame.layout.bits > 8:
        mode += ";16"
    file = io.BytesIO()
    pillow_heif.encode(
        mode,
        frame.size,
        np.stack(planes, axis=-1).tobytes(),
        file,
        quality=_QUALITY,
        icc_profile=frame.encoding.icc_profile or None,
        exif=exif_block or None,
        **(frame.encoding.options if frame.encoding.format == "HEIF" else {}),
    )
    return file.getvalue()
