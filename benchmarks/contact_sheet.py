"""Makes contact sheets of a clip, to annotate it by eye and to check the annotations.

    python benchmarks/contact_sheet.py CLIP OUT.png [--every N] [--frames 0,5,9] [--crop X,Y,W,H]
        [--scale S] [--columns C] [--grid PX] [--boxes KEY_FRAMES.csv]

Each cell shows one frame with its number, and a grid whose lines are labeled in pixels of the clip,
so that boxes can be read off. `--boxes` draws annotations: faces green, heads that are no faces
blue. The sheets show faces: do not publish them.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import av
import cv2
import numpy as np
import numpy.typing as npt
from key_frames import read_key_frames

from tracker_blur.files.atomic import replacing

if TYPE_CHECKING:
    from collections.abc import Iterator

    from key_frames import Annotation

Image = npt.NDArray[np.uint8]
LINE, TEXT = (90, 90, 90), (0, 255, 255)
FACE_COLOR, HEAD_COLOR = (0, 255, 0), (255, 120, 0)
FONT = cv2.FONT_HERSHEY_SIMPLEX
FONT_SCALE = 0.4


def main() -> int:
    """Write the sheet."""
    arguments = _parser().parse_args()
    boxes = read_key_frames(arguments.boxes) if arguments.boxes else []
    cells = [_cell(image, index, arguments, boxes) for index, image in _frames(arguments)]
    if not cells:
        raise SystemExit(f"{arguments.clip}: has none of these frames")
    arguments.out.parent.mkdir(parents=True, exist_ok=True)
    _, content = cv2.imencode(".png", _sheet(cells, arguments.columns))
    with replacing(arguments.out, overwrite=True, is_private=True) as file:
        file.write_bytes(content.tobytes())
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("clip", type=Path)
    parser.add_argument("out", type=Path)
    parser.add_argument("--every", type=int, default=10, metavar="N", help="every Nth frame")
    parser.add_argument("--frames", type=_numbers, metavar="A,B,...", help="these frames instead")
    parser.add_argument("--crop", type=_numbers, metavar="X,Y,W,H", help="part of the frame")
    parser.add_argument("--scale", type=float, default=1.0, metavar="S")
    parser.add_argument("--columns", type=int, default=3, metavar="C")
    parser.add_argument("--grid", type=int, default=50, metavar="PX", help="0: no grid")
    parser.add_argument("--boxes", type=Path, metavar="KEY_FRAMES.csv")
    return parser


def _numbers(text: str) -> list[int]:
    return [int(word) for word in text.split(",")]


def _frames(arguments: argparse.Namespace) -> Iterator[tuple[int, Image]]:
    with av.open(arguments.clip) as source:
        for index, frame in enumerate(source.decode(video=0)):
            wanted = arguments.frames
            if index in wanted if wanted else index % arguments.every == 0:
                yield index, frame.to_ndarray(format="bgr24")


def _cell(
    image: Image, index: int, arguments: argparse.Namespace, boxes: list[Annotation]
) -> Image:
    x, y, width, height = arguments.crop or (0, 0, image.shape[1], image.shape[0])
    scale = arguments.scale
    crop = image[y : y + height, x : x + width]
    cell = cv2.resize(crop, None, fx=scale, fy=scale, interpolation=cv2.INTER_CUBIC)
    grid = arguments.grid
    for left in range(-(-x // grid) * grid, x + width, grid) if grid else ():
        at = round((left - x) * scale)
        cv2.line(cell, (at, 0), (at, cell.shape[0]), LINE, 1)
        cv2.putText(cell, str(left), (at + 1, 10), FONT, FONT_SCALE, TEXT, 1)
    for top in range(-(-y // grid) * grid, y + height, grid) if grid else ():
        at = round((top - y) * scale)
        cv2.line(cell, (0, at), (cell.shape[1], at), LINE, 1)
        cv2.putText(cell, str(top), (1, at - 1), FONT, FONT_SCALE, TEXT, 1)
    for box in boxes:
        if box.frame == index:
            color = FACE_COLOR if box.is_face else HEAD_COLOR
            left, top = round((box.x - x) * scale), round((box.y - y) * scale)
            size = round(box.w * scale), round(box.h * scale)
            cv2.rectangle(cell, (left, top, *size), color, 1)
            cv2.putText(cell, box.track, (left, top - 2), FONT, FONT_SCALE, color, 1)
    cv2.putText(cell, f"f{index}", (cell.shape[1] - 50, cell.shape[0] - 6), FONT, 0.6, TEXT, 2)
    return np.asarray(cell, np.uint8)


def _sheet(cells: list[Image], columns: int) -> Image:
    """Return the cells, all of one size, in rows."""
    while len(cells) % columns:
        cells.append(np.zeros_like(cells[0]))
    rows = [np.hstack(cells[start : start + columns]) for start in range(0, len(cells), columns)]
    return np.asarray(np.vstack(rows), np.uint8)


if __name__ == "__main__":
    sys.exit(main())
