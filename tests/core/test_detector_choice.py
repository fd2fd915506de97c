"""What `--detector` names."""

from __future__ import annotations

import pytest

from tracker_blur.core.detector_choice import DetectorChoice
from tracker_blur.errors import SettingsError
from tracker_blur.settings import Settings


@pytest.mark.parametrize(
    ("text", "name", "values"),
    [
        ("auto", "auto", {}),
        ("lbp", "lbp", {}),
        ("lbp:min_size=24", "lbp", {"min_size": "24"}),
        (
            "lbp: scale_factor = 1.2 , min_size=24",
            "lbp",
            {"scale_factor": "1.2", "min_size": "24"},
        ),
        ("a/badge.onnx", "a/badge.onnx", {}),
        ("C:\\badge.onnx", "C:\\badge.onnx", {}),
        ("a:b=c.onnx", "a:b=c.onnx", {}),
        ("C:\\badge.onnx:top_k=5", "C:\\badge.onnx", {"top_k": "5"}),
        ("x.onnx:y.onnx:top_k=5", "x.onnx:y.onnx", {"top_k": "5"}),
    ],
)
def test_a_name_and_values_are_separated(text: str, name: str, values: dict[str, str]) -> None:
    choice = DetectorChoice.of(text)
    assert (choice.text, choice.name, choice.values) == (text, name, values)
    assert choice.is_file == name.endswith(".onnx")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("lbp:", "is 'lbp:': after the colon, give NAME=VALUE, separated by commas"),
        ("lbp:24", "after the colon, give NAME=VALUE"),
        ("lbp:min_size=", "after the colon, give NAME=VALUE"),
        ("lbp:min_size=24,", "after the colon, give NAME=VALUE"),
        ("lbp:min_size=24,min_size=30", "names min_size twice: leave out one"),
        ("auto:min_size=24", "parameters are those of one detector: name it"),
        ("retina:min_size=24", "is 'retina': choose one of auto, centerface"),
        ("retina", "is 'retina': choose one of auto, centerface"),
        ("lbp:speed=2", "no parameter is called 'speed': choose one of scale_factor"),
        ("x.onnx:speed=2", "no parameter is called 'speed': choose one of nms_threshold, top_k"),
        ("hog:speed=2", "no parameter is called 'speed': choose upsample"),
    ],
)
def test_settings_refuse_what_makes_no_sense(text: str, message: str) -> None:
    with pytest.raises(SettingsError) as caught:
        Settings(detector=text)
    assert str(caught.value).startswith("`detector` is '")
    assert message in str(caught.value)
