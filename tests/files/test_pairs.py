"""Outputs are paired with the inputs that they were made of, by their names."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tracker_blur.errors import SettingsError, SourceError
from tracker_blur.files.pairs import Pair, pair_outputs

if TYPE_CHECKING:
    from pathlib import Path


def touch(folder: Path, *names: str) -> Path:
    for name in names:
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
    return folder


def test_one_file_needs_not_exist(tmp_path: Path) -> None:
    pairs = pair_outputs(str(tmp_path / "out.mp4"), "in.mp4")
    (pair,) = pairs.pairs
    assert (pair.output.name, str(pair.source)) == ("out.mp4", "in.mp4")
    assert not pairs.are_several
    assert pair_outputs("out.mp4", None).pairs[0].source is None


def test_a_folder_mirrors_its_inputs(tmp_path: Path) -> None:
    inputs = touch(tmp_path / "in", "a.mp4", "b/c.jpg", "b/d.avi", "b/left.png")
    outputs = touch(tmp_path / "out", "a.mp4", "b/c.jpg", "b/d.avi.mkv", "b/other.jpg", "note.txt")
    pairs = pair_outputs(str(outputs), str(inputs))
    assert pairs.pairs == (
        Pair(outputs / "a.mp4", inputs / "a.mp4"),
        Pair(outputs / "b/c.jpg", inputs / "b/c.jpg"),
        Pair(outputs / "b/d.avi.mkv", inputs / "b/d.avi"),
        Pair(outputs / "b/other.jpg", None),
    )
    assert pairs.without_output == (inputs / "b/left.png",)
    assert pairs.are_several


def test_outputs_next_to_their_inputs(tmp_path: Path) -> None:
    folder = touch(
        tmp_path, "a.jpg", "a_redacted.jpg", "a_compare.jpg", "b.avi", "b_redacted.avi.mkv"
    )
    for name in (str(folder), str(folder / "*"), str(folder / "*_redacted*")):
        pairs = pair_outputs(name, str(folder))
        assert pairs.pairs == (
            Pair(folder / "a_redacted.jpg", folder / "a.jpg"),
            Pair(folder / "b_redacted.avi.mkv", folder / "b.avi"),
        )
        assert pairs.without_output == ()


def test_patterns_mirror_from_the_first_wildcard_on(tmp_path: Path) -> None:
    inputs = touch(tmp_path / "in", "x/a.jpg", "y/b.jpg", "y/c.png")
    outputs = touch(tmp_path / "out", "x/a.jpg", "y/b.jpg")
    pairs = pair_outputs(f"{outputs}/*/*.jpg", f"{inputs}/*/*.jpg")
    assert pairs.pairs == (
        Pair(outputs / "x/a.jpg", inputs / "x/a.jpg"),
        Pair(outputs / "y/b.jpg", inputs / "y/b.jpg"),
    )


def test_one_output_finds_its_input_in_a_folder(tmp_path: Path) -> None:
    inputs = touch(tmp_path / "in", "a.jpg", "b.jpg")
    outputs = touch(tmp_path / "out", "b.jpg")
    pairs = pair_outputs(str(outputs / "b.jpg"), str(inputs))
    assert pairs.pairs == (Pair(outputs / "b.jpg", inputs / "b.jpg"),)
    assert not pairs.are_several


def test_without_inputs_each_output_stands_alone(tmp_path: Path) -> None:
    outputs = touch(tmp_path / "out", "a.jpg")
    assert pair_outputs(str(outputs), None).pairs == (Pair(outputs / "a.jpg", None),)


def test_what_cannot_be_paired(tmp_path: Path) -> None:
    outputs = touch(tmp_path / "out", "a.jpg")
    touch(tmp_path / "empty", "note.txt")
    with pytest.raises(SettingsError, match="is one input for several outputs"):
        pair_outputs(str(outputs), str(tmp_path / "in.jpg"))
    with pytest.raises(SourceError, match="contains no videos or images"):
        pair_outputs(str(tmp_path / "empty"), None)
    with pytest.raises(SourceError, match="no such folder"):
        pair_outputs(str(tmp_path / "none" / "*.jpg"), None)
