"""The contract that every face embedder fulfills."""

from __future__ import annotations

from typing import TYPE_CHECKING

import cv2
import numpy as np
import pytest

from tests.detectors.face_images import FACE, portrait
from tracker_blur.core import plugins
from tracker_blur.errors import ModelError
from tracker_blur.people import embedders
from tracker_blur.people.alignment import by_box, warped
from tracker_blur.people.embedders import SIDE_PX, Embedder, load_embedder, sface
from tracker_blur.weights.store import Weights

if TYPE_CHECKING:
    from pathlib import Path

PACKAGE = embedders.__name__
NAMES = plugins.names(PACKAGE)


@pytest.fixture(scope="module", params=NAMES)
def embedder(request: pytest.FixtureRequest, shared: Path) -> Embedder:
    """Return each embedder whose weights are there."""
    module = plugins.load(PACKAGE, request.param)
    weights = Weights(shared / "models")
    if weights.complete(module.WEIGHTS) is None:
        pytest.skip(f"the weights of {request.param} are missing")
    loaded: Embedder = module.load(weights)
    return loaded


def test_all_are_in_the_order_of_use() -> None:
    assert sorted(embedders.ORDER) == list(NAMES)


@pytest.mark.parametrize("name", NAMES)
def test_each_says_what_is_known_of_its_training_data(name: str) -> None:
    text = " ".join((plugins.load(PACKAGE, name).__doc__ or "").split())
    assert "license" in text.lower()
    assert "trained on" in text


@pytest.mark.parametrize("name", NAMES)
def test_the_stricter_the_decision_the_higher_its_threshold(name: str) -> None:
    module = plugins.load(PACKAGE, name)
    (kind,) = (each for each in vars(module).values() if hasattr(each, "thresholds"))
    limits = kind.thresholds
    assert -1 < limits.other < limits.changed <= limits.keep_second < limits.keep
    assert limits.other < limits.same <= limits.keep < limits.keep_still < 1
    assert limits.margin > 0
    assert limits.min_length >= 0


@pytest.mark.shared
def test_embeddings_are_numbers_whatever_the_image(embedder: Embedder) -> None:
    noise = np.random.default_rng(1).integers(0, 256, (SIDE_PX, SIDE_PX, 3), np.uint8)
    faces = [np.zeros_like(noise), np.full_like(noise, 255), noise]
    vectors = embedder.embed(faces)
    assert vectors.shape == (3, 128)
    assert vectors.dtype == np.float32
    assert np.isfinite(vectors).all()
    assert embedder.embed([]).shape == (0, 128)


@pytest.mark.shared
def test_a_face_is_itself_in_a_mirror_and_in_other_light(embedder: Embedder) -> None:
    face = warped(portrait(), by_box(FACE), SIDE_PX)
    before = face.copy()
    darker = np.asarray(cv2.convertScaleAbs(face, alpha=0.7), np.uint8)
    rows = embedder.embed([face, np.ascontiguousarray(face[:, ::-1]), darker])
    lengths = np.linalg.norm(rows, axis=1)
    own, mirrored, dark = rows / lengths[:, None]
    assert own @ mirrored > 0.99
    assert own @ dark > embedder.thresholds.keep_still
    assert lengths.min() > embedder.thresholds.min_length
    assert (face == before).all()


@pytest.mark.shared
def test_one_face_at_a_time_gives_what_several_give(embedder: Embedder) -> None:
    face = warped(portrait(), by_box(FACE), SIDE_PX)
    faces = [face, np.ascontiguousarray(face[::-1])]
    together = embedder.embed(faces)
    alone = np.concatenate([embedder.embed([each]) for each in faces])
    assert np.array_equal(together, alone)


def test_without_weights_there_is_none(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("TRACKBLUR_MODELS", raising=False)
    monkeypatch.setattr("tracker_blur.weights.store.cache_folder", lambda: tmp_path / "none")
    assert load_embedder(Weights(tmp_path)) is None


@pytest.mark.parametrize("name", ["mobilefacenet.onnx", "face_recognition_sface_2021dec.onnx"])
def test_other_weights_of_that_name_are_refused(name: str, tmp_path: Path) -> None:
    (tmp_path / name).write_bytes(b"another network")
    with pytest.raises(ModelError, match=f"{name}: .*SHA-256"):
        load_embedder(Weights(tmp_path))


@pytest.mark.shared
def test_sface_takes_its_weights_as_they_were_read(shared: Path) -> None:
    # Its own are not at hand; another network of its inputs and outputs shows what is called.
    class OtherWeights:
        def read(self, file_name: str) -> bytes:
            assert file_name == sface.FILE_NAME
            return (shared / "models" / "mobilefacenet.onnx").read_bytes()

    face = warped(portrait(), by_box(FACE), SIDE_PX)
    (vector,) = sface.SFace(OtherWeights()).embed([face])  # type: ignore[arg-type]  # only read
    network = cv2.dnn.readNetFromONNX(str(shared / "models" / "mobilefacenet.onnx"))
    expected = []
    for side in (face, np.ascontiguousarray(face[:, ::-1])):
        network.setInput(cv2.dnn.blobFromImage(side, swapRB=True))
        expected.append(np.array(network.forward()).ravel())
    assert vector == pytest.approx(np.mean(expected, axis=0), abs=1e-3)


@pytest.mark.parametrize("content", [b"", b"no network"])
def test_weights_that_opencv_cannot_read_are_one_line(content: bytes) -> None:
    class Damaged:
        def read(self, _file_name: str) -> bytes:
            return content

    with pytest.raises(ModelError, match=r"2021dec\.onnx: .*get the file again") as caught:
        sface.SFace(Damaged())  # type: ignore[arg-type]  # only read
    assert "\n" not in str(caught.value)
