"""`trackblur models`: which weight files are known, found and missing."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.command_line import run
from tracker_blur.core import plugins
from tracker_blur.weights.catalog import MODELS, Model

if TYPE_CHECKING:
    from pathlib import Path


@pytest.mark.parametrize("arguments", [[], ["list"]])
def test_all_weights_are_listed_with_their_license_and_the_folders(
    arguments: list[str],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.delenv("TRACKBLUR_MODELS", raising=False)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    assert run("models", "--face", tmp_path, *arguments) == 0
    files, licenses = capsys.readouterr().out.split("\nname")
    for model in MODELS:
        assert model.name in files
        assert model.license_name in licenses
    assert "missing" in files
    assert f"searched: {tmp_path}" in licenses


@pytest.mark.parametrize("model", MODELS, ids=lambda model: model.name)
def test_a_summary_ends_with_the_value_of_the_option(model: Model) -> None:
    ends = [
        f"({kind} {name})"
        for kind in ("detector", "tracker")
        for name in plugins.names(f"tracker_blur.{kind}s")
    ]
    assert model.summary.endswith(tuple(ends))


def test_a_folder_that_is_missing_is_wrong_usage(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run("models", "--face", tmp_path / "none") == 2
    assert "no such folder of weight files" in capsys.readouterr().err


def test_only_known_weights_are_downloaded(capsys: pytest.CaptureFixture[str]) -> None:
    assert run("models", "pull", "psychic") == 2
    assert "psychic" in capsys.readouterr().err
