"""What every layout is read into, and the checks that are the same for all of them.

Sets pictures aside to validate on, where a data set does not say which.
"""

from __future__ import annotations

import math
import os
import warnings
import zlib
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from pathlib import Path

from PIL import Image as Pillow

from tracker_blur.core.box import Box
from tracker_blur.core.frame import Image
from tracker_blur.errors import SourceError
from tracker_blur.images.exif import loaded
from tracker_blur.images.reader import ImageReader

PICTURE_ENDINGS = frozenset({".jpg", ".jpeg", ".png", ".bmp", ".webp", ".tif", ".tiff"})
_TOLERANCE_PX = 2.0  # tools round boxes at the border outward
_SMALLEST_PX = 0.5


@dataclass(frozen=True, slots=True)
class Annotated:
    """A picture and what is in it.

    path     of the picture
    size     width and height in pixels, upright
    things   class name and box, in pixels, within the picture
    ignored  regions that may hold more; nothing in them is judged
    """

    path: Path
    size: tuple[int, int]
    things: tuple[tuple[str, Box], ...]
    ignored: tuple[Box, ...] = ()


@dataclass(frozen=True, slots=True)
class Dataset:
    """Annotated pictures by split ("train", "val", "test").

    classes   the names that boxes may have, in their numbers' order
    left_out  how many pictures, files of labels or splits were left out, by what they are
    """

    folder: Path
    classes: tuple[str, ...]
    splits: dict[str, tuple[Annotated, ...]]
    left_out: dict[str, int] = field(default_factory=dict)


class Problems:
    """Collects what is wrong with a data set, to tell it at once."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._found: list[str] = []

    def add(self, what: str) -> None:
        """Note a problem."""
        self._found.append(what)

    def named(self, file: Path) -> str:
        """Return a file's path from the data set's folder, the whole one of a file elsewhere."""
        inside = file.is_relative_to(self._folder)
        return (file.relative_to(self._folder) if inside else file).as_posix()

    def raise_any(self) -> None:
        """Raise SourceError if any problem was noted."""
        if not self._found:
            return
        first, *others = self._found
        plural = "s" if len(others) > 1 else ""
        more = f" (and {len(others)} more problem{plural})" if others else ""
        raise SourceError(f"{self._folder}: {first}{more}")

    def box(self, box: Box, size: tuple[int, int], where: str) -> Box | None:
        """Return a box cut to its picture; None, and a problem, where that makes no sense."""
        width, height = size
        beyond = (-box.left, -box.top, box.right - width, box.bottom - height)
        if not math.isfinite(sum(box.as_tuple())):
            self.add(f"{where}: a box that is no numbers")
        elif max(beyond) > _TOLERANCE_PX:
            sides = " ".join(f"{side:g}" for side in box.as_tuple())
            self.add(f"{where}: box {sides} lies outside its picture of {width}x{height} pixels")
        else:
            cut = box.clipped(width, height)
            if min(cut.width, cut.height) >= _SMALLEST_PX:
                return cut
            self.add(f"{where}: an empty box")
        return None

    def size(self, picture: Path) -> tuple[int, int] | None:
        """Return a picture's upright size, from its header; None, and a problem, if it has none."""
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                with Pillow.open(picture) as image:
                    width, height = image.size
                    # As `read_picture` turns it; Pillow has turned the pages of a TIFF already.
                    turned = loaded(image.info.get("exif")).get(0x0112, 1) in range(5, 9)
            return (height, width) if turned else (width, height)
        except FileNotFoundError:
            self.add(f"{picture}: this picture is missing")
        except (OSError, ValueError, Pillow.DecompressionBombError) as error:
            self.add(f"{picture}: cannot read this picture ({error})")
        return None


def finished(
    folder: Path,
    classes: Iterable[str],
    splits: dict[str, list[Annotated]],
    problems: Problems,
    left_out: dict[str, int] | None = None,
) -> Dataset:
    """Return the data set; raises SourceError for its problems, empty splits, no classes at all."""
    names = tuple(classes)
    for name, pictures in splits.items():
        if not pictures:
            problems.add(f"the split '{name}' has no pictures")
    problems.raise_any()
    if not names:
        raise SourceError(f"{folder}: nothing is labelled in it: draw boxes first")
    return Dataset(
        folder,
        names,
        {name: tuple(pictures) for name, pictures in splits.items()},
        left_out or {},
    )


def pictures_in(folder: Path) -> list[Path]:
    """Return the pictures in a folder and its folders, sorted."""
    return sorted(
        path
        for path in folder.rglob("*")
        if path.suffix.lower() in PICTURE_ENDINGS and path.is_file()
    )


def split_named(name: str) -> str | None:
    """Return which split a folder or file of this name holds, None when the name tells nothing."""
    known = {"train": "train", "val": "val", "valid": "val", "validation": "val", "test": "test"}
    return known.get(name.lower())


def check_pictures(folder: Path, pictures: Iterable[Annotated]) -> None:
    """Raise SourceError for those of a data set's pictures that cannot be read to their ends."""
    problems = Problems(folder)
    for picture in pictures:
        try:
            read_picture(picture.path)
        except SourceError as error:
            problems.add(str(error))
    problems.raise_any()


def read_picture(path: Path) -> Image:
    """Return a picture as BGR, upright, as detectors see it when it is to be redacted.

    Raises SourceError when it cannot be read, or not to its end; MissingPackageError for HEIC.
    """
    with ImageReader(path) as source:
        frame = next(iter(source))
    return frame.view(frame.size)


_PER_THOUSAND = 80


def with_validation(dataset: Dataset) -> Dataset:
    """Return the data set with a split "val": where it has none, 8 % of "train" become it.

    Which ones is told by their names alone, so that a picture stays where it is when others are
    added. Of few pictures it is one at the least; a single one cannot be divided, and the data set
    is returned as it is.
    """
    pictures = dataset.splits.get("train", ())
    marks = {picture.path: _mark(picture, dataset.folder) for picture in pictures}
    if "val" in dataset.splits or len(marks) < 2:
        return dataset
    out = {path for path, mark in marks.items() if mark % 1000 < _PER_THOUSAND}
    if len(out) in (0, len(marks)):
        out = {min(marks, key=marks.__getitem__)}
    kept = tuple(picture for picture in pictures if picture.path not in out)
    held = tuple(picture for picture in pictures if picture.path in out)
    return replace(dataset, splits=dataset.splits | {"train": kept, "val": held})


def _mark(picture: Annotated, folder: Path) -> int:
    name = Path(os.path.relpath(picture.path, folder)).as_posix()
    return zlib.crc32(name.encode())
