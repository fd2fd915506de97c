"""Settings are named as the reader sets them: callers by their names, users by their flags."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

import tracker_blur
from tracker_blur.cli.flags import in_flags
from tracker_blur.errors import SinkError

PACKAGE = Path(tracker_blur.__file__).parent
OF_COMMANDS_ALONE = {"cli", "realtime", "training"}
LIBRARY = [
    path
    for path in sorted(PACKAGE.rglob("*.py"))
    if path.relative_to(PACKAGE).parts[0] not in OF_COMMANDS_ALONE
]


def test_settings_become_flags_and_other_words_stay() -> None:
    said = in_flags("`overwrite` it, `models_folder`, `delay_seconds`, `nothing`")
    assert said == "--overwrite it, --face, --delay, `nothing`"


def test_callers_of_the_library_are_told_settings(tmp_path: Path) -> None:
    target = tmp_path / "out.jpg"
    target.touch()
    picture = PACKAGE.parent / "samples" / "people.jpg"
    with pytest.raises(SinkError, match="exists already: choose another name, or `overwrite` it"):
        tracker_blur.redact_picture(picture, target, tracker_blur.Settings(detector="haar"))


@pytest.mark.parametrize("path", LIBRARY, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_no_error_of_the_library_names_a_flag(path: Path) -> None:
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Raise):
            assert not re.search(r"(?<![\w-])--[a-z]", ast.unparse(node))
