"""Images are stored as their inputs were."""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING

import cv2
import numpy as np
import pytest
import tifffile
from PIL import Image

from tests.image_files import (
    PROFILE,
    hide_spot,
    noise,
    pixels,
    png_chunk,
    png_file,
    portrait,
    read_frames,
    rewrite,
    save_image,
    with_black_spot,
)

if TYPE_CHECKING:
    from pathlib import Path

GRAY, RGB, GRAY_ALPHA, RGBA = (37, 41), (37, 41, 3), (37, 41, 2), (37, 41, 4)


class TestStorage:
    @pytest.mark.parametrize("compression", ["raw", "tiff_lzw", "tiff_adobe_deflate", "packbits"])
    def test_a_tiff_keeps_its_compression(self, tmp_path: Path, compression: str) -> None:
        source = save_image(portrait(), tmp_path / "a.tif", compression=compression)
        with Image.open(rewrite(source, tmp_path / "b.tif")) as written:
            assert written.info["compression"] == compression
            assert np.array_equal(np.asarray(written), portrait())

    @pytest.mark.parametrize(("compression", "number"), [("raw", 1), ("lzw", 5), ("zlib", 8)])
    def test_a_deep_tiff_keeps_its_compression(
        self, tmp_path: Path, compression: str, number: int
    ) -> None:
        deep = portrait().astype(np.uint16) * 257
        code = [cv2.IMWRITE_TIFF_COMPRESSION, number]
        cv2.imwrite(str(tmp_path / "a.tif"), deep, code)
        target = rewrite(tmp_path / "a.tif", tmp_path / "b.tif")
        with tifffile.TiffFile(target) as written:
            page = written.pages.first
            assert page.compression in (number, 32946)
            assert page.bitspersample == 16
        samples = cv2.imread(str(target), cv2.IMREAD_UNCHANGED)
        assert samples is not None
        assert np.array_equal(samples, deep)

    def test_a_fax_keeps_its_compression(self, tmp_path: Path) -> None:
        source = save_image(noise(*GRAY) > 127, tmp_path / "a.tif", compression="group4")
        with Image.open(rewrite(source, tmp_path / "b.tif", hide_spot)) as written:
            assert written.info["compression"] == "group4"

    def test_a_tiff_with_jpeg_inside_stays_small(self, tmp_path: Path) -> None:
        source = save_image(portrait(), tmp_path / "a.tif", compression="jpeg", quality=95)
        target = rewrite(source, tmp_path / "b.tif")
        with Image.open(target) as written:
            assert written.info["compression"] == "jpeg"
        assert target.stat().st_size < 1.5 * source.stat().st_size

    def test_premultiplied_transparency_stays_so(self, tmp_path: Path) -> None:
        array = noise(*RGBA, dtype=np.uint16)
        tifffile.imwrite(tmp_path / "a.tif", array, photometric="rgb", extrasamples=["assocalpha"])
        target = rewrite(tmp_path / "a.tif", tmp_path / "b.tif")
        with tifffile.TiffFile(target) as written:
            assert written.pages.first.extrasamples == (1,)
            assert np.array_equal(written.asarray(), array)

    def test_pages_keep_their_sizes_depths_and_compressions(self, tmp_path: Path) -> None:
        pages = [
            (noise(30, 21, 3), "rgb", None),
            (noise(29, 24, dtype=np.uint16), "minisblack", "zlib"),
            (noise(33, 28, 3, dtype=np.uint16), "rgb", "zlib"),
            (noise(24, 24), "minisblack", None),
        ]
        with tifffile.TiffWriter(tmp_path / "a.tif") as writer:
            for page, photometric, compression in pages:
                writer.write(page, photometric=photometric, compression=compression)
        target = rewrite(tmp_path / "a.tif", tmp_path / "b.tif", hide_spot)
        with tifffile.TiffFile(target) as written:
            assert len(written.pages) == 4
            for (page, _, compression), stored in zip(pages, written.pages, strict=True):
                assert np.array_equal(
                    stored.aspage().asarray(), with_black_spot(page, has_alpha=False)
                )
                assert (stored.compression == 8) == (compression == "zlib")

    @pytest.mark.parametrize("suffix", ["jpg", "png", "webp", "tif"])
    def test_the_color_profile_is_kept(self, tmp_path: Path, suffix: str) -> None:
        source = save_image(portrait(), tmp_path / f"a.{suffix}", icc_profile=PROFILE)
        target = rewrite(source, tmp_path / f"b.{suffix}")
        with Image.open(target) as written:
            assert written.info["icc_profile"] == PROFILE

    @pytest.mark.parametrize("suffix", ["png", "tif"])
    def test_the_color_profile_of_a_deep_image_is_kept(self, tmp_path: Path, suffix: str) -> None:
        array = noise(*RGB, dtype=np.uint16)
        tag = (34675, 7, len(PROFILE), PROFILE, True)
        tifffile.imwrite(
            tmp_path / "a.tif", array, photometric="rgb", extratags=[tag], resolution=(300, 300)
        )
        target = rewrite(tmp_path / "a.tif", tmp_path / f"b.{suffix}")
        with Image.open(target) as written:
            assert written.info["icc_profile"] == PROFILE
        assert np.array_equal(pixels(read_frames(target)[0]), array)

    @pytest.mark.parametrize("suffix", ["jpg", "png", "tif", "bmp"])
    def test_the_resolution_is_kept(self, tmp_path: Path, suffix: str) -> None:
        source = save_image(portrait(), tmp_path / f"a.{suffix}", dpi=(300, 150))
        with Image.open(rewrite(source, tmp_path / f"b.{suffix}")) as written:
            assert [round(value) for value in written.info["dpi"]] == [300, 150]

    @pytest.mark.parametrize("depth", [np.uint8, np.uint16])
    def test_the_color_chunks_of_a_png_are_kept(self, tmp_path: Path, depth: type) -> None:
        meant = png_chunk(b"gAMA", struct.pack(">I", 100_000))
        meant += png_chunk(b"cICP", bytes([9, 16, 0, 1]))
        meant += png_chunk(b"pHYs", struct.pack(">IIB", 2, 1, 0))
        sensitive_exif = png_chunk(b"tEXt", b"Comment\0secret") + png_chunk(b"prVt", b"secret")
        (tmp_path / "a.png").write_bytes(png_file(noise(*RGB, dtype=depth), meant + sensitive_exif))
        written = rewrite(tmp_path / "a.png", tmp_path / "b.png").read_bytes()
        assert meant in written
        assert b"secret" not in written
