"""`trackblur detectors`, and parameters of detectors on the command line."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import cv2
import pytest

from tests.command_line import error_line, run
from tests.detectors.face_images import portrait
from tracker_blur.core import plugins

if TYPE_CHECKING:
    from pathlib import Path


def test_every_detector_is_listed_with_its_parameters(capsys: pytest.CaptureFixture[str]) -> None:
    assert run("detectors") == 0
    output = capsys.readouterr().out
    for name in plugins.names("tracker_blur.detectors"):
        assert f"{name}: {plugins.summary('tracker_blur.detectors', name)}\n" in output
        for parameter, _ in plugins.load("tracker_blur.detectors", name).Parameters.described():
            assert f"\n    {parameter}: " in output
    assert all(len(line) <= 105 for line in output.splitlines())


def test_single_detectors_are_listed(capsys: pytest.CaptureFixture[str]) -> None:
    assert run("detectors", "hog") == 0
    assert capsys.readouterr().out == (
        'hog: HOG and linear SVM of dlib: frontal faces of 40 pixels and more; needs the extra "'
        'dlib"\n'
        "    upsample: how often the image is doubled; 0: from 80 pixels, 1: from 40, 2: from 20; "
        "a whole\n        number from 0 to 2 (default: 1)\n"
    )


def test_an_unknown_detector_is_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    assert run("detectors", "retina") == 2
    assert "no detector is called 'retina': choose one of centerface" in error_line(capsys)


def test_help_names_the_command(capsys: pytest.CaptureFixture[str]) -> None:
    for arguments in (["--help"], ["track", "--help"], ["live", "--help"]):
        assert run(*arguments) == 0
        shown = " ".join(capsys.readouterr().out.split())
        assert "lbp:scale_factor=1.2,min_size=24; 'trackblur detectors' lists them" in shown


def test_a_parameter_decides_what_is_hidden(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    image = tmp_path / "in.png"
    cv2.imwrite(str(image), portrait())
    faces = {}
    for size in (20, 9000):
        name = f"lbp:min_size={size}"
        assert run(image, tmp_path / f"{size}.png", "--detector", name, "--json") == 0
        (file,) = json.loads(capsys.readouterr().out)["files"]
        assert file["detector"] == name
        faces[size] = file["faces"]
    assert faces[20] >= 1
    assert faces[9000] == 0


@pytest.mark.parametrize("command", [(), ("track",), ("live",)])
def test_a_wrong_parameter_is_one_line_that_names_the_option(
    command: tuple[str, ...], small_clip: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    target = ("--to", tmp_path / "out.mkv") if command == ("live",) else ("-o", tmp_path / "out")
    assert run(*command, small_clip, *target, "--detector", "haar:min_size=big") == 2
    assert error_line(capsys).endswith(
        "--detector is 'haar:min_size=big': min_size=big: give a whole number from 1 to 10000"
    )
    assert list(tmp_path.iterdir()) == []
