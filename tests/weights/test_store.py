"""The order in which folders are searched, and that only the pinned weight files are used."""

from __future__ import annotations

import dataclasses
import errno
import hashlib
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tracker_blur.errors import ModelError, SettingsError
from tracker_blur.weights import store
from tracker_blur.weights.catalog import Model, WeightFile
from tracker_blur.weights.store import Weights, cache_folder, packaged_folder, weight_statuses

if TYPE_CHECKING:
    import os

ROOT = Path(__file__).resolve().parents[2]
CONTENT = b"the weights of a small network"


@pytest.fixture
def folders(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, Path]:
    """Replace the four folders of weights by empty ones."""
    found = {name: tmp_path / name for name in ("given", "environment", "packaged", "cache")}
    for folder in found.values():
        folder.mkdir()
    monkeypatch.setenv("TRACKBLUR_MODELS", str(found["environment"]))
    monkeypatch.setattr(store, "packaged_folder", lambda: found["packaged"])
    monkeypatch.setattr(store, "cache_folder", lambda: found["cache"])
    return found


@pytest.fixture
def known(monkeypatch: pytest.MonkeyPatch) -> WeightFile:
    """Make a small file the only one in the catalog."""
    digest = hashlib.sha256(CONTENT).hexdigest()
    file = WeightFile("small.onnx", "https://example.org/small.onnx", len(CONTENT), digest)
    model = Model("small", "a small network", "MIT", "https://example.org/LICENSE", (file,))
    monkeypatch.setattr(store, "MODELS", (model,))
    monkeypatch.setattr(store, "_KNOWN", {file.name: (model, file)})
    return file


def test_folders_are_searched_from_the_given_one_to_the_cache(
    folders: dict[str, Path],
) -> None:
    weights = Weights(folders["given"])
    assert weights.folders == tuple(folders.values())
    assert weights.find("any.onnx") is None
    for folder in reversed(folders.values()):
        (folder / "any.onnx").write_bytes(CONTENT)
        assert weights.find("any.onnx") == folder / "any.onnx"
        assert Weights(folders["given"]).path("any.onnx") == folder / "any.onnx"
    assert weights.read("any.onnx") == CONTENT


@pytest.mark.parametrize("place", ["given", "environment", "cache"])
def test_a_folder_that_cannot_be_searched_is_reported(
    place: str, folders: dict[str, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    stat = Path.stat

    def denying(path: Path, **options: bool) -> os.stat_result:  # no permissions stop root
        if path.parent == folders[place]:
            raise PermissionError(errno.EACCES, "Permission denied", str(path))
        return stat(path, **options)

    monkeypatch.setattr(Path, "stat", denying)
    with pytest.raises(
        ModelError, match=rf"{place}: cannot search this folder.*\(permission denied"
    ):
        Weights(folders["given"]).find("any.onnx")


def test_a_folder_with_the_name_of_a_file_is_ignored(folders: dict[str, Path]) -> None:
    (folders["environment"] / "any.onnx").mkdir()
    assert Weights().find("any.onnx") is None


def test_a_missing_cache_is_not_an_error(
    folders: dict[str, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("TRACKBLUR_MODELS")
    folders["cache"].rmdir()
    assert Weights().folders == (folders["packaged"], folders["cache"])
    assert Weights().find("any.onnx") is None


def test_folders_that_the_user_names_must_exist(
    folders: dict[str, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(SettingsError, match=r"nowhere: no such folder.*`models_folder`"):
        Weights(folders["given"] / "nowhere")
    monkeypatch.setenv("TRACKBLUR_MODELS", str(folders["given"] / "lost"))
    with pytest.raises(SettingsError, match=r"lost: no such folder.*TRACKBLUR_MODELS"):
        Weights(folders["given"])


def test_the_packaged_folder_is_that_of_the_checkout() -> None:
    assert packaged_folder().resolve() == ROOT / "models"


def test_the_cache_belongs_to_the_user(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert "trackblur" in cache_folder().parts


def test_a_known_file_is_checked_and_read(folders: dict[str, Path], known: WeightFile) -> None:
    (folders["cache"] / known.name).write_bytes(CONTENT)
    assert Weights().path(known.name) == folders["cache"] / known.name
    assert Weights().read(known.name) == CONTENT


@pytest.mark.parametrize("place", ["given", "environment", "packaged", "cache"])
def test_a_changed_file_is_refused_wherever_it_lies(
    folders: dict[str, Path], known: WeightFile, place: str
) -> None:
    (folders["cache"] / known.name).write_bytes(
        CONTENT
    )  # an intact one in a later folder does not help
    (folders[place] / known.name).write_bytes(CONTENT[:-1] + b"K")
    weights = Weights(folders["given"])
    for use in (weights.path, weights.read):
        with pytest.raises(ModelError, match="delete it and get it with") as caught:
            use(known.name)
        message = str(caught.value)
        assert str(folders[place] / known.name) in message
        assert "trackblur models pull small" in message
        assert "\n" not in message


def test_what_was_read_stays_whatever_becomes_of_the_file(
    folders: dict[str, Path], known: WeightFile
) -> None:
    path, weights = folders["cache"] / known.name, Weights()
    path.write_bytes(CONTENT)
    assert weights.read(known.name) == CONTENT
    path.write_bytes(b"something else, put there later")
    assert (weights.read(known.name), weights.path(known.name)) == (CONTENT, path)
    with pytest.raises(ModelError, match="damaged"):
        Weights().read(known.name)
    path.unlink()
    assert (weights.read(known.name), weights.find(known.name)) == (CONTENT, path)
    assert weights.used == {known.name}
    assert Weights().find(known.name) is None


def test_a_file_that_was_refused_may_be_put_right(
    folders: dict[str, Path], known: WeightFile
) -> None:
    path, weights = folders["cache"] / known.name, Weights()
    path.write_bytes(b"damaged")
    with pytest.raises(ModelError, match="damaged"):
        weights.read(known.name)
    assert weights.used == set()
    path.write_bytes(CONTENT)
    assert weights.read(known.name) == CONTENT


def test_a_set_that_was_read_stays_the_choice(folders: dict[str, Path]) -> None:
    choices, weights = (("better.onnx",), ("other.onnx",)), Weights()
    path = folders["cache"] / "other.onnx"
    path.write_bytes(CONTENT)
    weights.read("other.onnx")
    (folders["cache"] / "better.onnx").write_bytes(CONTENT)
    path.unlink()
    assert weights.complete(choices) == choices[1]
    assert Weights().complete(choices) == choices[0]


def test_an_alternative_hash_is_accepted(
    folders: dict[str, Path], known: WeightFile, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = CONTENT + b"\n"
    both = dataclasses.replace(known, also_sha256=(hashlib.sha256(other).hexdigest(),))
    model = store._KNOWN[known.name][0]
    monkeypatch.setattr(store, "_KNOWN", {known.name: (model, both)})
    for content in (CONTENT, other):
        (folders["cache"] / known.name).write_bytes(content)
        assert Weights().read(known.name) == content


def test_a_missing_file_is_reported_with_the_searched_folders(
    folders: dict[str, Path], known: WeightFile
) -> None:
    with pytest.raises(ModelError, match="get it with 'trackblur models pull small'") as caught:
        Weights(folders["given"]).path(known.name)
    assert all(str(folder) in str(caught.value) for folder in folders.values())
    with pytest.raises(ModelError, match="name a folder that holds it with `models_folder`"):
        Weights().path("mine.onnx")


def test_the_first_complete_set_is_chosen(folders: dict[str, Path]) -> None:
    choices = (("a.pb", "a.pbtxt"), ("b.prototxt", "b.caffemodel"))
    weights = Weights()
    assert weights.complete(choices) is None
    (folders["cache"] / "a.pb").touch()
    (folders["cache"] / "b.prototxt").touch()
    assert weights.complete(choices) is None
    (folders["environment"] / "b.caffemodel").touch()
    assert weights.complete(choices) == choices[1]
    (folders["packaged"] / "a.pbtxt").touch()
    assert weights.complete(choices) == choices[0]
    assert Weights().complete(((),)) == (), "a detector without weights needs none"


def test_the_status_is_found_missing_or_damaged(
    folders: dict[str, Path], known: WeightFile
) -> None:
    (missing,) = weight_statuses(Weights())
    assert (missing.file, missing.path, missing.state) == (known, None, "missing")
    path = folders["cache"] / known.name
    path.write_bytes(CONTENT)
    (found,) = weight_statuses(Weights())
    assert (found.model.name, found.path, found.state) == ("small", path, "found")
    path.write_bytes(b"")
    (damaged,) = weight_statuses(Weights())
    assert (damaged.path, damaged.state) == (path, "damaged")
