"""The gallery: whose photos are whose, and what is no use."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import cv2
import numpy as np
import pytest
from PIL import ExifTags, Image

from tests.people.drawn_people import THRESHOLDS, face_of
from tracker_blur.core.box import Box, Detection
from tracker_blur.core.parameters import TrackingParameters
from tracker_blur.errors import SettingsError, SourceError
from tracker_blur.people.gallery import Gallery, read_gallery
from tracker_blur.people.parameters import PeopleParameters
from tracker_blur.tracking.detector_bundle import ClassDetector

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from tracker_blur.core import frame
    from tracker_blur.people.embedders import Vectors

FACE_BOX = Box(20, 20, 60, 70)


class Detector:
    """Sees a face in each corner that is not black."""

    default_confidence, low_confidence = 0.5, 0.3

    def detect(self, image: frame.Image, confidence: float) -> list[Detection]:
        ratio = image.shape[1] / 200
        places = [FACE_BOX, FACE_BOX.moved(100, 0)]
        return [
            Detection(place.scaled(ratio, ratio), 0.95)
            for place in places
            if image[round(45 * ratio), round(place.center[0] * ratio)].max() > 40
        ]


class Reader:
    """Takes the color of a face for who it is: red, green, blue."""

    class embedder:  # noqa: N801  # stands for an object
        thresholds = THRESHOLDS

    parameters = PeopleParameters()

    def vectors(self, image: frame.Image, boxes: Sequence[Box]) -> list[Vectors | None]:
        colors = [image[tuple(int(at) for at in box.center[::-1])] for box in boxes]
        return [None if color.min() > 200 else face_of(int(color.argmax())) for color in colors]


def photo(path: Path, *colors: tuple[int, int, int]) -> Path:
    """Write a photo with a face of each color, as BGR."""
    path.parent.mkdir(exist_ok=True, parents=True)
    image = np.zeros((100, 200, 3), np.uint8)
    for number, color in enumerate(colors):
        cv2.rectangle(image, (20 + 100 * number, 20), (60 + 100 * number, 70), color, -1)
    cv2.imwrite(str(path), image)
    return path


def read(
    folder: Path,
    *,
    needs_all: bool = True,
    seeing: Detector | None = None,
    reading: Reader | None = None,
) -> Gallery:
    """Return the gallery of a folder."""
    detector: Any = ClassDetector(
        label="face",
        detector=seeing or Detector(),
        new_redetector=lambda: None,  # type: ignore[arg-type, return-value]  # never called
        confidence=0.5,
        new_tracker=None,
        parameters=TrackingParameters(),
    )
    reader: Any = reading or Reader()
    return read_gallery(folder, detector, reader, 100, needs_all=needs_all)


def gallery(folder: Path, *, needs_all: bool = True) -> dict[str, int]:
    """Return the names of the people of a folder, and how many photos there are of each."""
    people = read(folder, needs_all=needs_all).people
    return {one.name: len(one.vectors) for one in people}


BLUE, GREEN, WHITE = (250, 0, 0), (0, 250, 0), (250, 250, 250)


def test_a_folder_is_one_person_and_photos_next_to_it_are_grouped(tmp_path: Path) -> None:
    photo(tmp_path / "anna" / "1.png", BLUE)
    photo(tmp_path / "anna" / "2.png", BLUE)
    photo(tmp_path / "ben 1.png", GREEN)
    photo(tmp_path / "ben 2.png", GREEN)
    photo(tmp_path / "carl.png", (0, 0, 250))
    (tmp_path / ".DS_Store").write_bytes(b"x")
    (tmp_path / "notes.txt").write_text("x")
    assert gallery(tmp_path) == {"anna": 2, "ben 1": 2, "carl": 1}


@pytest.mark.parametrize(
    ("faces", "problem"),
    [
        ((BLUE, GREEN), "shows 2 faces: cut out"),
        ((), "shows no face: give"),
        ((WHITE,), "shows a face that is turned away, covered or not sharp: give"),
    ],
)
def test_a_photo_shows_exactly_one_good_face(
    faces: tuple[tuple[int, int, int], ...], problem: str, tmp_path: Path
) -> None:
    photo(tmp_path / "a.png", *faces)
    with pytest.raises(SourceError, match=rf"a\.png: {problem}"):
        gallery(tmp_path)


def test_a_photo_with_a_tiny_face_is_reported_as_too_small(tmp_path: Path) -> None:
    large = cv2.imread(str(photo(tmp_path / "a.png", WHITE)))
    assert large is not None
    cv2.imwrite(str(tmp_path / "a.png"), cv2.resize(large, None, fx=0.5, fy=0.5))
    with pytest.raises(SourceError, match=r"a face 20 pixels wide, .*: give a larger photo"):
        gallery(tmp_path)


def test_a_photo_is_read_upright(tmp_path: Path) -> None:
    with Image.open(photo(tmp_path / "a.png", BLUE)) as image:
        lying = image.transpose(Image.Transpose.ROTATE_90)
    exif = Image.Exif()
    exif[ExifTags.Base.Orientation] = 6  # to be turned by 90 degrees clockwise
    lying.save(tmp_path / "a.jpg", exif=exif)
    (tmp_path / "a.png").unlink()
    assert gallery(tmp_path) == {"a": 1}


def test_where_no_one_is_shown_without_it_a_photo_of_no_use_is_left_out(tmp_path: Path) -> None:
    photo(tmp_path / "a.png", BLUE)
    photo(tmp_path / "b.png", BLUE, GREEN)
    found = read(tmp_path, needs_all=False)
    assert [(one.name, len(one.vectors)) for one in found.people] == [("a", 1)]
    (unused,) = found.unused
    assert unused.startswith(f"{tmp_path / 'b.png'}: shows 2 faces")
    with pytest.raises(SourceError, match=r"b\.png: shows 2 faces"):
        read(tmp_path, needs_all=True)


@pytest.mark.parametrize("needs_all", [True, False])
def test_a_person_with_a_folder_needs_one_photo_that_is_of_use(
    needs_all: bool, tmp_path: Path
) -> None:
    photo(tmp_path / "anna" / "1.png")
    photo(tmp_path / "anna" / "2.png", BLUE)
    found = read(tmp_path, needs_all=needs_all)
    assert [(one.name, len(one.vectors)) for one in found.people] == [("anna", 1)]
    assert len(found.unused) == 1
    photo(tmp_path / "ben" / "1.png")
    with pytest.raises(SourceError, match=r"1\.png: shows no face"):
        read(tmp_path, needs_all=needs_all)


def test_a_bystander_who_is_no_good_face_does_no_harm(tmp_path: Path) -> None:
    photo(tmp_path / "a.png", BLUE, WHITE)
    assert gallery(tmp_path) == {"a": 1}


def test_photos_of_two_people_in_one_folder_are_refused(tmp_path: Path) -> None:
    photo(tmp_path / "anna" / "1.png", BLUE)
    photo(tmp_path / "anna" / "2.png", BLUE)
    photo(tmp_path / "anna" / "3.png", GREEN)
    with pytest.raises(SettingsError, match=r"3\.png: may show another person than the other"):
        gallery(tmp_path)


def test_two_photos_of_one_person_and_two_of_another_are_no_person(tmp_path: Path) -> None:
    for number, color in enumerate((BLUE, BLUE, GREEN, GREEN)):
        photo(tmp_path / "anna" / f"{number}.png", color)
    with pytest.raises(SettingsError, match=r"may show another person than the other photos of an"):
        gallery(tmp_path)


@pytest.mark.parametrize("needs_all", [True, False])
def test_photos_in_a_folder_of_a_persons_folder_are_not_passed_over(
    needs_all: bool, tmp_path: Path
) -> None:
    photo(tmp_path / "anna" / "1.png", BLUE)
    photo(tmp_path / "anna" / "old" / "2.png", GREEN)
    with pytest.raises(SettingsError, match=r"old: is a folder in a person's folder"):
        gallery(tmp_path, needs_all=needs_all)


def test_a_person_whose_folder_has_no_photos_would_not_be_hidden(tmp_path: Path) -> None:
    photo(tmp_path / "anna" / "1.png", BLUE)
    (tmp_path / "ben").mkdir()
    with pytest.raises(SettingsError, match="ben: has no photos"):
        read(tmp_path)
    found = read(tmp_path, needs_all=False)
    assert [one.name for one in found.people] == ["anna"]
    assert ["ben: has no photos" in line for line in found.unused] == [True]


@pytest.mark.parametrize("name", ["2.cr2", "2.jpg"])
def test_a_photo_that_cannot_be_read_here_is_not_passed_over(name: str, tmp_path: Path) -> None:
    photo(tmp_path / "anna" / "1.png", BLUE)
    if name.endswith("jpg"):
        (tmp_path / "anna" / name).symlink_to(tmp_path / "missing.jpg")
    else:
        (tmp_path / "anna" / name).write_bytes(b"raw")
    with pytest.raises(SettingsError, match=rf"{name}: is no photo that can be read"):
        read(tmp_path)
    found = read(tmp_path, needs_all=False)
    assert [name in line for line in found.unused] == [True]


def test_a_bystander_does_not_stand_for_a_larger_face_in_profile(tmp_path: Path) -> None:
    place = Box(5, 5, 95, 95)

    class Profile(Reader):
        def vectors(self, image: frame.Image, boxes: Sequence[Box]) -> list[Vectors | None]:
            return [None if box.size > 80 else face_of(0) for box in boxes]

    class Large(Detector):
        def detect(self, image: frame.Image, confidence: float) -> list[Detection]:
            ratio = image.shape[1] / 200
            places = (place, FACE_BOX.moved(100, 0))
            return [Detection(one.scaled(ratio, ratio), 0.95) for one in places]

    photo(tmp_path / "a.png", BLUE, BLUE)
    with pytest.raises(SourceError, match=r"a\.png: shows a larger face than the one"):
        read(tmp_path, seeing=Large(), reading=Profile())


def test_folders_without_photos_are_refused(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="no such folder of photos"):
        gallery(tmp_path / "missing")
    (tmp_path / "empty").mkdir()
    with pytest.raises(SettingsError, match="has no photos"):
        gallery(tmp_path)
    with pytest.raises(SettingsError, match="is no folder of photos"):
        gallery(photo(tmp_path / "a.png", BLUE))
    (tmp_path / "clip.mp4").write_bytes(b"x")
    with pytest.raises(SettingsError, match=r"clip\.mp4: is a video"):
        gallery(tmp_path)


def test_what_is_no_photo_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "a.jpg").write_bytes(b"no photo")
    with pytest.raises(SourceError, match=r"a\.jpg"):
        gallery(tmp_path)
