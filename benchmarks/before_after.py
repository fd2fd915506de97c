"""Composes the README's image: frames of a clip above the same frames of its redacted copy.

trackblur samples/crossing.mp4 redacted.mp4
python benchmarks/before_after.py samples/crossing.mp4 redacted.mp4 docs/before_after.jpg
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

import av
import cv2
import numpy as np
import numpy.typing as npt

Pixels = npt.NDArray[np.uint8]

GAP_PX = 6
FRAMES = (48, 98, 158)  # of samples/crossing.mp4: about to cross, together, near


def frames_of(path: Path, numbers: tuple[int, ...], width: int) -> list[Pixels]:
    """Return frames by number, from 0, as BGR images of a width in pixels."""
    found: dict[int, Pixels] = {}
    with av.open(str(path)) as container:
        for number, frame in enumerate(container.decode(video=0)):
            if number in numbers:
                image = frame.to_ndarray(format="bgr24")
                height = round(width * image.shape[0] / image.shape[1])
                small = cv2.resize(image, (width, height), interpolation=cv2.INTER_AREA)
                found[number] = np.asarray(small, np.uint8)
    missing = [number for number in numbers if number not in found]
    if missing:
        raise SystemExit(f"{path} has no frame {missing[0]}")
    return [found[number] for number in numbers]


def composed(rows: list[list[Pixels]]) -> Pixels:
    """Return rows of equally large images with white gaps between them."""
    lines = [
        np.hstack([cv2.copyMakeBorder(image, 0, GAP_PX, 0, GAP_PX, cv2.BORDER_CONSTANT,
                                      value=(255, 255, 255)) for image in row])
        for row in rows
    ]  # fmt: skip
    return np.asarray(np.vstack(lines)[:-GAP_PX, :-GAP_PX], np.uint8)


def jpeg_below(image: Pixels, limit_bytes: int) -> bytes:
    """Return the image as the best JPEG below a size."""
    for quality in range(90, 30, -4):
        parameters = [cv2.IMWRITE_JPEG_QUALITY, quality, cv2.IMWRITE_JPEG_OPTIMIZE, 1]
        done, data = cv2.imencode(".jpg", image, parameters)
        if done and data.size < limit_bytes:
            return data.tobytes()
    raise SystemExit(f"no JPEG of this image stays below {limit_bytes} bytes")


def main() -> int:
    """Compose the image."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("before", type=Path)
    parser.add_argument("after", type=Path)
    parser.add_argument("out", type=Path, metavar="OUT.jpg")
    parser.add_argument("--frames", type=int, nargs="+", default=FRAMES, metavar="N")
    parser.add_argument("--width", type=int, default=1200, help="width of the image in pixels")
    parser.add_argument("--limit", type=int, default=250_000, metavar="BYTES")
    arguments = parser.parse_args()
    numbers = tuple(arguments.frames)
    width = (arguments.width - (len(numbers) - 1) * GAP_PX) // len(numbers)
    rows = [frames_of(path, numbers, width) for path in (arguments.before, arguments.after)]
    arguments.out.write_bytes(jpeg_below(composed(rows), arguments.limit))
    return 0


if __name__ == "__main__":
    sys.exit(main())
