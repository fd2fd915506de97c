"""Samples are decoded upright and in their own depth."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING, Any

import numpy as np
import pillow_heif
import pytest
import tifffile
from PIL import Image, ImageCms

from tests.image_files import (
    blacken,
    bmp_file,
    hide_spot,
    noise,
    pillow_info,
    pixels,
    png_chunk,
    png_file,
    portrait,
    read_frames,
    rewrite,
    save_image,
    with_black_spot,
)
from tracker_blur.core.frame import Orientation, PixelLayout
from tracker_blur.errors import SinkError, SourceError
from tracker_blur.images.reader import ImageReader

if TYPE_CHECKING:
    from pathlib import Path

GRAY, RGB, GRAY_ALPHA, RGBA = (7, 9), (7, 9, 3), (7, 9, 2), (7, 9, 4)


@pytest.mark.parametrize(
    ("suffix", "shape"),
    [
        *itertools.product(["png", "tiff"], [GRAY, RGB, GRAY_ALPHA, RGBA]),
        *itertools.product(["bmp"], [GRAY, RGB]),
        *itertools.product(["webp"], [RGB, RGBA]),
    ],
)
def test_eight_bits_are_read_as_they_are(
    tmp_path: Path, suffix: str, shape: tuple[int, ...]
) -> None:
    array = noise(*shape)
    options = {"lossless": True, "exact": True} if suffix == "webp" else {}
    (frame,) = read_frames(save_image(array, tmp_path / f"a.{suffix}", **options))
    assert np.array_equal(pixels(frame), array)
    assert frame.layout == PixelLayout("gray" if shape in (GRAY, GRAY_ALPHA) else "rgb")


@pytest.mark.parametrize("shape", [GRAY, RGB, RGBA])
def test_sixteen_bits_of_a_png_stay(tmp_path: Path, shape: tuple[int, ...]) -> None:
    array = noise(*shape, dtype=np.uint16)
    path = tmp_path / "a.png"
    path.write_bytes(png_file(array))
    (frame,) = read_frames(path)
    assert np.array_equal(pixels(frame), array)
    assert frame.layout.bits == 16


def test_sixteen_bits_of_gray_with_transparency_become_colors(tmp_path: Path) -> None:
    array = noise(*GRAY_ALPHA, dtype=np.uint16)
    (tmp_path / "a.png").write_bytes(png_file(array))
    (frame,) = read_frames(tmp_path / "a.png")
    gray, alpha = array[..., 0], array[..., 1]
    assert np.array_equal(pixels(frame), np.stack([gray, gray, gray, alpha], axis=-1))


def test_a_transparent_color_of_a_png_becomes_alpha(tmp_path: Path) -> None:
    for dtype in (np.uint8, np.uint16):
        array = noise(*RGB, dtype=dtype)
        color = array[2, 3].astype(">u2").tobytes()
        (tmp_path / "a.png").write_bytes(png_file(array, png_chunk(b"tRNS", color)))
        (frame,) = read_frames(tmp_path / "a.png")
        assert frame.alpha is not None
        assert frame.alpha[2, 3] == 0
        assert frame.alpha[0, 0] == np.iinfo(dtype).max
        assert np.array_equal(pixels(frame)[..., :3], array)


def test_a_bmp_without_any_opacity_does_not_use_its_alpha(tmp_path: Path) -> None:
    array = noise(*RGBA)
    array[..., 3] = 0
    (tmp_path / "a.bmp").write_bytes(bmp_file(array))
    (frame,) = read_frames(tmp_path / "a.bmp")
    assert frame.alpha is None
    assert np.array_equal(pixels(frame), array[..., :3])


def test_the_alpha_of_a_bmp_is_read(tmp_path: Path) -> None:
    array = noise(*RGBA)
    array[..., 3] = 0
    array[2, 3, 3] = 1
    (tmp_path / "a.bmp").write_bytes(bmp_file(array))
    (frame,) = read_frames(tmp_path / "a.bmp")
    assert np.array_equal(pixels(frame), array)


@pytest.mark.parametrize(
    ("shape", "options"),
    [
        (RGB, {"photometric": "rgb"}),
        (RGB, {"photometric": "rgb", "byteorder": ">"}),
        (RGB, {"photometric": "rgb", "compression": "zlib", "predictor": True}),
        ((32, 32, 3), {"photometric": "rgb", "tile": (16, 16)}),
        (RGBA, {"photometric": "rgb", "extrasamples": ["unassalpha"]}),
        (GRAY, {"photometric": "minisblack"}),
    ],
)
def test_sixteen_bits_of_a_tiff_stay(
    tmp_path: Path, shape: tuple[int, ...], options: dict[str, Any]
) -> None:
    array = noise(*shape, dtype=np.uint16)
    tifffile.imwrite(tmp_path / "a.tif", array, **options)
    (frame,) = read_frames(tmp_path / "a.tif")
    assert np.array_equal(pixels(frame), array)


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
def test_a_tiff_where_zero_is_white_is_inverted(tmp_path: Path, dtype: type) -> None:
    array = noise(*GRAY, dtype=dtype)
    tifffile.imwrite(tmp_path / "a.tif", array, photometric="miniswhite")
    (frame,) = read_frames(tmp_path / "a.tif")
    assert np.array_equal(pixels(frame), np.iinfo(dtype).max - array)


def test_a_fourth_channel_that_is_not_alpha_is_dropped(tmp_path: Path) -> None:
    array = noise(*RGBA, dtype=np.uint16)
    tifffile.imwrite(tmp_path / "a.tif", array, photometric="rgb", extrasamples=["unspecified"])
    (frame,) = read_frames(tmp_path / "a.tif")
    assert np.array_equal(pixels(frame), array[..., :3])


def test_every_page_is_read_with_its_own_size_and_depth(tmp_path: Path) -> None:
    pages = [
        noise(5, 6, 3),
        noise(9, 4, dtype=np.uint16),
        noise(3, 8, 3, dtype=np.uint16),
        noise(4, 4),
    ]
    with tifffile.TiffWriter(tmp_path / "a.tif") as writer:
        for page in pages:
            writer.write(page, photometric="rgb" if page.ndim == 3 else "minisblack")
    with ImageReader(tmp_path / "a.tif") as source:
        assert source.info.frame_count == 4
        assert source.info.size == (6, 5)
        assert not source.info.is_moving
        read = list(source)
    for frame, page in zip(read, pages, strict=True):
        assert np.array_equal(pixels(frame), page)
        assert frame.size == (page.shape[1], page.shape[0])


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
@pytest.mark.parametrize("thumbnail_at", [0, 1, 2])
def test_a_thumbnail_among_the_pages_is_skipped(
    tmp_path: Path, thumbnail_at: int, dtype: type
) -> None:
    """A thumbnail shows the face too, too small for a detector."""
    pages = [noise(24, 32, 3, dtype=dtype, seed=seed) for seed in range(2)]
    with tifffile.TiffWriter(tmp_path / "a.tif") as writer:
        for page in (*pages[:thumbnail_at], None, *pages[thumbnail_at:]):
            if page is None:
                writer.write(noise(6, 8, 3, dtype=dtype), photometric="rgb", subfiletype=1)
            else:
                writer.write(page, photometric="rgb")
    with ImageReader(tmp_path / "a.tif") as source:
        assert source.info.frame_count == 2
        read = list(source)
    for frame, page in zip(read, pages, strict=True):
        assert np.array_equal(pixels(frame), page)


def test_a_tiff_of_thumbnails_alone_is_refused(tmp_path: Path) -> None:
    with tifffile.TiffWriter(tmp_path / "a.tif") as writer:
        writer.write(noise(6, 8, 3), photometric="rgb", subfiletype=1)
    with pytest.raises(SourceError, match="holds only reduced copies"):
        ImageReader(tmp_path / "a.tif")


@pytest.mark.parametrize("orientation", list(Orientation))
@pytest.mark.parametrize("suffix", ["jpg", "png", "webp", "tiff", "deep tiff"])
def test_images_are_turned_upright(tmp_path: Path, suffix: str, orientation: Orientation) -> None:
    stored = noise(16, 32, 3, seed=3)
    if suffix == "deep tiff":
        stored = stored.astype(np.uint16) * 257
    path = tmp_path / f"a.{suffix[-4:].strip()}"
    if "tiff" in suffix:
        tag = (274, 3, 1, orientation.value, True)
        tifffile.imwrite(path, stored, photometric="rgb", extratags=[tag])
    else:
        exif = Image.Exif()
        exif[274] = orientation.value
        Image.fromarray(stored).save(path, exif=exif, lossless=True)
    expected = orientation.upright(stored)
    with ImageReader(path) as source:
        (frame,) = source
    assert frame.orientation is Orientation.UPRIGHT
    assert source.info.size == frame.size == (expected.shape[1], expected.shape[0])
    if suffix == "jpg":
        expected = orientation.upright(np.asarray(Image.open(path)))
    assert np.array_equal(pixels(frame), expected)


def test_an_invalid_orientation_is_ignored(tmp_path: Path) -> None:
    exif = Image.Exif()
    exif[274] = 9
    (frame,) = read_frames(save_image(noise(4, 6, 3), tmp_path / "a.png", exif=exif))
    assert frame.size == (6, 4)


@pytest.mark.parametrize("start", [0, 8, 30])
@pytest.mark.parametrize("suffix", ["jpg", "png", "webp", "avif", "heic"])
def test_an_image_with_damaged_tags_is_read(tmp_path: Path, suffix: str, start: int) -> None:
    exif = Image.Exif()
    exif[271] = "Maker"
    exif[0x8769] = {0x9003: "2024:05:06 07:08:09"}
    complete = exif.tobytes()
    block = complete[: 6 + start] + b"\xff" * (len(complete) - start - 6)
    path = tmp_path / f"a.{suffix}"
    if suffix == "heic":
        pillow_heif.encode("RGB", (256, 256), portrait().tobytes(), str(path), exif=block)
    elif suffix == "avif":  # Pillow does not write damaged tags
        data = save_image(portrait(), path, exif=complete).read_bytes()
        assert data.count(complete[6:]) == 1
        path.write_bytes(data.replace(complete[6:], block[6:]))
    else:
        save_image(portrait(), path, exif=block)
    (frame,) = read_frames(path)
    assert frame.size == (256, 256)
    assert np.abs(pixels(frame).astype(int) - portrait()).mean() < 6


def test_a_bilevel_image_is_black_and_white(tmp_path: Path) -> None:
    array = noise(8, 8) > 127
    save_image(array, tmp_path / "a.png")
    (frame,) = read_frames(tmp_path / "a.png")
    assert np.array_equal(pixels(frame), array * np.uint8(255))
    assert frame.encoding.is_bilevel


def test_cmyk_becomes_srgb(tmp_path: Path) -> None:
    Image.fromarray(portrait()).convert("CMYK").save(tmp_path / "a.jpg", quality=95)
    (frame,) = read_frames(tmp_path / "a.jpg")
    assert frame.layout.family == "rgb"
    assert np.abs(pixels(frame).astype(int) - portrait()).mean() < 8


def test_cmyk_with_an_invalid_profile_is_read(tmp_path: Path) -> None:
    image = Image.fromarray(portrait()).convert("CMYK")
    wrong = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    image.save(tmp_path / "a.jpg", quality=95, icc_profile=wrong)
    (frame,) = read_frames(tmp_path / "a.jpg")
    assert frame.encoding.icc_profile is None
    assert np.abs(pixels(frame).astype(int) - portrait()).mean() < 8


def test_lab_becomes_srgb(tmp_path: Path) -> None:
    to_lab = ImageCms.buildTransform(
        ImageCms.createProfile("sRGB"), ImageCms.createProfile("LAB"), "RGB", "LAB"
    )
    lab = ImageCms.applyTransform(Image.fromarray(portrait()), to_lab)
    assert lab is not None
    lab.save(tmp_path / "a.tif")
    (frame,) = read_frames(tmp_path / "a.tif")
    assert np.abs(pixels(frame).astype(int) - portrait()).mean() < 8


def test_palettes_become_colors(tmp_path: Path) -> None:
    image = Image.fromarray(portrait()).quantize(32)
    image.save(tmp_path / "a.png")
    (frame,) = read_frames(tmp_path / "a.png")
    assert np.array_equal(pixels(frame), np.asarray(image.convert("RGB")))


def test_heic_is_read(tmp_path: Path) -> None:
    path = tmp_path / "a.heic"
    pillow_heif.encode("RGB", (256, 256), portrait().tobytes(), str(path), quality=95)
    (frame,) = read_frames(path)
    assert np.abs(pixels(frame).astype(int) - portrait()).mean() < 4


def test_ten_bits_of_heic_stay(tmp_path: Path) -> None:
    deep = portrait().astype(np.uint16) * 257
    pillow_heif.encode("RGB;16", (256, 256), deep.tobytes(), str(tmp_path / "a.heic"), quality=95)
    (frame,) = read_frames(tmp_path / "a.heic")
    assert frame.layout.bits == 16
    assert len(np.unique(pixels(frame))) > 300


@pytest.mark.parametrize("compression", [None, "tga_rle"])
@pytest.mark.parametrize("shape", [GRAY, RGB, GRAY_ALPHA, RGBA])
def test_a_tga_is_read_and_written_as_it_is(
    tmp_path: Path, shape: tuple[int, ...], compression: str | None
) -> None:
    array = noise(*shape)
    save_image(array, tmp_path / "a.tga", compression=compression)
    target = rewrite(tmp_path / "a.tga", tmp_path / "b.tga", hide_spot)
    (frame,) = read_frames(target)
    assert np.array_equal(pixels(frame), with_black_spot(array, shape in (GRAY_ALPHA, RGBA)))
    assert pillow_info(target).get("compression") == compression


def test_an_ico_is_read_and_written_with_its_transparency(tmp_path: Path) -> None:
    array = np.dstack([portrait(), np.full((256, 256), 255, np.uint8)])
    array[:64, :, 3] = 0
    save_image(array, tmp_path / "a.ico", sizes=[(256, 256), (48, 48)])
    target = rewrite(tmp_path / "a.ico", tmp_path / "b.ico", blacken)
    with Image.open(target) as image:
        assert image.info["sizes"] == {(256, 256)}  # a smaller one would show the face
        seen = np.asarray(image.convert("RGBA"))
    assert not seen[:64].any()
    assert not seen[64:182, 86:182, :3].any()
    assert np.array_equal(seen[182:], array[182:])


def test_a_large_ico_is_refused(tmp_path: Path) -> None:
    source = save_image(noise(300, 20, 3), tmp_path / "a.png")
    with pytest.raises(SinkError, match="its longest side is above 256 pixels"):
        rewrite(source, tmp_path / "b.ico")
