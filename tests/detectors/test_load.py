"""Which detector runs, and what stands in the way of the others."""

from __future__ import annotations

import importlib
import sys
from pathlib import Path

import pytest

from tests.detectors.pictures import FACE, best_iou, portrait
from tracker_blur import detectors
from tracker_blur.core import plugins
from tracker_blur.detectors import AUTO_ORDER, load_detector
from tracker_blur.errors import MissingPackageError, ModelError, SettingsError
from tracker_blur.weights.store import Weights


@pytest.fixture
def nowhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return an empty folder, which is all that this machine has of weights."""
    monkeypatch.delenv("TRACKBLUR_MODELS", raising=False)
    monkeypatch.setattr("tracker_blur.weights.store.packaged_folder", lambda: tmp_path)
    monkeypatch.setattr("tracker_blur.weights.store.cache_folder", lambda: tmp_path)
    return tmp_path


def put(folder: Path, shared: Path, *names: str) -> Weights:
    for name in names:
        (folder / name).write_bytes((shared / "models" / name).read_bytes())
    return Weights()


def test_without_any_weights_haar_finds_faces(nowhere: Path) -> None:
    name, detector = load_detector("auto", Weights())
    assert name == "haar"
    assert best_iou(detector.detect(portrait(), detector.default_confidence), FACE) > 0.5


def test_our_own_weights_are_taken_where_there_are_no_others(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.delenv("TRACKBLUR_MODELS", raising=False)
    monkeypatch.setattr("tracker_blur.weights.store.cache_folder", lambda: tmp_path)
    name, detector = load_detector("auto", Weights())
    assert name == "onnx"
    assert best_iou(detector.detect(portrait(), detector.default_confidence), FACE) > 0.5


@pytest.mark.shared
@pytest.mark.parametrize("expected", ["yunet", "centerface", "ssd"])
def test_auto_takes_the_best_whose_weights_are_here(
    nowhere: Path, shared: Path, expected: str
) -> None:
    for name in AUTO_ORDER[AUTO_ORDER.index(expected) :]:
        if name == "onnx":  # its weights are our own
            continue
        weights = put(nowhere, shared, *plugins.load(detectors.__name__, name).WEIGHTS[0])
    assert load_detector("auto", weights)[0] == expected


@pytest.mark.shared
def test_auto_passes_over_half_a_set_of_weights(nowhere: Path, shared: Path) -> None:
    weights = put(nowhere, shared, "opencv_face_detector_uint8.pb", "deploy.prototxt")
    assert load_detector("auto", weights)[0] == "haar"


def test_auto_does_not_pass_over_a_damaged_file(nowhere: Path) -> None:
    (nowhere / "centerface.onnx").write_bytes(b"not a network")
    with pytest.raises(ModelError, match=r"centerface\.onnx: damaged"):
        load_detector("auto", Weights())


@pytest.mark.parametrize("name", ["yunet", "centerface", "ssd"])
def test_missing_weights_are_said_with_the_way_to_get_them(nowhere: Path, name: str) -> None:
    with pytest.raises(ModelError, match=f"trackblur models pull {name}") as caught:
        load_detector(name, Weights())
    assert str(nowhere) in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("name", "package", "extra"), [("lbp", "skimage", "skimage"), ("hog", "dlib", "dlib")]
)
def test_a_missing_package_is_said_with_its_extra(
    name: str, package: str, extra: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    module = importlib.reload(plugins.load(detectors.__name__, name))
    monkeypatch.setitem(sys.modules, package, None)
    with pytest.raises(MissingPackageError, match=rf"pip install '\.\[{extra}\]'"):
        module.load(Weights())


def test_an_unknown_name_is_said_with_the_known_ones() -> None:
    with pytest.raises(SettingsError, match="'retina': choose one of centerface, haar"):
        load_detector("retina", Weights())
