"""The gallery: the people of whom a folder has photos.

Photos in a folder of their own are one person's, who has the folder's name. Of those beside each
other, the ones that are alike are. A photo that does not show exactly one good face is not used, or
stops the run where someone would not be hidden without it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from tracker_blur.core.frame import view_size
from tracker_blur.errors import SettingsError, SourceError, reason_of
from tracker_blur.files.paths import is_image, is_media
from tracker_blur.images.reader import ImageReader
from tracker_blur.people.grouping import grouped
from tracker_blur.tracking.stills import detect_still

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from tracker_blur.people.embedders import Thresholds, Vectors
    from tracker_blur.people.samples import FaceReader
    from tracker_blur.tracking.detector_bundle import ClassDetector

_LONGEST_PX = 2048  # a larger photo is reduced: its face is large enough
_MOST_PHOTOS = 2000


@dataclass(frozen=True, eq=False)
class KnownPerson:
    """A person of whom there are photos.

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
    own, beside = _photos(folder)
    thresholds = reader.embedder.thresholds
    unused: list[str] = []

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
    loose = list(vectors(beside, are_needed=needs_all).items()) if beside else []
    rows = {number: vector[None] for number, (_, vector) in enumerate(loose)}
    for group, _ in grouped(rows, (), thresholds.same):
        people.append(KnownPerson(loose[group[0]][0].stem, np.stack([loose[n][1] for n in group])))
    return Gallery(tuple(sorted(people, key=lambda person: person.name)), tuple(unused))


class _UnusedError(SourceError):
    """A photo does not show exactly one face that says who it is."""


def _photos(folder: Path) -> tuple[dict[str, list[Path]], list[Path]]:
    """Return the photos of each subfolder, and those beside them, in order."""
    try:
        entries = _entries(folder)
        own = {entry.name: _images(_entries(entry)) for entry in entries if entry.is_dir()}
    except FileNotFoundError as error:
        raise SettingsError(f"{folder}: no such folder of photos: check the name") from error
    except OSError as error:
        raise SettingsError(
            f"{folder}: is no folder of photos that can be read ({reason_of(error)}): give a "
            "folder with photos of the people"
        ) from error
    own = {name: photos for name, photos in own.items() if photos}
    beside = _images(entries)
    count = len(beside) + sum(map(len, own.values()))
    if not count:
        raise SettingsError(f"{folder}: has no photos: put one or more of each person there")
    if count > _MOST_PHOTOS:
        raise SettingsError(f"{folder}: has {count} photos: give at most {_MOST_PHOTOS}")
    return own, beside


def _entries(folder: Path) -> list[Path]:
    return sorted(entry for entry in folder.iterdir() if not entry.name.startswith("."))


def _images(entries: Sequence[Path]) -> list[Path]:
    for entry in entries:
        if entry.is_file() and is_media(entry) and not is_image(entry):
            raise SettingsError(f"{entry}: is a video: give photos of the people")
    return [entry for entry in entries if entry.is_file() and is_image(entry)]


def _vector(
    photo: Path, detector: ClassDetector, reader: FaceReader, max_megapixels: float
) -> Vectors:
    """Return the embedding of the only good face of a photo, shape (128,)."""
    images = ImageReader(photo, max_megapixels=max_megapixels)
    frame = next(iter(images))
    size = view_size(frame.size, _LONGEST_PX)
    ratios = size[0] / frame.size[0], size[1] / frame.size[1]
    boxes = [one.box.scaled(*ratios) for one in detect_still(detector, frame)]
    found = [vector for vector in reader.vectors(frame.view(size), boxes) if vector is not None]
    if len(found) == 1:
        return found[0]
    if found:
        raise _UnusedError(
            f"{photo}: shows {len(found)} faces: cut out the person who is meant, or leave it out"
        )
    raise _UnusedError(
        f"{photo}: shows no face that is large and sharp enough to tell who it is: give another "
        "photo"
    )


def _person(name: str, photos: Mapping[Path, Vectors], thresholds: Thresholds) -> KnownPerson:
    """Return the person of a folder, whose photos must be alike."""
    person = KnownPerson(name, np.stack(list(photos.values())))
    likeness = person.vectors @ person.vectors.T
    np.fill_diagonal(likeness, -1)
    if len(photos) > 1:
        for photo, nearest in zip(photos, likeness.max(axis=1).tolist(), strict=True):
            if nearest < thresholds.changed:
                raise SettingsError(
                    f"{photo}: may show another person than the other photos of {name}: remove it, "
                    "or give each person a folder"
                )
    return person
