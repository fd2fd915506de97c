"""The contract of every redaction method, in every pixel layout."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from tests.fakes import LAYOUTS, noise_frame
from tracker_blur.core import plugins
from tracker_blur.core.box import Box
from tracker_blur.core.frame import Orientation, Plane
from tracker_blur.redaction.methods import Method, Patch, names_of
from tracker_blur.settings import Settings, method_class_of

NAMES = plugins.names("tracker_blur.redaction.methods")


def make(name: str, **changes: Any) -> Method:
    module = plugins.load("tracker_blur.redaction.methods", name)
    method: Method = module.make(Settings(method=name, **changes))
    return method


@pytest.fixture(scope="module", params=NAMES)
def method(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Method:
    logo = Path(tmp_path_factory.mktemp("logo"), "logo.png")
    Image.effect_noise((30, 20), 60).convert("RGB").save(logo)
    return make(request.param, image=logo)


def patch_of(layout: str, size: tuple[int, int], box: Box, seed: int = 3, data: int = 0) -> Patch:
    frame = noise_frame(layout, size, seed=data)
    return Patch(
        planes=frame.planes(),
        layout=frame.layout,
        orientation=Orientation.UPRIGHT,
        face=box.padded(-0.15),
        box=box,
        seed=seed,
    )


@given(
    layout=st.sampled_from(sorted(LAYOUTS)),
    size=st.tuples(st.integers(1, 50), st.integers(1, 50)),
    beyond=st.tuples(*[st.integers(0, 30)] * 4),
)
def test_hide_returns_new_samples_and_leaves_the_patch_untouched(
    method: Method, layout: str, size: tuple[int, int], beyond: tuple[int, int, int, int]
) -> None:
    left, top, right, bottom = (4 * cells for cells in beyond)  # on the grid of every layout
    box = Box(-left, -top, -(-size[0] // 4) * 4 + right, -(-size[1] // 4) * 4 + bottom)
    patch = patch_of(layout, size, box)
    before = [plane.samples.copy() for plane in patch.planes]
    fills = method.hide(patch)
    assert len(fills) == len(patch.planes)
    for plane, old, fill in zip(patch.planes, before, fills, strict=True):
        np.testing.assert_array_equal(plane.samples, old)
        assert fill.shape == plane.samples.shape
        assert fill.dtype == plane.samples.dtype
        assert fill.max() <= patch.layout.peak
        assert not np.shares_memory(fill, plane.samples)


@pytest.mark.parametrize("layout", sorted(LAYOUTS))
def test_detail_is_gone(method: Method, layout: str) -> None:
    """Two faces that differ only in fine detail come out almost the same."""
    box = Box(0, 0, 96, 128)
    one, other = (patch_of(layout, (96, 128), box, data=data) for data in (1, 2))
    fills = zip(method.hide(one), method.hide(other), strict=True)
    for plane, its, (first, second) in zip(one.planes, other.planes, fills, strict=True):
        clear = np.abs(plane.samples.astype(float) - its.samples).mean()
        left = np.abs(first.astype(float) - second).mean()
        assert left < 0.2 * clear


def test_hide_is_deterministic(method: Method) -> None:
    patch = patch_of("yuv420p", (40, 60), Box(0, 0, 40, 60))
    for first, second in zip(method.hide(patch), method.hide(patch), strict=True):
        np.testing.assert_array_equal(first, second)


@pytest.mark.parametrize("layout", sorted(LAYOUTS))
def test_gray_gains_no_color(method: Method, layout: str) -> None:
    """Gray stays gray, at any depth and in any range."""
    patch = patch_of(layout, (40, 40), Box(0, 0, 40, 40))
    middle = (patch.layout.peak + 1) // 2
    planes = tuple(
        Plane(np.full_like(plane.samples, middle), plane.x_step, plane.y_step)
        for plane in patch.planes
    )
    flat = dataclasses.replace(patch, planes=planes)
    fills = method.hide(flat)
    tolerance = 2 * (patch.layout.peak + 1) // 256
    if patch.layout.family == "yuv":
        for chroma in fills[1:]:
            assert np.abs(chroma.astype(int) - middle).max() <= tolerance
    if patch.layout.family == "rgb":
        for plane in fills[1:]:
            assert np.abs(plane.astype(int) - fills[0]).max() <= tolerance


@pytest.mark.parametrize("name", NAMES)
def test_the_first_line_of_the_docstring_fits_in_the_help(name: str) -> None:
    line = plugins.summary("tracker_blur.redaction.methods", name)
    assert 10 < len(line) <= 80


@pytest.mark.parametrize("name", NAMES)
def test_the_class_is_declared(name: str) -> None:
    declared = plugins.load("tracker_blur.redaction.methods", name).CLASS
    assert declared in ("cosmetic", "destructive")
    assert method_class_of(name) == declared


def test_methods_are_listed_by_class() -> None:
    assert names_of("cosmetic") == ("fog", "gaussian", "pixelated")
    assert names_of("destructive") == ("image", "mosaic", "solid")


def test_a_method_that_declares_no_class_is_cosmetic() -> None:
    assert method_class_of("homemade") == "cosmetic"


@pytest.mark.parametrize("name", names_of("destructive"))
@pytest.mark.parametrize("layout", sorted(LAYOUTS))
def test_a_destructive_method_leaves_nothing(name: str, layout: str, tmp_path: Path) -> None:
    """Two faces that share nothing come out the same."""
    logo = tmp_path / "logo.png"
    Image.effect_noise((30, 20), 60).convert("RGB").save(logo)
    method = make(name, image=logo)
    fills = [
        method.hide(patch_of(layout, (96, 128), Box(0, 0, 96, 128), data=data)) for data in (1, 2)
    ]
    for one, other in zip(*fills, strict=True):
        np.testing.assert_array_equal(one, other)
