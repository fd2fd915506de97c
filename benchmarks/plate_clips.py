"""Clips of license plates with their true boxes: a camera moves over annotated scenes.

A canvas is nine scenes, three by three, each with a labeled plate. The camera shows a part of it
and moves as its shot says. A frame is the average of several moments of an open shutter, so what
moves fast is blurred, and has the noise of a sensor.
"""

from __future__ import annotations

import csv
from dataclasses import dataclass
from fractions import Fraction
from typing import TYPE_CHECKING, NamedTuple

import av
import cv2
import numpy as np
import numpy.typing as npt

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from pathlib import Path

RATE = 25
SUB_FRAMES = 7
SHUTTER_SHARE = 0.5  # of the time of a frame
NOISE = 3.0  # standard deviation, in levels of 0 to 255
TILE = 400, 300  # (width, height) of a scene in a canvas, in pixels
TILES = 3  # in a row, and in a column
INSIDE_SHARE = 0.5  # of a plate must be in the frame for it to be in the truth
SMALLEST_PX = 6.0  # height of a plate in a frame of 640 pixels; no one reads a smaller one
CRF = "20"

Image = npt.NDArray[np.uint8]


class Plate(NamedTuple):
    """A true plate; x, y, width and height in pixels."""

    number: int
    x: float
    y: float
    w: float
    h: float


class Scene(NamedTuple):
    """An image and its plates."""

    image: Image
    plates: tuple[Plate, ...]


class View(NamedTuple):
    """What the camera shows: its center and its width, as shares of the canvas."""

    x: float
    y: float
    width: float


@dataclass(frozen=True)
class Shot:
    """A path of the camera.

    Attributes:
        name: For tables.
        views: Where it is at equal intervals; in a straight line between them.
        frames: How many there are.
    """

    name: str
    views: tuple[View, ...]
    frames: int

    def at(self, frame: float) -> View:
        """Return the view at a moment, in frames."""
        place = min(1.0, max(0.0, frame / (self.frames - 1))) * (len(self.views) - 1)
        x, y, width = (
            float(np.interp(place, range(len(self.views)), axis))
            for axis in zip(*self.views, strict=True)
        )
        return View(x, y, width)


SHOTS = (
    Shot("standing", (View(0.16, 0.16, 0.34), View(0.17, 0.16, 0.34)), 30),
    Shot("approaching", (View(0.5, 0.5, 0.9), View(0.5, 0.5, 0.28)), 50),
    Shot("panning", (View(0.3, 0.25, 0.4), View(0.7, 0.25, 0.4), View(0.7, 0.7, 0.4)), 60),
    Shot("passing", (View(0.2, 0.5, 0.28), View(0.8, 0.5, 0.28), View(0.2, 0.8, 0.28)), 70),
    Shot("far", (View(0.49, 0.5, 0.95), View(0.51, 0.5, 0.95)), 30),
)
"""A camera that stands, one that comes closer, one that pans by five sixths of its width a second,
one past which vehicles drive at one and a half times its width a second, and many small plates."""


def read_scenes(plates: Path, folder: str) -> list[Scene]:
    """Return the scenes of a folder, in the order of `labels.csv` in the folder above it."""
    with (plates / "labels.csv").open(newline="") as lines:
        rows = [row for row in csv.DictReader(lines) if row["file"].startswith(f"{folder}/")]
    scenes = []
    for row in rows:
        image = cv2.imread(str(plates / row["file"]))
        if image is None:
            raise SystemExit(f"{plates / row['file']}: cannot be read")
        boxes = [map(float, box.split()) for box in row["boxes"].split(";") if box.strip()]
        truth = tuple(Plate(0, x, y, right - x, low - y) for x, y, right, low in boxes)
        scenes.append(Scene(np.asarray(image, np.uint8), truth))
    return scenes


def canvas(scenes: Sequence[Scene]) -> Scene:
    """Return nine scenes as one; their plates are numbered."""
    width, height = TILE
    image = np.zeros((TILES * height, TILES * width, 3), np.uint8)
    plates: list[Plate] = []
    for index, scene in enumerate(scenes[: TILES**2]):
        row, column = divmod(index, TILES)
        left, top = column * width, row * height
        tile = _tile(scene)
        image[top : top + height, left : left + width] = tile.image
        plates += [
            plate._replace(number=len(plates) + number, x=plate.x + left, y=plate.y + top)
            for number, plate in enumerate(tile.plates)
        ]
    return Scene(image, tuple(plates))


def _tile(scene: Scene) -> Scene:
    """Return a scene scaled and cropped to the size of a tile, around its first plate."""
    width, height = TILE
    rows, columns = scene.image.shape[:2]
    ratio = max(width / columns, height / rows)
    size = max(width, round(columns * ratio)), max(height, round(rows * ratio))
    image = cv2.resize(scene.image, size, interpolation=cv2.INTER_LINEAR)
    first = scene.plates[0]
    left = round(min(max(0, (first.x + first.w / 2) * ratio - width / 2), size[0] - width))
    top = round(min(max(0, (first.y + first.h / 2) * ratio - height / 2), size[1] - height))
    plates = tuple(
        Plate(number, x * ratio - left, y * ratio - top, w * ratio, h * ratio)
        for number, x, y, w, h in scene.plates
    )
    return Scene(np.asarray(image[top : top + height, left : left + width], np.uint8), plates)


def frames(whole: Scene, shot: Shot, size: tuple[int, int], seed: int) -> Iterator[Scene]:
    """Yield the frames of a shot over a canvas, each with the plates that are in it.

    Args:
        whole: The canvas.
        shot: The path of the camera.
        size: (width, height) of the frames.
        seed: Of the noise.
    """
    noise = np.random.default_rng(seed)
    moments = np.linspace(-SHUTTER_SHARE / 2, SHUTTER_SHARE / 2, SUB_FRAMES)
    for frame in range(shot.frames):
        exposures = [_seen(whole, shot.at(frame + moment), size) for moment in moments]
        image = np.mean(exposures, 0) + noise.normal(0, NOISE, (size[1], size[0], 3))
        plates = tuple(_plates_in(whole, shot.at(frame), size))
        yield Scene(np.clip(image, 0, 255).astype(np.uint8), plates)


def _window(whole: Scene, view: View, size: tuple[int, int]) -> tuple[float, float, float]:
    """Return (left, top, scale) of a view, which stays inside the canvas."""
    rows, columns = whole.image.shape[:2]
    width = min(view.width * columns, rows * size[0] / size[1])
    height = width * size[1] / size[0]
    left = min(max(0.0, view.x * columns - width / 2), columns - width)
    top = min(max(0.0, view.y * rows - height / 2), rows - height)
    return left, top, size[0] / width


def _seen(whole: Scene, view: View, size: tuple[int, int]) -> Image:
    left, top, scale = _window(whole, view, size)
    motion = np.array([[scale, 0, -left * scale], [0, scale, -top * scale]])
    flags = cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR
    return np.asarray(
        cv2.warpAffine(whole.image, motion, size, flags=flags, borderMode=cv2.BORDER_REPLICATE),
        np.uint8,
    )


def _plates_in(whole: Scene, view: View, size: tuple[int, int]) -> Iterator[Plate]:
    left, top, scale = _window(whole, view, size)
    for plate in whole.plates:
        x, y = (plate.x - left) * scale, (plate.y - top) * scale
        w, h = plate.w * scale, plate.h * scale
        inside = _overlap(x, w, size[0]) * _overlap(y, h, size[1])
        if inside >= INSIDE_SHARE * w * h and h >= SMALLEST_PX * size[0] / 640:
            yield Plate(plate.number, x, y, w, h)


def _overlap(start: float, length: float, end: float) -> float:
    return max(0.0, min(end, start + length) - max(0.0, start))


def write_clip(target: Path, images: Iterable[Image], size: tuple[int, int]) -> None:
    """Write frames as H.264."""
    with av.open(str(target), "w") as container:
        options = {"crf": CRF, "preset": "veryfast"}
        stream = container.add_stream("libx264", rate=RATE, options=options)
        stream.width, stream.height, stream.pix_fmt = *size, "yuv420p"
        stream.codec_context.time_base = Fraction(1, RATE)
        for image in images:
            container.mux(stream.encode(av.VideoFrame.from_ndarray(image, format="bgr24")))
        container.mux(stream.encode(None))
