"""Every form of an image becomes a frame and comes back in the same form."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import cv2
import numpy as np
import pytest

from tracker_blur.api.images import Array, array_like, frame_of
from tracker_blur.api.redactor import Redactor
from tracker_blur.errors import InputError, SourceError
from tracker_blur.settings import Settings

if TYPE_CHECKING:
    from pathlib import Path

    from tracker_blur.api.images import ChannelOrder

RANDOM = np.random.default_rng(3)


def noise(*shape: int, dtype: Any = np.uint8) -> Array:
    return RANDOM.integers(0, np.iinfo(dtype).max, shape, dtype, endpoint=True)


@pytest.mark.parametrize("channels", ["bgr", "rgb"])
@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
@pytest.mark.parametrize("shape", [(5, 7), (5, 7, 1), (5, 7, 3), (5, 7, 4), (1, 1, 3)])
def test_an_array_comes_back_with_its_shape_type_and_values(
    shape: tuple[int, ...], dtype: Any, channels: ChannelOrder
) -> None:
    image = noise(*shape, dtype=dtype)
    frame = frame_of(image, channels)
    assert frame.size == (shape[1], shape[0])
    back = array_like(frame, image, channels)
    assert back.dtype == dtype
    np.testing.assert_array_equal(back, image)
    assert not np.shares_memory(back, image)


def test_the_order_of_channels_says_which_one_is_red() -> None:
    image = np.zeros((2, 2, 4), np.uint8)
    image[..., 0] = 200
    image[..., 3] = 90
    red, _, blue = frame_of(image, "bgr").channels
    assert (red.max(), blue.min()) == (0, 200)
    red, _, blue = frame_of(image, "rgb").channels
    assert (red.min(), blue.max()) == (200, 0)
    for order in ("bgr", "rgb"):
        alpha = frame_of(image, order).alpha
        assert alpha is not None
        assert alpha.min() == alpha.max() == 90


def test_read_only_and_strided_arrays_are_taken_and_left_alone() -> None:
    whole = noise(20, 20, 3)
    whole.flags.writeable = False
    part = whole[::2, ::-1]
    frame = frame_of(part)
    for plane in frame.planes():
        plane.samples[...] = 0
    np.testing.assert_array_equal(part, whole[::2, ::-1])
    assert whole.any()


@pytest.mark.parametrize(
    ("name", "shape"), [("gray.png", (6, 8)), ("color.png", (6, 8, 3)), ("alpha.png", (6, 8, 4))]
)
@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
def test_a_file_its_path_as_text_and_its_bytes_are_what_opencv_reads(
    name: str, shape: tuple[int, ...], dtype: Any, tmp_path: Path
) -> None:
    path = tmp_path / name
    cv2.imwrite(str(path), noise(*shape, dtype=dtype))
    expected = cv2.imread(str(path), cv2.IMREAD_UNCHANGED)
    assert expected is not None
    content = path.read_bytes()
    for given in (path, str(path), content, bytearray(content), memoryview(content)):
        np.testing.assert_array_equal(array_like(frame_of(given), given, "bgr"), expected)
    if len(shape) == 3:
        order = [2, 1, 0, 3][: shape[2]]
        np.testing.assert_array_equal(
            array_like(frame_of(path, "rgb"), path, "rgb"), expected[..., order]
        )


@pytest.mark.parametrize(
    "image",
    [
        None,
        3,
        [[1, 2, 3]],
        object(),
        "",
        "a\0b.jpg",
        np.zeros((4, 4, 2), np.uint8),
        np.zeros((4, 4, 3), np.float32),
        np.zeros((4, 4, 3), bool),
        np.zeros((4, 4, 3), np.int16),
        np.zeros((4, 0, 3), np.uint8),
        np.zeros((2, 4, 4, 3), np.uint8),
        np.zeros(4, np.uint8),
        np.array(["photo.jpg"]),
    ],
)
def test_whatever_is_no_image_is_an_input_error(image: object) -> None:
    with pytest.raises(InputError) as caught:
        frame_of(image)
    assert "the image" in str(caught.value)
    assert "\n" not in str(caught.value)


def test_an_image_that_opencv_could_not_read_is_explained() -> None:
    with pytest.raises(InputError, match=r"the image is None.*could its file be read"):
        frame_of(None)


def test_another_order_of_channels_is_an_input_error() -> None:
    with pytest.raises(InputError, match="channels is 'gbr': give 'bgr' or 'rgb'"):
        frame_of(noise(4, 4, 3), "gbr")  # type: ignore[arg-type]  # deliberately wrong


@pytest.mark.parametrize("content", [b"", b"hello", b"\x89PNG\r\n\x1a\n"])
def test_bytes_that_are_no_image_are_a_source_error(content: bytes) -> None:
    with pytest.raises(SourceError, match=r"^the image: "):
        frame_of(content)


def test_a_missing_file_is_a_source_error(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match=r"none\.jpg: no such file"):
        frame_of(tmp_path / "none.jpg")


def test_a_file_of_several_images_is_refused_not_cut_to_the_first(tmp_path: Path) -> None:
    path = tmp_path / "pages.tif"
    cv2.imwritemulti(str(path), [noise(6, 8, 3), noise(6, 8, 3)])
    with pytest.raises(SourceError, match=r"pages\.tif: holds several images"):
        frame_of(path)


def test_the_limit_of_pixels_is_that_of_the_settings(tmp_path: Path) -> None:
    path = tmp_path / "a.png"
    cv2.imwrite(str(path), np.zeros((1000, 1100), np.uint8))
    for image in (str(path), path.read_bytes()):
        with pytest.raises(SourceError, match="1100 x 1000 pixels"):
            Redactor(Settings(max_megapixels=1)).hide(image, [])
        assert Redactor(Settings(max_megapixels=1.1)).hide(image, []).shape == (1000, 1100)
