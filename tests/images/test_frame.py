"""What the detector sees of an image."""

from __future__ import annotations

from typing import TYPE_CHECKING

import cv2
import numpy as np
import tifffile

from tests.image_files import noise, pixels, portrait, read_frames, save_image

if TYPE_CHECKING:
    from pathlib import Path


class TestViews:
    def test_a_view_is_a_reduced_bgr_image(self, tmp_path: Path) -> None:
        (frame,) = read_frames(save_image(portrait(), tmp_path / "a.png"))
        view = frame.view((64, 64))
        expected = cv2.resize(portrait()[..., ::-1], (64, 64), interpolation=cv2.INTER_AREA)
        assert np.array_equal(view, expected)
        assert view.flags.c_contiguous

    def test_a_view_of_full_size_is_a_copy(self, tmp_path: Path) -> None:
        (frame,) = read_frames(save_image(portrait(), tmp_path / "a.png"))
        view = frame.view(frame.size)
        view[:] = 0
        assert np.array_equal(pixels(frame), portrait())

    def test_an_enlarged_view_is_smooth(self, tmp_path: Path) -> None:
        (frame,) = read_frames(save_image(portrait(), tmp_path / "a.png"))
        view = frame.view((512, 512))
        expected = cv2.resize(portrait()[..., ::-1], (512, 512), interpolation=cv2.INTER_CUBIC)
        assert np.array_equal(view, expected)

    def test_a_view_of_gray_has_three_channels(self, tmp_path: Path) -> None:
        (frame,) = read_frames(save_image(portrait()[..., 0].copy(), tmp_path / "a.png"))
        assert np.array_equal(frame.view((256, 256)), np.dstack([portrait()[..., 0]] * 3))

    def test_a_view_brightens_images_that_use_only_the_lower_bits(self, tmp_path: Path) -> None:
        dark = portrait().astype(np.uint16) * 8  # 11 bits of 16
        tifffile.imwrite(tmp_path / "a.tif", dark, photometric="rgb")
        (frame,) = read_frames(tmp_path / "a.tif")
        assert np.abs(frame.view((256, 256))[..., ::-1].astype(int) - portrait()).max() <= 1

    def test_a_view_ignores_transparency(self, tmp_path: Path) -> None:
        clear = np.dstack([portrait(), np.zeros((256, 256), np.uint8)])
        (frame,) = read_frames(save_image(clear, tmp_path / "a.png"))
        assert np.array_equal(frame.view((256, 256)), portrait()[..., ::-1])
        assert len(frame.planes()) == 3

    def test_a_very_long_image_has_a_view(self, tmp_path: Path) -> None:
        (frame,) = read_frames(save_image(noise(2, 40_000), tmp_path / "a.png"))
        assert frame.view((640, 1)).shape == (1, 640, 3)
