"""Measures what writing an image of a lossy format again changes where nothing is hidden.

    python benchmarks/image_quality.py

A portrait of 512x512 pixels (`skimage.data.astronaut`) is stored by Pillow, read and written again
as trackblur does, without redaction, and both are compared as they are shown. Figures are exact.
Needs the extra "test" or "skimage".
"""

from __future__ import annotations

import io
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
import pillow_heif
from PIL import Image, ImageOps
from skimage.data import astronaut
from skimage.metrics import structural_similarity

from tracker_blur.images.encode import encode
from tracker_blur.images.reader import ImageReader

ROTATED_90_CLOCKWISE = 6
ORIENTATION_TAG = 274
CASES: tuple[tuple[str, str, tuple[int, ...], dict[str, Any]], ...] = (
    ("JPEG", ".jpg", (75, 90, 95), {}),
    ("JPEG, turned", ".jpg", (75, 90, 95), {"exif": ROTATED_90_CLOCKWISE}),
    ("WebP", ".webp", (75, 90), {}),
    ("HEIC", ".heic", (80, 90, 95), {}),
    ("AVIF 4:2:0", ".avif", (75, 90, 95), {"subsampling": "4:2:0"}),
)
FORMATS = {".jpg": "JPEG", ".webp": "WEBP", ".heic": "HEIF", ".avif": "AVIF"}


def main() -> None:
    """Print the table."""
    pillow_heif.register_heif_opener()
    print("| input | quality | mean difference (of 255) | SSIM | size |")
    print("|---|---:|---:|---:|---:|")
    with tempfile.TemporaryDirectory() as folder:
        for name, suffix, qualities, options in CASES:
            for quality in qualities:
                path = store(Path(folder, f"in{suffix}"), quality, options)
                with ImageReader(path) as reader:
                    content = encode(list(reader), FORMATS[suffix], False)
                before, after = shown(path.read_bytes()), shown(content)
                difference = np.abs(before.astype(int) - after).mean()
                ssim = structural_similarity(before, after, channel_axis=2)
                size = len(content) / path.stat().st_size - 1
                print(f"| {name} | {quality} | {difference:.2f} | {ssim:.3f} | {size:+.1%} |")


def store(path: Path, quality: int, options: dict[str, Any]) -> Path:
    """Store the portrait as another program might."""
    image = Image.fromarray(astronaut())
    given = dict(options)
    if "exif" in given:
        exif = Image.Exif()
        exif[ORIENTATION_TAG] = given["exif"]
        given["exif"] = exif
    image.save(path, quality=quality, **given)
    return path


def shown(content: bytes) -> np.ndarray[Any, np.dtype[np.uint8]]:
    """Return an image as a viewer shows it."""
    with Image.open(io.BytesIO(content)) as image:
        return np.asarray(ImageOps.exif_transpose(image).convert("RGB"), np.uint8)


if __name__ == "__main__":
    main()
