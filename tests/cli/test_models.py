"""`trackblur models`: what is known, found and missing."""

from __future__ import annotations

from pathlib import Path

import pytest

from tracker_blur.cli.models import run_models
from tracker_blur.core import plugins
from tracker_blur.weights.catalog import MODELS, Model


@pytest.mark.parametrize("words", [[], ["list"]])
def test_all_weights_are_listed_with_their_licence_and_where_was_looked(
    words: list[str],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.delenv("TRACKBLUR_MODELS", raising=False)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    assert run_models(["--face", str(tmp_path), *words]) == 0
    files, licences = capsys.readouterr().out.split("\nname")
    for model in MODELS:
        assert model.name in files
        assert model.license_name in licences
    assert "missing" in files
    assert f"looked in: {tmp_path}" in licences


@pytest.mark.parametrize("model", MODELS, ids=lambda model: model.name)
def test_a_model_is_said_to_be_for_what_an_option_takes(model: Model) -> None:
    ends = [
        f"({kind} {name})"
        for kind in ("detector", "tracker")
        for name in plugins.names(f"tracker_blur.{kind}s")
    ]
    assert model.summary.endswith(tuple(ends))


def test_a_folder_that_is_missing_is_wrong_usage(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run_models(["--face", str(tmp_path / "none")]) == 2
    assert "no such folder of weight files" in capsys.readouterr().err


def test_only_known_weights_are_fetched(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        run_models(["pull", "psychic"])
    assert ended.value.code == 2
    assert "psychic" in capsys.readouterr().err
