"""What `import tracker_blur` offers: its names, their types and what importing it costs."""

from __future__ import annotations

import inspect
import subprocess
import sys
from pathlib import Path

import pytest
from mypy import api as mypy

import tracker_blur

ROOT = Path(__file__).resolve().parents[1]


def test_every_public_name_can_be_imported() -> None:
    for name in tracker_blur.__all__:
        assert getattr(tracker_blur, name) is not None
    assert dir(tracker_blur) == sorted(tracker_blur.__all__)
    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        tracker_blur.nothing  # noqa: B018  # must raise


def test_every_public_name_has_a_docstring() -> None:
    for name in set(tracker_blur.__all__) - {"__version__"}:
        docstring = inspect.getdoc(getattr(tracker_blur, name)) or ""
        assert len(docstring) > 20
        assert docstring.partition("\n")[0].endswith(".")


def test_importing_the_package_imports_no_opencv() -> None:
    code = "import sys, tracker_blur; tracker_blur.SettingsError; print('cv2' in sys.modules)"
    ended = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert ended.stdout == "False\n"


USER_CODE = """
import cv2
import numpy as np
import tracker_blur
from tracker_blur import Box, Detection, Prediction, Predictions, Redactor, Settings, Tracks
from tracker_blur import Verdict

image = cv2.imread("photo.jpg")
hidden = tracker_blur.redact_array(image)
hidden = tracker_blur.redact_array(image, Settings(method="solid"), channels="rgb")
cv2.imwrite("hidden.jpg", hidden)

def mine(image: np.ndarray) -> list[tuple[float, float, float, float]]:
    return [(1.0, 2.0, 3.0, image.shape[0])]

class Mine:
    def detect(self, image: cv2.typing.MatLike, confidence: float) -> np.ndarray:
        return np.zeros((0, 5))

for redactor in (Redactor(), Redactor(Settings(), detector=mine), Redactor(detector=Mine())):
    detections: list[Detection] = redactor.detect(image)
    box: Box = detections[0].box
    found: Predictions = redactor.predict(image, confidence=0.3, overlap=0.5, max_size=640)
    first: Prediction = found.detections[0]
    cv2.imshow("hidden", redactor.hide(image, detections))
    redactor.hide("photo.jpg", [box, (1, 2, 3, 4)])
    redactor.hide(b"...", np.zeros((2, 4)))
    redactor.hide(image, tracker_blur.to_supervision(detections))
    redactor.redact(cv2.cvtColor(redactor.redact("photo.jpg"), cv2.COLOR_BGR2GRAY))
    tracks: Tracks = redactor.track("in.mp4")
    redactor.render("in.mp4", tracks, "out.mp4")
    verdict: Verdict = redactor.verify("out.mp4", source="in.mp4", tracks=tracks)
    tracker_blur.to_supervision(tracks, 3)

capture = cv2.VideoCapture("in.mp4")
for frame in tracker_blur.redact_frames(iter(lambda: capture.read()[1], None), rate=25):
    cv2.imshow("hidden", frame)
"""


def check_types(code: str, folder: Path, monkeypatch: pytest.MonkeyPatch) -> tuple[str, int]:
    """Return what mypy says of user code in strict mode, and its exit code.

    The settings are those of the package's own check, so that its cache is used.
    """
    file = folder / "user_code.py"
    file.write_text('# mypy: disable-error-code="type-arg"\n' + code)
    monkeypatch.setenv("MYPYPATH", str(ROOT))
    options = [f"--config-file={ROOT / 'setup.cfg'}", f"--cache-dir={ROOT / '.mypy_cache'}"]
    output, errors, status = mypy.run([*options, str(file)])
    return output + errors, status


@pytest.mark.slow
def test_user_code_passes_strict_type_checks(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    output, status = check_types(USER_CODE, tmp_path, monkeypatch)
    assert (output.splitlines()[-1], status) == ("Success: no issues found in 1 source file", 0)


WRONG_LINES = [
    "tracker_blur.redact_array(3)",
    "tracker_blur.Redactor().redact(image, channels='gbr')",
    "tracker_blur.Redactor(detector=3)",
    "tracker_blur.Redactor().hide(image, 3)",
    "tracker_blur.Redactor().render('in.mp4', 3, 'out.mp4')",
]


@pytest.mark.slow
def test_wrong_user_code_does_not(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    code = "import cv2, tracker_blur\nimage = cv2.imread('photo.jpg')\n" + "\n".join(WRONG_LINES)
    output, status = check_types(code, tmp_path, monkeypatch)
    assert status == 1
    for number in range(len(WRONG_LINES)):
        assert f"user_code.py:{4 + number}: error" in output
