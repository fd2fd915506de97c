"""Errors name settings as their reader sets them: the library's names, or the flags."""

from __future__ import annotations

import ast
import copy
import pickle
import re
from pathlib import Path

import cv2
import numpy as np
import pytest

import tracker_blur
from tracker_blur import errors
from tracker_blur.errors import (
    MissingPackageError,
    SettingsError,
    SinkError,
    SourceError,
    TrackerBlurError,
    reason_of,
)

PACKAGE = Path(tracker_blur.__file__).parent
# Only commands run these, so they may name flags.
COMMAND_FOLDERS = {"cli", "realtime", "training"}
LIBRARY = [
    path
    for path in sorted(PACKAGE.rglob("*.py"))
    if path.relative_to(PACKAGE).parts[0] not in COMMAND_FOLDERS
]


@pytest.mark.parametrize(
    ("error", "library", "command_line"),
    [
        (TrackerBlurError("a.mp4: is empty"), "a.mp4: is empty", "a.mp4: is empty"),
        (
            SettingsError("is 3: give a number from 64", setting="view_px"),
            "`view_px` is 3: give a number from 64",
            "--view-size is 3: give a number from 64",
        ),
        (
            SinkError("a`b.mp4: already exists: use", remedy="overwrite"),
            "a`b.mp4: already exists: use `overwrite`",
            "a`b.mp4: already exists: use --overwrite",
        ),
        (
            SettingsError(
                "works only in one pass: add", setting="delay_seconds", remedy="one_pass"
            ),
            "`delay_seconds` works only in one pass: add `one_pass`",
            "`delay_seconds` works only in one pass: add --one-pass",
        ),
        (
            SinkError.about("a.mp4", SettingsError("is 3: give a number", setting="view_px")),
            "a.mp4: `view_px` is 3: give a number",
            "a.mp4: --view-size is 3: give a number",
        ),
        (
            SinkError.about(
                "a.m3u8", SinkError("is full: use", remedy="overwrite", subject="b.ts")
            ),
            "a.m3u8: b.ts: is full: use `overwrite`",
            "a.m3u8: b.ts: is full: use --overwrite",
        ),
    ],
)
def test_a_message_names_settings_or_flags(
    error: TrackerBlurError, library: str, command_line: str
) -> None:
    flags = {"view_px": "--view-size", "overwrite": "--overwrite", "one_pass": "--one-pass"}
    assert str(error) == library
    assert error.text(flags) == command_line
    assert error.args == (library,)
    assert repr(error) == f"{type(error).__name__}({library!r})"
    assert str(copy.copy(error)) == library
    assert copy.copy(error).text(flags) == command_line


def test_callers_of_the_library_read_the_names_of_settings(tmp_path: Path) -> None:
    image, target = tmp_path / "in.png", tmp_path / "out.png"
    cv2.imwrite(str(image), np.zeros((64, 64, 3), np.uint8))
    target.touch()
    message = "already exists: choose another name or use `overwrite`"
    with pytest.raises(SinkError, match=message):
        tracker_blur.redact_image(image, target, tracker_blur.Settings(detector="haar"))


@pytest.mark.parametrize("path", LIBRARY, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_no_error_of_the_library_names_a_flag(path: Path) -> None:
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Raise):
            assert not re.search(r"(?<![\w-])--[a-z]", ast.unparse(node))


def test_every_error_is_in_the_tree_of_the_docstring() -> None:
    assert errors.__doc__ is not None
    for error in TrackerBlurError.__subclasses__():
        bases = [base.__name__ for base in error.__bases__ if base is not TrackerBlurError]
        assert error.__name__ in errors.__doc__
        assert all(f"({base})" in errors.__doc__ for base in bases)


def test_the_reason_is_the_systems_own_in_lower_case() -> None:
    with pytest.raises(FileNotFoundError) as caught:
        Path("none", "none").read_bytes()
    assert reason_of(caught.value) == "no such file or directory"
    assert reason_of(SourceError("Gone")) == "gone"


def all_kinds(kind: type[TrackerBlurError]) -> list[type[TrackerBlurError]]:
    return [kind, *(below for sub in kind.__subclasses__() for below in all_kinds(sub))]


@pytest.mark.parametrize("kind", all_kinds(TrackerBlurError))
def test_every_error_can_be_pickled(kind: type[TrackerBlurError]) -> None:
    error = (
        MissingPackageError("torch", "train", "training")
        if issubclass(kind, MissingPackageError)
        else kind("is 3: use", setting="view_px", remedy="overwrite", subject="a.mp4")
    )
    again = pickle.loads(pickle.dumps(error))  # noqa: S301  # our own bytes
    assert type(again) is kind
    assert str(again) == str(error)
    flags = {"view_px": "--view-size", "overwrite": "--overwrite"}
    assert again.text(flags) == error.text(flags)


def test_a_message_is_one_line_whatever_the_name_of_the_file() -> None:
    error = SourceError("a\n\x1b[2J.mp4: is empty: download it again")
    assert str(error) == r"a\n\x1b[2J.mp4: is empty: download it again"
