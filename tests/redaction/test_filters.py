"""The two public functions that tutorials use, and the filters below them."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING, Any

import cv2
import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tracker_blur.redaction.filters import (
    anonymize_face_pixelate,
    anonymize_face_simple,
    block_means,
    gaussian_blur,
    kernel_px,
)

if TYPE_CHECKING:
    from collections.abc import Callable

FUNCTIONS = [anonymize_face_simple, anonymize_face_pixelate]


def noise(height: int, width: int, *channels: int) -> npt.NDArray[np.uint8]:
    rng = np.random.default_rng(height * 1000 + width)
    return rng.integers(0, 256, (height, width, *channels), dtype=np.uint8)


@pytest.mark.parametrize("function", FUNCTIONS)
@given(
    height=st.integers(1, 60), width=st.integers(1, 60), channels=st.sampled_from([(), (1,), (3,)])
)
def test_the_result_has_the_shape_of_the_image(
    function: Callable[..., Any], height: int, width: int, channels: tuple[int, ...]
) -> None:
    image = noise(height, width, *channels)
    before = image.copy()
    result = function(image)
    assert result.shape == image.shape
    assert result.dtype == np.uint8
    assert not np.shares_memory(result, image)
    np.testing.assert_array_equal(image, before)


@pytest.mark.parametrize("function", FUNCTIONS)
def test_a_view_of_an_image_is_accepted(function: Callable[..., Any]) -> None:
    image = noise(40, 60, 3)
    part = image[5:33, 50:20:-1]
    np.testing.assert_array_equal(function(part), function(np.ascontiguousarray(part)))


@pytest.mark.parametrize("function", FUNCTIONS)
@pytest.mark.parametrize(
    "image",
    [np.zeros((0, 5, 3), np.uint8), np.zeros((5, 5, 3), np.float32), np.zeros(5, np.uint8)],
)
def test_other_arrays_are_rejected(function: Callable[..., Any], image: Any) -> None:
    with pytest.raises(ValueError, match="give a uint8 array"):
        function(image)


@pytest.mark.parametrize("factor", [0, -1, float("nan"), float("inf")])
def test_an_invalid_factor_is_rejected(factor: float) -> None:
    with pytest.raises(ValueError, match="factor"):
        anonymize_face_simple(noise(9, 9), factor)


def test_less_than_one_block_is_rejected() -> None:
    with pytest.raises(ValueError, match="blocks"):
        anonymize_face_pixelate(noise(9, 9), 0)


@given(st.integers(1, 50), st.integers(1, 50), st.integers(1, 30))
def test_a_mosaic_is_a_grid_of_exact_means(height: int, width: int, blocks: int) -> None:
    image = noise(height, width, 3)
    result = anonymize_face_pixelate(image, blocks)
    ys = np.linspace(0, height, min(blocks, height) + 1).astype(int)
    xs = np.linspace(0, width, min(blocks, width) + 1).astype(int)
    for top, bottom in pairwise(ys):
        for left, right in pairwise(xs):
            mean = image[top:bottom, left:right].reshape(-1, 3).mean(axis=0)
            block = result[top:bottom, left:right].reshape(-1, 3)
            assert (block == block[0]).all()
            assert np.abs(block[0] - mean).max() <= 0.5


def test_means_are_exact_for_large_sums() -> None:
    samples = np.full((3000, 3000), 65535, np.uint16)  # the sum does not fit in 32 bits
    edges = np.array([0, 3000])
    assert block_means(samples, edges, edges).tolist() == [[65535]]


@pytest.mark.parametrize(
    ("side", "factor", "kernel"),
    [(120, 3.0, 41), (119, 3.0, 41), (9, 3.0, 3), (1, 3.0, 3), (0, 3.0, 3), (10, 1.0, 11)],
)
def test_kernels_are_odd_and_at_least_three(side: float, factor: float, kernel: int) -> None:
    assert kernel_px(side, factor) == kernel


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
@pytest.mark.parametrize("kernel", [(9, 9), (41, 31), (101, 75)])
def test_blurring_a_reduced_copy_matches_blurring_at_full_size(
    kernel: tuple[int, int], dtype: Any
) -> None:
    peak = np.iinfo(dtype).max
    image = (cv2.resize(noise(8, 8), (320, 240)) / 255 * peak).astype(dtype)
    full = cv2.GaussianBlur(
        image.astype(np.float32), (0, 0), sigmaX=kernel[0] / 2, sigmaY=kernel[1] / 2
    )
    result = gaussian_blur(image, *kernel)
    assert result.dtype == dtype
    assert np.abs(result - full).max() <= 0.05 * peak  # at the border; inside, under 0.01


def test_a_smaller_factor_leaves_less_detail() -> None:
    image = noise(120, 90, 3)
    details = [anonymize_face_simple(image, factor).std() for factor in (20.0, 6.0, 3.0, 1.0)]
    assert details == sorted(details, reverse=True)
    assert details[2] < 0.1 * image.std()


def test_a_factor_of_hundreds_of_digits_is_a_huge_one() -> None:
    image = noise(9, 9)
    huge = anonymize_face_simple(image, 10**400)
    assert (huge == anonymize_face_simple(image, 1e300)).all()
