"""Animations keep their frames, durations and palettes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from tests.image_files import (
    Array,
    hide_spot,
    pillow_info,
    pixels,
    portrait,
    read_frames,
    rewrite,
    save_image,
)

if TYPE_CHECKING:
    from pathlib import Path

    from tracker_blur.images.frame import ImageFrame


class TestAnimations:
    def written(self, tmp_path: Path, suffix: str, **options: Any) -> Path:
        shown = [Image.fromarray(portrait()[i : i + 130, 70:200]) for i in (0, 20, 40)]
        path = tmp_path / f"a.{suffix}"
        shown[0].save(path, save_all=True, append_images=shown[1:], **options)
        return path

    @pytest.mark.parametrize("suffix", ["gif", "png", "webp"])
    def test_pixels_outside_the_faces_stay(self, tmp_path: Path, suffix: str) -> None:
        source = self.written(tmp_path, suffix, duration=[100, 50, 70], lossless=True)
        target = rewrite(source, tmp_path / f"b.{suffix}", hide_spot)
        before, after = read_frames(source), read_frames(target)
        assert [frame.duration for frame in after] == [100_000, 50_000, 70_000]
        for old, new in zip(before, after, strict=True):
            kept = np.ones(old.channels[0].shape, bool)
            kept[6:17, 5:20] = False
            assert np.array_equal(pixels(old)[..., :3][kept], pixels(new)[..., :3][kept])
            darkest = 0 if suffix != "gif" else int(pixels(old)[..., :3].sum(axis=2).min())
            assert pixels(new)[6:17, 5:20, :3].sum(axis=2).max() <= darkest

    @pytest.mark.parametrize("suffix", ["gif", "png", "webp"])
    @pytest.mark.parametrize("loop", [None, 0, 1, 5])
    def test_the_number_of_plays_is_kept(
        self, tmp_path: Path, suffix: str, loop: int | None
    ) -> None:
        options = {} if loop is None else {"loop": loop}
        source = self.written(tmp_path, suffix, duration=100, **options)
        target = rewrite(source, tmp_path / f"b.{suffix}")
        assert pillow_info(target).get("loop") == pillow_info(source).get("loop")

    def test_the_number_of_plays_is_converted_between_formats(self, tmp_path: Path) -> None:
        source = self.written(tmp_path, "gif", duration=100, loop=2)  # repeated twice
        target = rewrite(source, tmp_path / "b.webp")
        assert pillow_info(target)["loop"] == 3
        assert pillow_info(rewrite(target, tmp_path / "c.gif"))["loop"] == 2

    def test_a_thirtieth_of_a_second_does_not_drift(self, tmp_path: Path) -> None:
        source = self.written(tmp_path, "png", duration=1000 / 30)
        if read_frames(source)[0].duration != 33_333:
            pytest.skip("this Pillow writes whole milliseconds")
        target = rewrite(source, tmp_path / "b.png")
        assert [frame.duration for frame in read_frames(target)] == [33_333] * 3

    @given(
        seed=st.integers(0, 1000),
        colors=st.integers(2, 300),
        clear=st.booleans(),
        moving=st.booleans(),
    )
    @settings(max_examples=25)
    def test_a_gif_shows_the_same_whatever_its_colors(
        self, tmp_path: Path, seed: int, colors: int, clear: bool, moving: bool
    ) -> None:
        random = np.random.default_rng(seed)
        table = random.integers(0, 256, (min(colors, 255), 3), dtype=np.uint8)
        shown: list[Array] = []
        for index in range(3):
            image = table[random.integers(0, len(table), (12, 14))]
            alpha = np.full((12, 14), 255, np.uint8)
            if clear:
                alpha[random.random((12, 14)) < 0.5] = 0
            if moving and index:
                image[:6] = shown[0][:6, :, :3]
                alpha[:6] = shown[0][:6, :, 3]
            shown.append(np.dstack([image, alpha]))
        first, *others = (Image.fromarray(image) for image in shown)
        first.save(tmp_path / "a.png", save_all=True, append_images=others, duration=100)
        target = rewrite(tmp_path / "a.png", tmp_path / "b.gif", overwrite=True)
        again = rewrite(target, tmp_path / "c.gif", overwrite=True)
        for path in (target, again):
            with Image.open(path) as stored:
                for index, image in enumerate(shown):
                    stored.seek(index)
                    seen = np.asarray(stored.convert("RGBA"))
                    assert np.array_equal(seen[..., 3], image[..., 3])
                    opaque = image[..., 3] > 0
                    assert np.array_equal(seen[opaque], image[opaque])

    def test_new_colors_become_the_nearest_of_the_palette(self, tmp_path: Path) -> None:
        ramp = np.arange(256, dtype=np.uint8).reshape(16, 16)
        gray = np.vstack([ramp, ramp[:4]])  # all 256 stay in use
        table = np.stack([gray, gray, 255 - gray], axis=-1)
        save_image(table, tmp_path / "a.gif")

        def tint(frame: ImageFrame) -> None:
            for plane, value in zip(frame.planes(), (100, 101, 157), strict=True):
                plane.samples[16:] = value

        (written,) = read_frames(rewrite(tmp_path / "a.gif", tmp_path / "b.gif", tint))
        assert np.array_equal(pixels(written)[:16], table[:16])
        assert np.unique(pixels(written)[16:].reshape(-1, 3), axis=0).tolist() == [[100, 100, 155]]

    def test_more_colors_than_a_palette_holds_are_reduced(self, tmp_path: Path) -> None:
        source = save_image(portrait(), tmp_path / "a.png")
        (written,) = read_frames(rewrite(source, tmp_path / "b.gif"))
        assert np.abs(pixels(written).astype(int) - portrait()).mean() < 8

    def test_colors_under_transparent_gif_pixels_are_not_stored(self, tmp_path: Path) -> None:
        array = np.dstack([portrait(), np.zeros((256, 256), np.uint8)])
        target = rewrite(save_image(array, tmp_path / "a.png"), tmp_path / "b.gif")
        assert target.stat().st_size < 2000
