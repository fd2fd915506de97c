"""Checks that all layouts share, reading images, and the validation split."""

from __future__ import annotations

import zlib
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image as Pillow

from tests.annotated_files import SIZE, disk_image, write_image, write_table
from tracker_blur.core.box import Box
from tracker_blur.errors import SourceError
from tracker_blur.training.datasets import AnnotatedImage, Dataset, read_dataset
from tracker_blur.training.datasets.dataset import read_image, with_validation

FOLDER = Path("/d")


def dataset(*names: str) -> Dataset:
    images = tuple(AnnotatedImage(FOLDER / name, SIZE, ()) for name in names)
    return Dataset(FOLDER, ("face",), {"train": images})


def test_the_split_depends_on_names_only() -> None:
    names = [f"a/{i}.jpg" for i in range(1000)]
    whole = with_validation(dataset(*names)).splits
    assert len(whole["train"]) + len(whole["val"]) == 1000
    assert 60 < len(whole["val"]) < 100
    assert set(with_validation(dataset(*names[::2])).splits["val"]) <= set(whole["val"])


def test_the_split_is_the_same_as_in_earlier_versions() -> None:
    names = [f"a/{i}.jpg" for i in range(200)]
    chosen = with_validation(dataset(*names)).splits["val"]
    expected = [name for name in names if zlib.crc32(name.encode()) % 1000 < 80]
    assert [image.path.relative_to(FOLDER).as_posix() for image in chosen] == expected


def test_images_may_lie_outside_the_dataset() -> None:
    names = [f"/elsewhere/{i}.jpg" for i in range(100)]
    assert with_validation(dataset(*names)).splits["val"]


def test_an_existing_validation_split_is_kept() -> None:
    own = dataset(*map(str, range(100)))
    own = replace(own, splits=own.splits | {"val": own.splits["train"][:1]})
    assert with_validation(own) is own


@pytest.mark.parametrize("names", [["16.jpg", "17.jpg"], ["0.jpg", "1.jpg", "2.jpg"]])
def test_at_least_one_image_validates(names: list[str]) -> None:
    would_validate = [zlib.crc32(name.encode()) % 1000 < 80 for name in names]
    assert len(set(would_validate)) == 1, "none, or all"
    splits = with_validation(dataset(*names)).splits
    lowest = min(names, key=lambda name: zlib.crc32(name.encode()))
    assert [image.path.name for image in splits["val"]] == [lowest]
    assert {image.path.name for image in splits["train"]} == set(names) - {lowest}


@pytest.mark.parametrize("names", [[], ["1.jpg"], ["16.jpg"]])
def test_too_few_images_are_not_split(names: list[str]) -> None:
    whole = dataset(*names)
    assert with_validation(whole) is whole


def test_boxes_slightly_beyond_the_border_are_clipped(tmp_path: Path) -> None:
    write_table(tmp_path, [("a.png", "train", "face", "-1 0 97 65.5", "")])
    (only,) = read_dataset(tmp_path).splits["train"]
    assert only.objects == (("face", Box(0, 0, 96, 64)),)


@pytest.mark.parametrize("content", [b"", b"not an image"])
def test_broken_images_are_reported(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "a.png").write_bytes(content)
    with pytest.raises(SourceError, match=r"a\.png: cannot read this image"):
        read_dataset(write_table(tmp_path, [("a.png", "train", "face", "", "")]))
    with pytest.raises(SourceError, match=r"a\.png: is (empty|not a readable image)"):
        read_image(tmp_path / "a.png")


@pytest.mark.parametrize("ending", [".jpg", ".png", ".webp", ".bmp", ".tif"])
def test_truncated_images_are_reported(tmp_path: Path, ending: str) -> None:
    file = write_image(tmp_path / f"a{ending}")
    file.write_bytes(file.read_bytes()[: file.stat().st_size // 2])
    with pytest.raises(SourceError, match=rf"a\{ending}: is "):
        read_image(file)


@pytest.mark.filterwarnings("default")  # Pillow swallows warnings that are errors
def test_truncated_images_are_reported_once(
    tmp_path: Path, recwarn: pytest.WarningsRecorder
) -> None:
    file = write_image(tmp_path / "a.tif")
    file.write_bytes(file.read_bytes()[: file.stat().st_size // 2])
    with pytest.raises(SourceError, match=r"a\.tif: cannot read this image"):
        read_dataset(write_table(tmp_path, [("a.tif", "train", "face", "", "")]))
    assert not recwarn.list


@pytest.mark.parametrize("orientation", range(10))
@pytest.mark.parametrize("ending", [".jpg", ".png", ".webp", ".tif"])
def test_sizes_are_those_of_the_upright_image(
    tmp_path: Path, ending: str, orientation: int
) -> None:
    exif = Pillow.Exif()
    exif[0x0112] = orientation
    with Pillow.fromarray(disk_image()) as image:
        image.save(tmp_path / f"a{ending}", exif=exif)
    write_table(tmp_path, [(f"a{ending}", "train", "face", "", "")])
    (only,) = read_dataset(tmp_path).splits["train"]
    assert read_image(only.path).shape[1::-1] == only.size


def test_missing_images_are_reported(tmp_path: Path) -> None:
    write_table(tmp_path, [("a.png", "train", "face", "", "")])
    (tmp_path / "a.png").unlink()
    with pytest.raises(SourceError, match=r"a\.png: this image is missing"):
        read_dataset(tmp_path)


def test_pixels_are_read_unchanged(tmp_path: Path) -> None:
    np.testing.assert_array_equal(read_image(write_image(tmp_path / "ä.png")), disk_image())


def test_a_dataset_without_labels_is_reported(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match="no object is labeled in this dataset"):
        read_dataset(write_table(tmp_path, [("a.png", "train", "none", "", "")]))
