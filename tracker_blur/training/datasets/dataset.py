"""An annotated dataset as every layout is read into it, with the checks that all layouts share."""

from __future__ import annotations

import math
import os
import warnings
import zlib
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING

from PIL import Image as Pillow
from PIL import UnidentifiedImageError

from tracker_blur.errors import SourceError, reason_of
from tracker_blur.images import exif
from tracker_blur.images.reader import ImageReader
from tracker_blur.text import counted

if TYPE_CHECKING:
    from collections.abc import Iterable

    from tracker_blur.core.box import Box
    from tracker_blur.core.frame import Image

IMAGE_SUFFIXES = frozenset(
    {".jpg", ".jpeg", ".png", ".bmp", ".webp", ".tif", ".tiff", ".avif", ".heic", ".heif"}
)

_TOLERANCE_PX = 2.0  # annotation tools round boxes at the border outward
_SMALLEST_PX = 0.5
_VALIDATION_PER_THOUSAND = 80


@dataclass(frozen=True, slots=True)
class AnnotatedImage:
    """An image file and the objects labeled in it.

    Attributes:
        path: The image file.
        size: Width and height of the upright image, in pixels.
        objects: Class name and box of each object, in pixels, inside the image.
        ignored: Regions that may hold more objects. Nothing in them is scored.
        is_empty: Whether the labels say that it shows no object; otherwise, it may.
        certainties: How certain the objects are that people did not label, up to 1, in order: the
            last of `objects`.
    """

    path: Path
    size: tuple[int, int]
    objects: tuple[tuple[str, Box], ...]
    ignored: tuple[Box, ...] = ()
    is_empty: bool = False
    certainties: tuple[float, ...] = ()


@dataclass(frozen=True, slots=True)
class Dataset:
    """Annotated images by split.

    Attributes:
        folder: The folder that the dataset was read from.
        classes: The class names, in the order of their numbers.
        splits: The images of "train", "val" and "test", as far as the dataset has them.
        skipped: How many images, label files or splits were skipped, by what they are.
    """

    folder: Path
    classes: tuple[str, ...]
    splits: dict[str, tuple[AnnotatedImage, ...]]
    skipped: dict[str, int] = field(default_factory=dict)


def with_validation(dataset: Dataset) -> Dataset:
    """Return the dataset with a split "val": where it has none, 8 % of "train" become it.

    A hash of the file name decides, so an image stays in its split when others are added. At least
    one image is set aside. A dataset with fewer than two images is returned unchanged.
    """
    images = dataset.splits.get("train", ())
    hashes = {image.path: _name_hash(image, dataset.folder) for image in images}
    if "val" in dataset.splits or len(hashes) < 2:
        return dataset
    chosen = {path for path, value in hashes.items() if value % 1000 < _VALIDATION_PER_THOUSAND}
    if len(chosen) in (0, len(hashes)):
        chosen = {min(hashes, key=hashes.__getitem__)}
    train = tuple(image for image in images if image.path not in chosen)
    val = tuple(image for image in images if image.path in chosen)
    return replace(dataset, splits=dataset.splits | {"train": train, "val": val})


def _name_hash(image: AnnotatedImage, folder: Path) -> int:
    name = Path(os.path.relpath(image.path, folder)).as_posix()
    return zlib.crc32(name.encode())


def check_images(folder: Path, images: Iterable[AnnotatedImage]) -> None:
    """Decode all images; raises SourceError when some cannot be read to their end."""
    problems = Problems(folder)
    for image in images:
        try:
            read_image(image.path)
        except SourceError as error:
            problems.add(str(error))
    problems.raise_any()


def read_image(path: Path) -> Image:
    """Return an image as upright BGR, decoded as it is for redaction.

    Raises:
        SourceError: The file cannot be read to its end.
    """
    with ImageReader(path) as source:
        frame = next(iter(source))
    return frame.view(frame.size)


class Problems:
    """Collects the problems of a dataset, so that one error reports them together."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._messages: list[str] = []

    def add(self, message: str) -> None:
        """Note a problem."""
        self._messages.append(message)

    def raise_any(self) -> None:
        """Raise SourceError with the first problem and the number of others, if there are any."""
        if not self._messages:
            return
        first, *others = self._messages
        more = f" (and {counted(len(others), 'more problem')})" if others else ""
        raise SourceError(f"{self._folder}: {first}{more}")

    def relative(self, file: Path) -> str:
        """Return a file's path relative to the dataset, or its whole path if it lies elsewhere."""
        inside = file.is_relative_to(self._folder)
        return (file.relative_to(self._folder) if inside else file).as_posix()

    def clipped_box(self, box: Box, size: tuple[int, int], where: str) -> Box | None:
        """Return a box clipped to its image; note a problem and return None if it is invalid."""
        width, height = size
        beyond = (-box.left, -box.top, box.right - width, box.bottom - height)
        if not math.isfinite(sum(box.as_tuple())):
            self.add(f"{where}: a side of the box is not a finite number")
        elif max(beyond) > _TOLERANCE_PX:
            sides = " ".join(f"{side:g}" for side in box.as_tuple())
            self.add(
                f"{where}: the box {sides} extends beyond its image of {width}x{height} pixels"
            )
        else:
            clipped = box.clipped(width, height)
            if min(clipped.width, clipped.height) >= _SMALLEST_PX:
                return clipped
            self.add(f"{where}: the box is empty")
        return None

    def image_size(self, path: Path) -> tuple[int, int] | None:
        """Return an image's upright size from its header; note a problem and return None if bad."""
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                with Pillow.open(path) as image:
                    width, height = image.size
                    # As `read_image` turns it; Pillow has turned the pages of a TIFF already.
                    is_turned = exif.parse(image.info.get("exif")).get(0x0112, 1) in range(5, 9)
            return (height, width) if is_turned else (width, height)
        except FileNotFoundError:
            self.add(f"{path}: this image is missing")
        except UnidentifiedImageError:
            self.add(f"{path}: cannot read this image (not an image of a known format)")
        except (OSError, ValueError, Pillow.DecompressionBombError) as error:
            self.add(f"{path}: cannot read this image ({reason_of(error)})")
        return None


def build_dataset(
    folder: Path,
    classes: Iterable[str],
    splits: dict[str, list[AnnotatedImage]],
    problems: Problems,
    skipped: dict[str, int] | None = None,
) -> Dataset:
    """Return the dataset; raises SourceError for its problems, an empty split, or no classes."""
    names = tuple(classes)
    for name, images in splits.items():
        if not images:
            problems.add(f"the split '{name}' has no images")
    problems.raise_any()
    if not names:
        raise SourceError(f"{folder}: no object is labeled in this dataset: draw boxes first")
    tuples = {name: tuple(images) for name, images in splits.items()}
    return Dataset(folder, names, tuples, skipped or {})


def images_in(folder: Path) -> list[Path]:
    """Return the image files in a folder and its subfolders, sorted."""
    return sorted(
        path
        for path in folder.rglob("*")
        if path.suffix.lower() in IMAGE_SUFFIXES and path.is_file()
    )


def split_from_name(name: str) -> str | None:
    """Return the split that a folder or file name stands for; None for any other name."""
    known = {"train": "train", "val": "val", "valid": "val", "validation": "val", "test": "test"}
    return known.get(name.lower())
