"""A standard output that takes nothing ends any command in one line."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tests.annotated_files import write_table

PICTURE = Path(__file__).resolve().parents[2] / "samples" / "people.jpg"


@pytest.fixture
def dataset(tmp_path: Path) -> Path:
    splits = ("train", "val", "test")
    return write_table(tmp_path, [(f"{s}.png", s, "face", "24 16 48 40", "") for s in splits])


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no device that is always full")
@pytest.mark.parametrize(
    "words",
    [
        [str(PICTURE), "out.jpg", "--detector", "haar", "--json"],
        ["models"],
        ["evaluate", "haar", "."],
        ["train", ".", "--name", "it", "--check"],
    ],
)
@pytest.mark.usefixtures("dataset")
def test_a_full_standard_output_is_one_line(words: list[str], tmp_path: Path) -> None:
    with Path("/dev/full").open("w") as full:
        ended = subprocess.run(
            [sys.executable, "-c", "from tracker_blur.cli.main import main; main()", *words],
            cwd=tmp_path,
            stdout=full,
            stderr=subprocess.PIPE,
            text=True,
            check=False,
        )
    assert ended.returncode == 1
    assert "error: standard output cannot be written (no space left" in ended.stderr
    assert "Traceback" not in ended.stderr
    assert "Exception" not in ended.stderr
