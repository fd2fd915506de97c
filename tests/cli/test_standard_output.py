"""What goes to standard output."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tests.annotated_files import write_table
from tests.cli.conftest import IMAGE
from tracker_blur.cli.standard_output import print_line


def test_results_are_escaped_but_keep_their_lines(capsys: pytest.CaptureFixture[str]) -> None:
    print_line("", "a\nb", "c\x1bd")
    assert capsys.readouterr().out == "\na\\nb\nc\\x1bd\n"


@pytest.fixture
def dataset(tmp_path: Path) -> Path:
    splits = ("train", "val", "test")
    return write_table(tmp_path, [(f"{s}.png", s, "face", "24 16 48 40", "") for s in splits])


@pytest.mark.slow
@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no device that is always full")
@pytest.mark.parametrize(
    "arguments",
    [
        [str(IMAGE), "out.jpg", "--detector", "onnx", "--view-size", "160", "--json"],
        ["models"],
        ["evaluate", "haar", "."],
        ["train", ".", "--name", "it", "--check"],
    ],
)
@pytest.mark.usefixtures("dataset")
def test_a_full_standard_output_is_one_line(arguments: list[str], tmp_path: Path) -> None:
    with Path("/dev/full").open("w") as full:
        ended = subprocess.run(
            [sys.executable, "-c", "from tracker_blur.cli.main import main; main()", *arguments],
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
