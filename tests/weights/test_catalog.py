"""The catalog of known weight files, and the README and model cards that repeat it."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tracker_blur.errors import ModelError
from tracker_blur.weights import store
from tracker_blur.weights.catalog import BUNDLED, MODELS
from tracker_blur.weights.store import Weights

ROOT = Path(__file__).resolve().parents[2]


def test_entries_are_complete_and_unique() -> None:
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
        assert 0 < file.size_bytes < 40_000_000
        for digest in (file.sha256, *file.also_sha256):
            assert re.fullmatch(r"[0-9a-f]{64}", digest)


@pytest.mark.shared
@pytest.mark.parametrize(
    "name",
    [
        file.name
        for model in MODELS
        for file in model.files
        if "caffemodel" not in file.name and model.name != "sface"  # these are not there
    ],
)
def test_the_pinned_hashes_are_those_of_the_real_files(shared: Path, name: str) -> None:
    assert Weights(shared / "models").path(name) == shared / "models" / name


def test_the_readme_lists_every_model() -> None:
    text = (ROOT / "models" / "README.md").read_text(encoding="utf-8")
    for model in MODELS:
        assert f"`{model.name}`" in text
        for file in model.files:
            assert file.name in text
            assert file.sha256 in text
            assert file.url in text


@pytest.mark.parametrize("name", ["face.onnx", "plate.onnx", "verify.onnx", "verify_plate.onnx"])
def test_bundled_weights_are_pinned(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (file,) = (file for file in BUNDLED.files if file.name == name)
    content = (ROOT / "models" / name).read_bytes()
    assert (file.matches(content), file.size_bytes) == (True, len(content))
    card = (ROOT / "models" / name.replace(".onnx", ".md")).read_text(encoding="utf-8")
    assert f"SHA-256 of {name}: `{file.sha256}`" in card
    monkeypatch.delenv("TRACKBLUR_MODELS", raising=False)
    monkeypatch.setattr(store, "packaged_folder", lambda: tmp_path)
    (tmp_path / name).write_bytes(content[:-1])
    with pytest.raises(ModelError, match=r"delete it and install trackblur again"):
        Weights().read(name)


def test_bundled_weights_are_small() -> None:
    assert sum(file.size_bytes for file in BUNDLED.files) < 4_000_000
