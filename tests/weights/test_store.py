"""Weight files: where they are looked for, and that only the pinned ones are used."""

from __future__ import annotations

import dataclasses
import errno
import hashlib
import os
import re
from pathlib import Path

import pytest

from tracker_blur.errors import ModelError, SettingsError
from tracker_blur.weights import store as weights_module
from tracker_blur.weights.catalog import MODELS, OWN, Model, WeightFile
from tracker_blur.weights.store import Weights, cache_folder, listing, packaged_folder

ROOT = Path(__file__).resolve().parents[2]
CONTENT = b"the weights of a small network"


@pytest.fixture
def folders(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, Path]:
    """Make this machine's four places for weights folders of our own, all empty."""
    found = {name: tmp_path / name for name in ("given", "environment", "packaged", "cache")}
    for folder in found.values():
        folder.mkdir()
    monkeypatch.setenv("TRACKBLUR_MODELS", str(found["environment"]))
    monkeypatch.setattr(weights_module, "packaged_folder", lambda: found["packaged"])
    monkeypatch.setattr(weights_module, "cache_folder", lambda: found["cache"])
    return found


@pytest.fixture
def known(monkeypatch: pytest.MonkeyPatch) -> WeightFile:
    """Pin a small file, as the only one known."""
    digest = hashlib.sha256(CONTENT).hexdigest()
    file = WeightFile("small.onnx", "https://example.org/small.onnx", len(CONTENT), digest)
    model = Model("small", "a small network", "MIT", "https://example.org/LICENSE", (file,))
    monkeypatch.setattr(weights_module, "MODELS", (model,))
    monkeypatch.setattr(weights_module, "_KNOWN", {file.name: (model, file)})
    return file


def test_the_folders_are_looked_in_from_the_users_own_to_the_cache(
    folders: dict[str, Path],
) -> None:
    weights = Weights(folders["given"])
    assert weights.folders == tuple(folders.values())
    assert weights.find("any.onnx") is None
    for folder in reversed(folders.values()):
        (folder / "any.onnx").write_bytes(CONTENT)
        assert weights.find("any.onnx") == folder / "any.onnx"
        assert weights.path("any.onnx") == folder / "any.onnx"
    assert weights.read("any.onnx") == CONTENT


@pytest.mark.parametrize("place", ["given", "environment", "cache"])
def test_a_folder_that_cannot_be_looked_into_is_named(
    place: str, folders: dict[str, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    look = Path.stat

    def closed(path: Path, **how: bool) -> os.stat_result:  # root is stopped by no permissions
        if path.parent == folders[place]:
            raise PermissionError(errno.EACCES, "Permission denied", str(path))
        return look(path, **how)

    monkeypatch.setattr(Path, "stat", closed)
    with pytest.raises(ModelError, match=rf"{place}: .*cannot be looked into \(permission denied"):
        Weights(folders["given"]).find("any.onnx")


def test_a_folder_of_the_name_of_a_file_is_not_that_file(folders: dict[str, Path]) -> None:
    (folders["environment"] / "any.onnx").mkdir()
    assert Weights().find("any.onnx") is None


def test_a_missing_cache_is_no_error(
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


def test_the_packages_own_folder_is_that_of_the_checkout() -> None:
    assert packaged_folder().resolve() == ROOT / "models"


def test_the_cache_is_the_users(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
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
    (folders["cache"] / known.name).write_bytes(CONTENT)  # a whole one further on does not help
    (folders[place] / known.name).write_bytes(CONTENT[:-1] + b"K")
    weights = Weights(folders["given"])
    for use in (weights.path, weights.read):
        with pytest.raises(ModelError, match="delete it and get it with") as caught:
            use(known.name)
        message = str(caught.value)
        assert str(folders[place] / known.name) in message
        assert "trackblur models pull small" in message
        assert "\n" not in message


def test_a_file_is_checked_each_time_it_is_used(
    folders: dict[str, Path], known: WeightFile
) -> None:
    path, weights = folders["cache"] / known.name, Weights()
    path.write_bytes(CONTENT)
    weights.read(known.name)
    path.write_bytes(b"something else, put there later")
    with pytest.raises(ModelError):
        weights.read(known.name)


def test_what_says_the_same_in_other_bytes_is_taken(
    folders: dict[str, Path], known: WeightFile, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = CONTENT + b"\n"
    both = dataclasses.replace(known, also_sha256=(hashlib.sha256(other).hexdigest(),))
    model = weights_module._KNOWN[known.name][0]
    monkeypatch.setattr(weights_module, "_KNOWN", {known.name: (model, both)})
    for content in (CONTENT, other):
        (folders["cache"] / known.name).write_bytes(content)
        assert Weights().read(known.name) == content


def test_a_missing_file_is_said_with_where_it_was_looked_for(
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
    assert Weights().complete(((),)) == (), "a detector without weights is always complete"


def test_the_listing_tells_found_from_missing_and_damaged(
    folders: dict[str, Path], known: WeightFile
) -> None:
    (missing,) = listing(Weights())
    assert (missing.file, missing.path, missing.state) == (known, None, "missing")
    path = folders["cache"] / known.name
    path.write_bytes(CONTENT)
    (found,) = listing(Weights())
    assert (found.model.name, found.path, found.state) == ("small", path, "found")
    path.write_bytes(b"")
    (damaged,) = listing(Weights())
    assert (damaged.path, damaged.state) == (path, "damaged")


def test_the_table_is_complete_and_without_doubles() -> None:
    files = [file for model in MODELS for file in model.files]
    assert len({model.name for model in MODELS}) == len(MODELS)
    assert len({file.name for file in files}) == len(files)
    for model in MODELS:
        assert re.fullmatch(r"[a-z0-9-]+", model.name)
        assert model.license_name
        assert model.license_url.startswith("https://")
        assert "\n" not in model.summary
    for file in files:
        assert file.url.startswith("https://")
        assert file.url.endswith(f"/{file.name}")
        assert 0 < file.size_bytes < 20_000_000
        for digest in (file.sha256, *file.also_sha256):
            assert re.fullmatch(r"[0-9a-f]{64}", digest)


@pytest.mark.shared
@pytest.mark.parametrize(
    "name", [file.name for model in MODELS for file in model.files if "caffemodel" not in file.name]
)
def test_the_pinned_hashes_are_those_of_the_real_files(shared: Path, name: str) -> None:
    assert Weights(shared / "models").path(name) == shared / "models" / name


def test_the_readme_beside_the_weights_knows_every_model() -> None:
    text = (ROOT / "models" / "README.md").read_text(encoding="utf-8")
    for model in MODELS:
        assert f"`{model.name}`" in text
        for file in model.files:
            assert file.name in text
            assert file.sha256 in text
            assert file.url in text


@pytest.mark.parametrize("name", ["face.onnx", "plate.onnx"])
def test_our_own_weights_are_pinned(name: str, folders: dict[str, Path]) -> None:
    (file,) = (file for file in OWN.files if file.name == name)
    content = (ROOT / "models" / name).read_bytes()
    assert (file.is_this(content), file.size_bytes) == (True, len(content))
    card = (ROOT / "models" / name.replace(".onnx", ".md")).read_text(encoding="utf-8")
    assert f"SHA-256 of {name}: `{file.sha256}`" in card
    (folders["packaged"] / name).write_bytes(content[:-1])
    with pytest.raises(ModelError, match=r"delete it and install trackblur again"):
        Weights().read(name)


def test_our_own_weights_are_small() -> None:
    assert sum(file.size_bytes for file in OWN.files) < 4_000_000
