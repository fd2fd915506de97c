"""Which pictures validate where a data set does not say."""

from __future__ import annotations

import zlib
from dataclasses import replace
from pathlib import Path

import pytest

from tests.annotated_files import SIZE
from tracker_blur.training.datasets import Annotated, Dataset
from tracker_blur.training.datasets.annotated import with_validation

FOLDER = Path("/d")


def dataset(*names: str) -> Dataset:
    pictures = tuple(Annotated(FOLDER / name, SIZE, ()) for name in names)
    return Dataset(FOLDER, ("face",), {"train": pictures})


def test_names_alone_decide_what_validates() -> None:
    names = [f"a/{i}.jpg" for i in range(1000)]
    whole = with_validation(dataset(*names)).splits
    assert len(whole["train"]) + len(whole["val"]) == 1000
    assert 60 < len(whole["val"]) < 100
    assert set(with_validation(dataset(*names[::2])).splits["val"]) <= set(whole["val"])


def test_trainings_of_before_hold_out_the_same() -> None:
    names = [f"a/{i}.jpg" for i in range(200)]
    out = with_validation(dataset(*names)).splits["val"]
    before = [name for name in names if zlib.crc32(name.encode()) % 1000 < 80]
    assert [picture.path.relative_to(FOLDER).as_posix() for picture in out] == before


def test_pictures_may_lie_elsewhere() -> None:
    names = [f"/elsewhere/{i}.jpg" for i in range(100)]
    assert with_validation(dataset(*names)).splits["val"]


def test_a_split_of_ones_own_stays() -> None:
    own = dataset(*map(str, range(100)))
    own = replace(own, splits=own.splits | {"val": own.splits["train"][:1]})
    assert with_validation(own) is own


@pytest.mark.parametrize("names", [["16.jpg", "17.jpg"], ["0.jpg", "1.jpg", "2.jpg"]])
def test_of_few_pictures_one_validates(names: list[str]) -> None:
    """No picture, or all of them, would be held out by their names."""
    held_out = [zlib.crc32(name.encode()) % 1000 < 80 for name in names]
    assert len(set(held_out)) == 1
    splits = with_validation(dataset(*names)).splits
    lowest = min(names, key=lambda name: zlib.crc32(name.encode()))
    assert [picture.path.name for picture in splits["val"]] == [lowest]
    assert {picture.path.name for picture in splits["train"]} == set(names) - {lowest}


@pytest.mark.parametrize("names", [[], ["1.jpg"], ["16.jpg"]])
def test_too_few_pictures_are_not_divided(names: list[str]) -> None:
    whole = dataset(*names)
    assert with_validation(whole) is whole
