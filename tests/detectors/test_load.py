"""Which detector `load_detector` chooses, and its errors."""

from __future__ import annotations

import importlib
import sys
from typing import TYPE_CHECKING

import pytest

from tests.detectors.face_images import FACE, best_iou, portrait
from tracker_blur import detectors
from tracker_blur.core import plugins
from tracker_blur.detectors import AUTO_ORDER, load_detector
from tracker_blur.errors import MissingPackageError, ModelError, SettingsError
from tracker_blur.weights.store import Weights

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def empty_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return an empty folder, the only one in which weights are searched."""
    monkeypatch.delenv("TRACKBLUR_MODELS", raising=False)
    monkeypatch.setattr("tracker_blur.weights.store.packaged_folder", lambda: tmp_path)
    monkeypatch.setattr("tracker_blur.weights.store.cache_folder", lambda: tmp_path)
    return tmp_path


def copy_weights(folder: Path, shared: Path, *names: str) -> Weights:
    for name in names:
        (folder / name).write_bytes((shared / "models" / name).read_bytes())
    return Weights()


def test_without_weights_haar_detects_faces(empty_folder: Path) -> None:
    name, detector = load_detector("auto", Weights())
    assert name == "haar"
    assert best_iou(detector.detect(portrait(), detector.default_confidence), FACE) > 0.5


def test_without_other_weights_the_bundled_ones_are_used(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.delenv("TRACKBLUR_MODELS", raising=False)
    monkeypatch.setattr("tracker_blur.weights.store.cache_folder", lambda: tmp_path)
    name, detector = load_detector("auto", Weights())
    assert name == "onnx"
    assert best_iou(detector.detect(portrait(), detector.default_confidence), FACE) > 0.5


@pytest.mark.shared
@pytest.mark.parametrize("expected", ["yunet", "centerface", "ssd"])
def test_auto_chooses_the_best_detector_with_weights(
    empty_folder: Path, shared: Path, expected: str
) -> None:
    for name in AUTO_ORDER[AUTO_ORDER.index(expected) :]:
        if name == "onnx":  # its weights come with the package
            continue
        weights = copy_weights(
            empty_folder, shared, *plugins.load(detectors.__name__, name).WEIGHTS[0]
        )
    assert load_detector("auto", weights)[0] == expected


@pytest.mark.shared
def test_auto_ignores_incomplete_sets_of_weights(empty_folder: Path, shared: Path) -> None:
    weights = copy_weights(empty_folder, shared, "opencv_face_detector_uint8.pb", "deploy.prototxt")
    assert load_detector("auto", weights)[0] == "haar"


def test_auto_does_not_ignore_a_damaged_file(empty_folder: Path) -> None:
    (empty_folder / "centerface.onnx").write_bytes(b"not a network")
    with pytest.raises(ModelError, match=r"centerface\.onnx: damaged"):
        load_detector("auto", Weights())


@pytest.mark.parametrize("name", ["yunet", "centerface", "ssd"])
def test_missing_weights_are_reported_with_the_command_to_get_them(
    empty_folder: Path, name: str
) -> None:
    with pytest.raises(ModelError, match=f"trackblur models pull {name}") as caught:
        load_detector(name, Weights())
    assert str(empty_folder) in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("name", "package", "extra"), [("lbp", "skimage", "skimage"), ("hog", "dlib", "dlib")]
)
def test_a_missing_package_is_reported_with_its_extra(
    name: str, package: str, extra: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    module = importlib.reload(plugins.load(detectors.__name__, name))
    monkeypatch.setitem(sys.modules, package, None)
    with pytest.raises(MissingPackageError, match=rf"pip install '\.\[{extra}\]'"):
        module.load(Weights())


def test_an_unknown_name_is_reported_with_the_known_ones() -> None:
    with pytest.raises(SettingsError, match="'retina': choose one of centerface, haar"):
        load_detector("retina", Weights())
