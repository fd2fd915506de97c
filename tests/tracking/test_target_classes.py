"""What is to be hidden, and who finds it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.detectors.pictures import FACE, best_iou, portrait
from tracker_blur.core.box import Detection
from tracker_blur.detectors import load_detector
from tracker_blur.errors import ModelError, SettingsError
from tracker_blur.settings import Settings
from tracker_blur.tracking.detector_bundle import DetectorBundle, target_classes
from tracker_blur.weights.store import Weights, packaged_folder


def found_by(**words: Any) -> list[tuple[str, str]]:
    settings = Settings(**words)
    return [(kind.label, kind.finder) for kind in target_classes(settings, Weights())]


@pytest.fixture
def own(tmp_path: Path) -> str:
    """Return a detector file of the user's own."""
    path = tmp_path / "mine.onnx"
    path.write_bytes((packaged_folder() / "face.onnx").read_bytes())
    return str(path)


def test_faces_are_hidden_by_default() -> None:
    assert found_by(detector="haar") == [("face", "haar")]
    assert found_by(detector="haar", hide=("faces", "faces")) == [("face", "haar")]


def test_faces_that_our_own_weights_find_are_padded() -> None:
    (kind,) = target_classes(Settings(detector="onnx"), Weights())
    padded, (name, plain) = kind.load(), load_detector("onnx", Weights())
    assert (name, padded.default_confidence) == ("onnx", plain.default_confidence)
    assert padded.low_confidence == plain.low_confidence
    bare, wider = (one.detect(portrait(), 0.4)[0] for one in (plain, padded))
    assert wider == Detection(bare.box.padded(0.05), bare.score)


def test_plates_are_found_by_our_own_weights() -> None:
    hidden = found_by(detector="haar", hide=("faces", "plates"))
    assert hidden == [("face", "haar"), ("plate", "plate.onnx")]
    assert found_by(hide=("plates",)) == [("plate", "plate.onnx")]
    (plates,) = target_classes(Settings(hide=("plates",)), Weights())
    assert {find.label for find in plates.load().detect(portrait(), 0.05)} <= {"plate"}


def test_a_detector_file_finds_all_that_it_knows(own: str) -> None:
    assert found_by(detector=own) == [("face", "mine.onnx")]
    hidden = found_by(detector=own, hide=("face", "plates"))
    assert hidden == [("face", "mine.onnx"), ("plate", "plate.onnx")]
    (kind,) = target_classes(Settings(detector=own), Weights())
    detector = kind.load()
    assert best_iou(detector.detect(portrait(), detector.default_confidence), FACE) > 0.5


def test_faces_that_a_detector_file_does_not_know_are_found_by_another(tmp_path: Path) -> None:
    plates = tmp_path / "mine.onnx"
    plates.write_bytes((packaged_folder() / "plate.onnx").read_bytes())
    assert found_by(detector=str(plates)) == [("plate", "mine.onnx")]
    both = found_by(detector=str(plates), hide=("faces", "plates"))
    assert both[1] == ("plate", "mine.onnx")
    assert both[0][0] == "face"
    assert both[0][1] != "mine.onnx"


def test_a_detector_file_whose_classes_are_called_as_our_words_finds_them(tmp_path: Path) -> None:
    path = tmp_path / "mine.onnx"
    content = (packaged_folder() / "plate.onnx").read_bytes()
    path.write_bytes(content.replace(b"/plate", b"/faces"))  # of the same length
    assert found_by(detector=str(path), hide=("faces",)) == [("faces", "mine.onnx")]
    assert found_by(detector=str(path)) == [("faces", "mine.onnx")]
    hidden = found_by(detector=str(path), hide=("faces", "plates"))
    assert hidden == [("faces", "mine.onnx"), ("plate", "plate.onnx")]
    (kind,) = target_classes(Settings(detector=str(path), hide=("faces",)), Weights())
    assert {find.label for find in kind.load().detect(portrait(), 0.01)} <= {"faces"}


def test_what_nobody_finds_is_told(own: str) -> None:
    with pytest.raises(SettingsError, match="nobody finds 'badge' here: faces and plates can"):
        found_by(hide=("badge",))
    with pytest.raises(SettingsError, match="faces, plates and face can"):
        found_by(hide=("badge",), detector=own)
    with pytest.raises(ModelError, match=r"missing\.onnx: no such file"):
        found_by(detector="missing.onnx")


@pytest.mark.parametrize("hide", ["faces", ("faces", ""), ["faces"]])
def test_hide_is_a_tuple_of_words(hide: Any) -> None:
    with pytest.raises(SettingsError, match="hide is"):
        Settings(hide=hide)


def test_eyes_tell_all_their_detectors() -> None:
    eyes = DetectorBundle.of(Settings(detector="haar", hide=("faces", "plates")))
    assert eyes.name == "haar, plate.onnx"
    assert eyes.weight_files == ("plate.onnx",)
    assert eyes.confidence == min(eye.confidence for eye in eyes.each)
