"""Which target classes are hidden, and which detectors detect them."""

from __future__ import annotations

from dataclasses import fields
from typing import TYPE_CHECKING, Any

import pytest

from tests.detectors.face_images import FACE, best_iou, portrait
from tracker_blur.core.box import Detection
from tracker_blur.core.parameters import PlateParameters, PlausibilityParameters, TrackingParameters
from tracker_blur.detectors import load_detector
from tracker_blur.errors import ModelError, SettingsError
from tracker_blur.settings import Settings
from tracker_blur.tracking.target_classes import parameters_of, target_classes
from tracker_blur.weights.store import Weights, packaged_folder

if TYPE_CHECKING:
    from pathlib import Path


def detectors_of(**settings: Any) -> list[tuple[str, str]]:
    """Return the label and the detector of each target class."""
    targets = target_classes(Settings(**settings), Weights())
    return [(target.label, target.detector_name) for target in targets]


@pytest.fixture
def own(tmp_path: Path) -> str:
    """Return a detector file of the user."""
    path = tmp_path / "mine.onnx"
    path.write_bytes((packaged_folder() / "face.onnx").read_bytes())
    return str(path)


def test_faces_are_hidden_by_default() -> None:
    assert detectors_of(detector="haar") == [("face", "haar")]
    assert detectors_of(detector="haar", hide=("faces", "faces")) == [("face", "haar")]


def test_faces_detected_by_our_own_weights_are_padded() -> None:
    (target,) = target_classes(Settings(detector="onnx"), Weights())
    padded, (name, plain) = target.load(), load_detector("onnx", Weights())
    assert (name, padded.default_confidence) == ("onnx", plain.default_confidence)
    assert padded.low_confidence == plain.low_confidence
    bare, wider = (one.detect(portrait(), 0.4)[0] for one in (plain, padded))
    assert wider == Detection(bare.box.padded(0.05), bare.score)


def test_plates_are_detected_by_our_own_weights() -> None:
    hidden = detectors_of(detector="haar", hide=("faces", "plates"))
    assert hidden == [("face", "haar"), ("plate", "plate.onnx")]
    assert detectors_of(hide=("plates",)) == [("plate", "plate.onnx")]
    (plates,) = target_classes(Settings(hide=("plates",)), Weights())
    assert {found.label for found in plates.load().detect(portrait(), 0.05)} <= {"plate"}


def test_a_detector_file_detects_all_its_classes(own: str) -> None:
    assert detectors_of(detector=own) == [("face", "mine.onnx")]
    hidden = detectors_of(detector=own, hide=("face", "plates"))
    assert hidden == [("face", "mine.onnx"), ("plate", "plate.onnx")]
    (target,) = target_classes(Settings(detector=own), Weights())
    detector = target.load()
    assert best_iou(detector.detect(portrait(), detector.default_confidence), FACE) > 0.5


def test_faces_unknown_to_a_detector_file_are_left_to_another_detector(tmp_path: Path) -> None:
    plates = tmp_path / "mine.onnx"
    plates.write_bytes((packaged_folder() / "plate.onnx").read_bytes())
    assert detectors_of(detector=str(plates)) == [("plate", "mine.onnx")]
    both = detectors_of(detector=str(plates), hide=("faces", "plates"))
    assert both[1] == ("plate", "mine.onnx")
    assert both[0][0] == "face"
    assert both[0][1] != "mine.onnx"


def test_a_class_of_a_detector_file_may_have_the_name_of_one_of_ours(tmp_path: Path) -> None:
    path = tmp_path / "mine.onnx"
    content = (packaged_folder() / "plate.onnx").read_bytes()
    path.write_bytes(content.replace(b"/plate", b"/faces"))  # of the same length
    assert detectors_of(detector=str(path), hide=("faces",)) == [("faces", "mine.onnx")]
    assert detectors_of(detector=str(path)) == [("faces", "mine.onnx")]
    hidden = detectors_of(detector=str(path), hide=("faces", "plates"))
    assert hidden == [("faces", "mine.onnx"), ("plate", "plate.onnx")]
    (target,) = target_classes(Settings(detector=str(path), hide=("faces",)), Weights())
    assert {found.label for found in target.load().detect(portrait(), 0.01)} <= {"faces"}


def test_a_class_without_a_detector_is_refused(own: str) -> None:
    with pytest.raises(SettingsError, match="includes 'badge', but only faces and plates can"):
        detectors_of(hide=("badge",))
    message = (
        "`hide` includes 'badge', but mine.onnx has only the class face: give one of its classes, "
        "faces or plates"
    )
    with pytest.raises(SettingsError) as caught:
        detectors_of(hide=("faces", "badge"), detector=own)
    assert str(caught.value) == message
    with pytest.raises(ModelError, match=r"missing\.onnx: no such file"):
        detectors_of(detector="missing.onnx")


@pytest.mark.parametrize("hide", ["faces", ("faces", ""), ["faces"]])
def test_hide_is_a_tuple_of_words(hide: Any) -> None:
    with pytest.raises(SettingsError, match="`hide` is"):
        Settings(hide=hide)


def test_plates_have_parameters_of_their_own() -> None:
    faces = TrackingParameters(plates=PlateParameters(gate_sizes=1.7, link_gate_sizes=1.9))
    plates = parameters_of("plate", faces)
    assert plates.online.gate_sizes == 1.7
    assert plates.linking.gate_sizes == 1.9
    groups = (plates.online, plates.first_pass, plates.plausibility, plates.classification)
    for field in fields(PlateParameters):
        if field.name != "link_gate_sizes":
            values = [getattr(one, field.name) for one in groups if hasattr(one, field.name)]
            assert getattr(faces.plates, field.name) in values


def test_size_and_aspect_say_nothing_about_other_classes() -> None:
    faces = TrackingParameters()
    assert parameters_of("face", faces) == faces
    person = parameters_of("person", faces)
    assert person.plausibility == PlausibilityParameters.for_any_size()
    assert person.online == faces.online


def test_what_was_chosen_on_faces_only_holds_for_faces_only() -> None:
    faces = TrackingParameters()
    for label in ("person", "plate"):
        others = parameters_of(label, faces)
        assert others.redetection.max_occluded_share == 1
        assert others.backtracking.max_unconfirmed_frames == 6
