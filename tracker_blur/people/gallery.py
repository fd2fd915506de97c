"""The gallery: the people in a folder of photos.

Photos in a folder of their own are one person's, who has the folder's name. Of those next to each
other, the ones that are alike are. A photo that does not show exactly one good face is not used, or
stops the run where someone would not be hidden without it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from tracker_blur.core.frame import view_size
from tracker_blur.errors import SettingsError, SourceError, reason_of
from tracker_blur.files.paths import is_image, is_media, why_not_read
from tracker_blur.images.reader import ImageReader
from tracker_blur.people.grouping import grouped
from tracker_blur.tracking.stills import detect_still

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from tracker_blur.core.box import Box
    from tracker_blur.people.embedders import Thresholds, Vectors
    from tracker_blur.people.samples import FaceReader
    from tracker_blur.tracking.detector_bundle import ClassDetector

_LONGEST_PX = 2048  # a larger photo is reduced: its face is large enough
_MOST_PHOTOS = 2000
_LARGER = 1.2
"""A face that is not seen well may be the one that is meant if it is this many times as large."""


@dataclass(frozen=True, eq=False)
class KnownPerson:
    """A person in the photos.

    Attributes:
        name: That of the person's folder, or of the first photo.
        vectors: The embeddings of the photos, shape (n, 128).
    """

    name: str
    vectors: Vectors

    @property
    def mean(self) -> Vectors:
        """The mean of the photos' embeddings, at length 1, shape (128,)."""
        mean = self.vectors.mean(axis=0)
        return np.asarray(mean / np.linalg.norm(mean), np.float32)


@dataclass(frozen=True, eq=False)
class Gallery:
    """The people of a folder of photos.

    Attributes:
        people: By name; at least one.
        unused: What is wrong with photos that are not used, a line each.
    """

    people: tuple[KnownPerson, ...]
    unused: tuple[str, ...] = ()


def check_photos(folder: Path, *, needs_all: bool) -> None:
    """Check that a folder has photos, which needs no network; raises as `read_gallery` does."""
    _photos(folder, needs_all=needs_all)


def read_gallery(
    folder: Path,
    detector: ClassDetector,
    reader: FaceReader,
    max_megapixels: float,
    *,
    needs_all: bool,
) -> Gallery:
    """Return the people of a folder of photos.

    Args:
        folder: The folder.
        detector: Detects faces.
        reader: Embeds them.
        max_megapixels: The most pixels of a photo, in millions.
        needs_all: Whether each photo that is not in a person's own folder must be of use: if it is
            not, whoever it shows would not be known.

    Raises:
        SettingsError: There is no such folder, it has no photos, or those of one person differ.
        SourceError: A photo cannot be read, or does not show exactly one face that is good: one
            that is needed, or all of a person.
        ModelError: A network fails.
    """
    own, ungrouped, unused = _photos(folder, needs_all=needs_all)
    thresholds = reader.embedder.thresholds

    def vectors(photos: Sequence[Path], *, are_needed: bool) -> dict[Path, Vectors]:
        found: dict[Path, Vectors] = {}
        problem: SourceError | None = None
        for photo in photos:
            try:
                found[photo] = _vector(photo, detector, reader, max_megapixels)
            except _UnusedError as error:
                problem = error
                unused.append(str(error))
                if are_needed:
                    raise
        if problem is not None and not found:
            raise problem
        return found

    people = [
        _person(name, vectors(photos, are_needed=False), thresholds) for name, photos in own.items()
    ]
    loose = list(vectors(ungrouped, are_needed=needs_all).items()) if ungrouped else []
    rows = {number: vector[None] for number, (_, vector) in enumerate(loose)}
    for group, _ in grouped(rows, (), thresholds.same):
        people.append(KnownPerson(loose[group[0]][0].stem, np.stack([loose[n][1] for n in group])))
    return Gallery(tuple(sorted(people, key=lambda person: person.name)), tuple(unused))


class _UnusedError(SourceError):
    """A photo does not show exactly one recognizable face."""


def _photos(
    folder: Path, *, needs_all: bool
) -> tuple[dict[str, list[Path]], list[Path], list[str]]:
    """Return the photos of each subfolder, those next to them, in order, and what is not used."""
    unused: list[str] = []
    try:
        entries = _entries(folder)
        own = {
            entry.name: _images(_entries(entry), needs_all, unused, has_folders=False)
            for entry in entries
            if entry.is_dir()
        }
        ungrouped = _images(entries, needs_all, unused, has_folders=True)
    except FileNotFoundError as error:
        raise SettingsError(f"{folder}: no such folder of photos: check the name") from error
    except OSError as error:
        raise SettingsError(
            f"{folder}: is no folder of photos that can be read ({reason_of(error)}): give a "
            "folder with photos of the people"
        ) from error
    count = len(ungrouped) + sum(map(len, own.values()))
    if not count:
        raise SettingsError(f"{folder}: has no photos: put one or more of each person there")
    if count > _MOST_PHOTOS:
        raise SettingsError(f"{folder}: has {count} photos: give at most {_MOST_PHOTOS}")
    for name in [name for name, photos in own.items() if not photos]:
        problem = f"{folder / name}: has no photos: put some of that person there, or remove it"
        if needs_all:
            raise SettingsError(problem)
        unused.append(problem)
        del own[name]
    return own, ungrouped, unused


def _entries(folder: Path) -> list[Path]:
    return sorted(entry for entry in folder.iterdir() if not entry.name.startswith("."))


def _images(
    entries: Sequence[Path], needs_all: bool, unused: list[str], *, has_folders: bool
) -> list[Path]:
    """Return the photos among the entries of a folder, and add the others to `unused`.

    What may be a photo all the same is an error where all are needed, and so is a folder, unless
    there may be some.
    """
    images = []
    for entry in entries:
        if entry.is_dir():
            if not has_folders:
                raise SettingsError(
                    f"{entry}: is a folder in a person's folder, and is not read: move its photos "
                    "up, or out of it"
                )
            continue
        if is_image(entry) and entry.is_file():
            images.append(entry)
            continue
        if entry.is_file() and is_media(entry):
            raise SettingsError(f"{entry}: is a video: give photos of the people")
        problem = f"{entry}: is no photo that can be read: give a JPEG or PNG, or remove it"
        if needs_all and (why_not_read(entry) is not None or not entry.is_file()):
            raise SettingsError(problem)
        unused.append(problem)
    return images


def _vector(
    photo: Path, detector: ClassDetector, reader: FaceReader, max_megapixels: float
) -> Vectors:
    """Return the embedding of the only good face of a photo, shape (128,)."""
    images = ImageReader(photo, max_megapixels=max_megapixels)
    frame = next(iter(images))
    size = view_size(frame.size, _LONGEST_PX)
    ratios = size[0] / frame.size[0], size[1] / frame.size[1]
    boxes = [one.box.scaled(*ratios) for one in detect_still(detector, frame)]
    vectors = reader.vectors(frame.view(size), boxes)
    found = [
        (vector, box) for vector, box in zip(vectors, boxes, strict=True) if vector is not None
    ]
    if len(found) == 1:
        ((face, place),) = found
        if any(_outranks(box, place) for box in boxes):
            raise _UnusedError(
                f"{photo}: shows a larger face than the one that is seen well: cut out the person "
                "who is meant, or leave it out"
            )
        return face
    if found:
        raise _UnusedError(
            f"{photo}: shows {len(found)} faces: cut out the person who is meant, or leave it out"
        )
    raise _UnusedError(f"{photo}: {_why_unknown(boxes, reader.parameters.min_face_px)}")


def _why_unknown(boxes: Sequence[Box], needed_px: float) -> str:
    """Return why no face of a photo is recognizable, and what to do."""
    if not boxes:
        return "shows no face: give another photo"
    largest_px = max(min(box.width, box.height) for box in boxes)
    if largest_px < needed_px:
        return (
            f"shows a face {largest_px:.0f} pixels wide, and it takes {needed_px:.0f} to tell who "
            "it is: give a larger photo"
        )
    return "shows a face that is turned away, covered or not sharp: give another photo"


def _outranks(box: Box, face: Box) -> bool:
    """Return whether a box is another face, so much larger that it may be who is meant."""
    is_another = not (box.left <= face.center[0] <= box.right) or not (
        box.top <= face.center[1] <= box.bottom
    )
    return is_another and box.size > _LARGER * face.size


def _person(name: str, photos: Mapping[Path, Vectors], thresholds: Thresholds) -> KnownPerson:
    """Return the person of a folder, whose photos must all be alike."""
    paths = list(photos)
    rows = {number: photos[path][None] for number, path in enumerate(paths)}
    groups = [group for group, _ in grouped(rows, (), thresholds.changed)]
    if len(groups) > 1:
        # A person whose mean is between two people would be either of them.
        odd = min(groups, key=lambda group: (len(group), -group[0]))
        raise SettingsError(
            f"{paths[odd[0]]}: may show another person than the other photos of {name}: remove it, "
            "or give each person a folder"
        )
    return KnownPerson(name, np.stack(list(photos.values())))
