"""What the pieces of a video depend on."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from tests.cluster.scenes import SETTINGS
from tracker_blur.cluster.manifest import store_key
from tracker_blur.cluster.parameters import ClusterParameters

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

PARAMETERS = ClusterParameters()


def key(
    digest: str = "a",
    settings: Any = SETTINGS,
    weights: tuple[str, ...] = ("face.onnx", "verify.onnx"),
    suffix: str = ".mp4",
    parameters: ClusterParameters = PARAMETERS,
) -> str:
    return store_key(digest, settings, weights, suffix, parameters)


@pytest.mark.parametrize(
    "changed",
    [
        lambda: key("b"),
        lambda: key(settings=replace(SETTINGS, margin_seconds=0.3)),
        lambda: key(weights=("face.onnx",)),
        lambda: key(suffix=".mkv"),
        lambda: key(parameters=replace(PARAMETERS, piece_seconds=9.0)),
    ],
    ids=["input", "settings", "weights", "output", "cut"],
)
def test_pieces_depend_on_all_that_is_given(changed: Callable[[], str]) -> None:
    assert changed() != key()


def test_pieces_depend_on_the_program(monkeypatch: pytest.MonkeyPatch) -> None:
    before = key()
    monkeypatch.setattr("tracker_blur.cluster.manifest.PROGRAM", "another")
    assert key() != before


def test_pieces_do_not_depend_on_what_may_be_replaced() -> None:
    assert key(settings=replace(SETTINGS, overwrite=not SETTINGS.overwrite)) == key()
    assert key(weights=("verify.onnx", "face.onnx"), suffix=".MP4") == key()


def test_pieces_depend_on_what_a_file_of_the_settings_contains(tmp_path: Path) -> None:
    image = tmp_path / "cover.png"
    settings = replace(SETTINGS, method="image", image=image)
    image.write_bytes(b"one")
    before = key(settings=settings)
    image.write_bytes(b"two")
    assert key(settings=settings) != before
