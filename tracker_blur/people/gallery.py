"""The gallery: the people of whom a folder has photos.

Photos in a folder of their own are one person's, who has the folder's name. Of those beside each
other, the ones that are alike are. In doubt, reading stops: whoever is taken for someone else here
would be shown, or not be hidden.
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
_MOST_PHOTOS = 1000


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


def read_gallery(
    folder: Path, detector: ClassDetector, reader: FaceReader, max_megapixels: float
) -> tuple[KnownPerson, ...]:
    """Return the people of a folder of photos, by name; at least one.

    Args:
        folder: The folder.
        detector: Detects faces.
        reader: Embeds them.
        max_megapixels: The most pixels of a photo, in millions.

    Raises:
        SettingsError: There is no such folder, it has no photos, or those of one person differ.
        SourceError: A photo cannot be read, or shows not exactly one face that is good.
        ModelError: A network fails.
    """
    own, beside = _photos(folder)

    def vectors(photos: Sequence[Path]) -> dict[Path, Vectors]:
        return {photo: _vector(photo, detector, reader, max_megapixels) for photo in photos}

    thresholds = reader.embedder.thresholds
    people = [_person(name, vectors(photos), thresholds) for name, photos in own.items()]
    loose = list(vectors(beside).items())
    rows = {number: vector[None] for number, (_, vector) in enumerate(loose)}
    for group, _ in grouped(rows, (), thresholds.same):
        people.append(KnownPerson(loose[group[0]][0].stem, np.stack([loose[n][1] for n in group])))
    return tuple(sorted(people, key=lambda person: person.name))


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
        raise SourceError(
            f"{photo}: shows {len(found)} faces: cut out the person who is meant, or leave it out"
        )
    raise SourceError(
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
