"""Samples outside the faces are written as they were."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING, Any

import cv2
import numpy as np
import pillow_heif
import pytest
import tifffile
from PIL import Image, JpegImagePlugin
from skimage.metrics import structural_similarity

from tests.image_files import (
    FACE,
    PROFILE,
    Array,
    blacken,
    bmp_file,
    hide_spot,
    noise,
    pixels,
    png_file,
    portrait,
    read_frames,
    rewrite,
    save_image,
    with_black_spot,
)
from tracker_blur.core.box import Box
from tracker_blur.core.frame import RedactedFrame
from tracker_blur.core.tracks import Face, Origin
from tracker_blur.errors import SinkError
from tracker_blur.images.frame import ImageFrame, upper_8_bits
from tracker_blur.images.reader import ImageReader
from tracker_blur.images.writer import ImageWriter
from tracker_blur.redaction.redactor import FrameRedactor
from tracker_blur.settings import Settings

if TYPE_CHECKING:
    from pathlib import Path

GRAY, RGB, GRAY_ALPHA, RGBA = (37, 41), (37, 41, 3), (37, 41, 2), (37, 41, 4)


def rgb_planes(frame: ImageFrame) -> tuple[Array, ...]:
    return frame.channels if len(frame.channels) == 3 else frame.channels * 3


class TestPixelsOutsideTheFaces:
    @pytest.mark.parametrize(
        ("suffix", "shape", "dtype"),
        [
            *itertools.product(["png", "tiff"], [GRAY, RGB, GRAY_ALPHA, RGBA], [np.uint8]),
            *itertools.product(["png", "tiff"], [GRAY, RGB, RGBA], [np.uint16]),
            *itertools.product(["bmp"], [GRAY, RGB], [np.uint8]),
            *itertools.product(["webp"], [RGB, RGBA], [np.uint8]),
        ],
    )
    def test_stay_bit_identical_without_loss(
        self, tmp_path: Path, suffix: str, shape: tuple[int, ...], dtype: type
    ) -> None:
        array = noise(*shape, dtype=dtype)
        source = tmp_path / f"a.{suffix}"
        if dtype is np.uint8:
            options = {"lossless": True, "exact": True} if suffix == "webp" else {}
            save_image(array, source, **options)
        elif suffix == "png":
            source.write_bytes(png_file(array))
        else:
            tifffile.imwrite(
                source,
                array,
                photometric="minisblack" if shape == GRAY else "rgb",
                extrasamples=["unassalpha"] if shape == RGBA else None,
            )
        target = rewrite(source, tmp_path / f"b.{suffix}", hide_spot)
        (written,) = read_frames(target)
        has_alpha = shape in (GRAY_ALPHA, RGBA)
        assert np.array_equal(pixels(written), with_black_spot(array, has_alpha))
        assert pixels(written).dtype == dtype

    def test_under_full_transparency_are_redacted_too(self, tmp_path: Path) -> None:
        clear = np.dstack([portrait(), np.zeros((256, 256), np.uint8)])
        for suffix in ("png", "webp", "tiff"):
            source = save_image(clear, tmp_path / f"a.{suffix}", lossless=True, exact=True)
            target = rewrite(source, tmp_path / f"b.{suffix}", blacken)
            left, top, right, bottom = FACE.outward()
            assert not pixels(read_frames(target)[0])[top:bottom, left:right].any()

    def test_of_a_bilevel_image_stay_and_it_stays_bilevel(self, tmp_path: Path) -> None:
        array = noise(*GRAY) > 127
        for suffix in ("png", "tiff", "bmp"):
            target = rewrite(
                save_image(array, tmp_path / f"a.{suffix}"), tmp_path / f"b.{suffix}", hide_spot
            )
            with Image.open(target) as written:
                assert written.mode == "1"
                assert np.array_equal(np.asarray(written), with_black_spot(array, has_alpha=False))

    def test_of_a_palette_stay_in_colors(self, tmp_path: Path) -> None:
        image = Image.fromarray(portrait()).quantize(64)
        image.save(tmp_path / "a.png")
        target = rewrite(tmp_path / "a.png", tmp_path / "b.png", blacken)
        (written,) = read_frames(target)
        expected = np.array(image.convert("RGB"))
        left, top, right, bottom = FACE.outward()
        expected[top:bottom, left:right] = 0
        assert np.array_equal(pixels(written), expected)

    @pytest.mark.parametrize("quality", [50, 75, 95])
    @pytest.mark.parametrize("subsampling", ["4:4:4", "4:2:2", "4:2:0"])
    @pytest.mark.parametrize("progressive", [False, True])
    def test_of_a_jpeg_look_the_same_at_the_same_size(
        self, tmp_path: Path, quality: int, subsampling: str, progressive: bool
    ) -> None:
        source = save_image(
            portrait(),
            tmp_path / "a.jpg",
            quality=quality,
            subsampling=subsampling,
            progressive=progressive,
        )
        target = rewrite(source, tmp_path / "b.jpg")
        before, after = map(JpegImagePlugin.JpegImageFile, (source, target))
        assert after.quantization == before.quantization
        assert after.layer == before.layer
        assert bool(after.info.get("progressive")) == progressive
        alike = structural_similarity(np.asarray(before), np.asarray(after), channel_axis=2)
        assert alike > 0.995
        assert target.stat().st_size == pytest.approx(source.stat().st_size, rel=0.03)

    @pytest.mark.parametrize("orientation", [3, 6, 8])
    def test_of_a_turned_jpeg_look_the_same(self, tmp_path: Path, orientation: int) -> None:
        exif = Image.Exif()
        exif[274] = orientation
        source = save_image(portrait(), tmp_path / "a.jpg", quality=75, exif=exif)
        before = pixels(read_frames(source)[0])
        target = rewrite(source, tmp_path / "b.jpg")
        with Image.open(target) as after:
            assert not after.getexif()
            assert structural_similarity(before, np.asarray(after), channel_axis=2) > 0.99
        assert target.stat().st_size == pytest.approx(source.stat().st_size, rel=0.03)

    def test_of_a_gray_jpeg_stay_gray(self, tmp_path: Path) -> None:
        source = save_image(portrait()[..., 1].copy(), tmp_path / "a.jpg", quality=80)
        with Image.open(rewrite(source, tmp_path / "b.jpg")) as after:
            assert after.mode == "L"

    def test_of_a_jpeg_that_stores_rgb_stay_rgb(self, tmp_path: Path) -> None:
        source = save_image(portrait(), tmp_path / "a.jpg", quality=80, keep_rgb=True)
        with JpegImagePlugin.JpegImageFile(rewrite(source, tmp_path / "b.jpg")) as after:
            assert [layer[0] for layer in after.layer] == [ord(c) for c in "RGB"]

    def test_of_a_lossy_webp_look_the_same(self, tmp_path: Path) -> None:
        source = save_image(portrait(), tmp_path / "a.webp", quality=80)
        target = rewrite(source, tmp_path / "b.webp")
        assert b"VP8L" not in target.read_bytes()
        before, after = pixels(read_frames(source)[0]), pixels(read_frames(target)[0])
        assert structural_similarity(before, after, channel_axis=2) > 0.98

    @pytest.mark.parametrize("deep", [False, True])
    def test_of_a_heic_look_the_same(self, tmp_path: Path, deep: bool) -> None:
        array = portrait().astype(np.uint16) * 257 if deep else portrait()
        pillow_heif.encode(
            "RGB;16" if deep else "RGB",
            (256, 256),
            array.tobytes(),
            str(tmp_path / "a.heic"),
            quality=85,
            icc_profile=PROFILE,
        )
        target = rewrite(tmp_path / "a.heic", tmp_path / "b.heic", blacken)
        (before,), (after,) = read_frames(tmp_path / "a.heic"), read_frames(target)
        assert after.layout.bits == (16 if deep else 8)
        assert after.encoding.icc_profile == PROFILE
        views = before.view((256, 256)), after.view((256, 256))
        assert structural_similarity(views[0][192:], views[1][192:], channel_axis=2) > 0.98
        left, top, right, bottom = FACE.outward()
        assert views[1][top + 8 : bottom - 8, left + 8 : right - 8].max() < 16


@pytest.mark.shared
@pytest.mark.parametrize(
    "kind",
    [
        "jpg",
        "turned jpg",
        "print jpg",
        "dark tif",
        "gif",
        "moving webp",
        "turned avif",
        "moving avif",
        "clear png",
        "second page",
    ],
)
def test_the_face_is_seen_before_and_not_after(tmp_path: Path, kind: str, shared: Path) -> None:
    source = write_portrait(tmp_path, kind)
    target = rewrite(source, tmp_path / f"b{source.suffix}", blacken)
    detector = cv2.FaceDetectorYN.create(
        str(shared / "models" / "face_detection_yunet_2023mar.onnx"), "", (256, 256), 0.6
    )
    for path, is_seen in ((source, True), (target, False)):
        for frame in read_frames(path):
            _, found = detector.detect(frame.view(frame.size))
            assert (found is not None) == is_seen
            if is_seen:
                assert Box.from_xywh(*(float(v) for v in found[0][:4])).iou(FACE) > 0.6


def write_portrait(folder: Path, kind: str) -> Path:
    """Store the portrait so that a careless reader would miss its face."""
    image = Image.fromarray(portrait())
    path = folder / f"a.{kind.split()[-1].replace('page', 'tif')}"
    options: dict[str, Any] = {"quality": 95}
    if kind in ("turned jpg", "turned avif"):
        image = image.transpose(Image.Transpose.ROTATE_90)  # counterclockwise
        options["exif"] = Image.Exif()
        options["exif"][274] = 6
    elif kind == "print jpg":
        image = image.convert("CMYK")
    elif kind == "dark tif":
        tifffile.imwrite(path, portrait().astype(np.uint16) * 4, photometric="rgb")
        return path
    elif kind in ("moving webp", "moving avif"):
        options |= {"save_all": True, "append_images": [image.copy()], "duration": 50}
    elif kind == "clear png":
        image.putalpha(0)
    elif kind == "second page":
        tifffile.imwrite(path, np.stack([portrait(), portrait()]), photometric="rgb")
        return path
    image.save(path, **options)
    return path


@pytest.mark.parametrize("suffix", ["png", "tif"])
@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
def test_the_redactor_changes_the_face_and_what_is_near(
    tmp_path: Path, suffix: str, dtype: type
) -> None:
    array: Array = portrait().astype(dtype) * (257 if dtype is np.uint16 else 1)
    tifffile.imwrite(tmp_path / "a.tif", array, photometric="rgb")
    options = Settings(padding_ratio=0.1, feather_ratio=0.1)
    redactor = FrameRedactor(options)
    face = Face(0, FACE, 1.0, Origin.DETECTED)
    with (
        ImageReader(tmp_path / "a.tif") as source,
        ImageWriter(tmp_path / f"b.{suffix}", source, options) as sink,
    ):
        for frame in source:
            sink.write(redactor.redact(frame, [face]))
    (written,) = read_frames(tmp_path / f"b.{suffix}")
    changed = (pixels(written) != array).any(axis=2)
    left, top, right, bottom = FACE.outward()
    assert changed[top:bottom, left:right].mean() > 0.8
    changed[top - 32 : bottom + 32, left - 32 : right + 32] = False
    assert not changed.any()


class TestOtherFormats:
    @pytest.mark.parametrize("suffix", ["jpg", "png", "webp", "tif", "bmp", "gif", "avif", "heic"])
    @pytest.mark.parametrize("shape", [GRAY, RGB, GRAY_ALPHA, RGBA])
    @pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
    def test_every_kind_of_pixel_is_written_in_every_format(
        self, tmp_path: Path, suffix: str, shape: tuple[int, ...], dtype: type
    ) -> None:
        smooth = cv2.GaussianBlur(noise(*shape, dtype=dtype), (0, 0), 6)
        (tmp_path / "a.png").write_bytes(png_file(smooth))
        (before,) = read_frames(tmp_path / "a.png")
        (after,) = read_frames(rewrite(tmp_path / "a.png", tmp_path / f"b.{suffix}"))
        assert after.size == before.size
        if suffix in ("jpg", "bmp") and before.alpha is not None:
            return  # on white, see below
        seen = np.ones(before.channels[0].shape, bool)
        if before.alpha is not None and suffix == "gif":
            seen = upper_8_bits(before.alpha) >= 128
        for old, new in zip(rgb_planes(before), rgb_planes(after), strict=True):
            difference = upper_8_bits(old).astype(int) - upper_8_bits(new)
            assert np.abs(difference[seen]).mean() < 4
        if suffix in ("png", "tif"):
            assert after.layout.bits == before.layout.bits
        if before.alpha is not None and suffix != "gif":
            assert after.alpha is not None
            assert (
                np.abs(upper_8_bits(before.alpha).astype(int) - upper_8_bits(after.alpha)).max() < 4
            )

    @pytest.mark.parametrize("suffix", ["jpg", "bmp"])
    @pytest.mark.parametrize("shape", [GRAY, RGB])
    def test_transparency_becomes_white_with_a_warning(
        self, tmp_path: Path, suffix: str, shape: tuple[int, ...]
    ) -> None:
        colors, alpha = noise(*shape), np.zeros(GRAY, np.uint8)
        alpha[:20] = 255
        source = save_image(np.dstack([colors, alpha]), tmp_path / "a.png")
        target = tmp_path / f"b.{suffix}"
        with ImageReader(source) as reader, ImageWriter(target, reader, Settings()) as writer:
            for frame in reader:
                writer.write(RedactedFrame(frame))
        (warning,) = writer.warnings
        assert f"{target}: " in warning
        assert "without transparency, on white" in warning
        (written,) = read_frames(target)
        assert written.alpha is None
        assert written.layout.family == ("gray" if shape == GRAY else "rgb")
        assert pixels(written)[24:].min() > 245  # JPEG rings at the edge
        if suffix == "bmp":
            assert np.array_equal(pixels(written)[:20], colors[:20])

    @pytest.mark.parametrize("suffix", ["jpg", "bmp"])
    def test_a_face_under_transparency_does_not_become_visible(
        self, tmp_path: Path, suffix: str
    ) -> None:
        clear = np.dstack([portrait(), np.zeros((256, 256), np.uint8)])
        target = rewrite(save_image(clear, tmp_path / "a.png"), tmp_path / f"b.{suffix}")
        (written,) = read_frames(target)
        assert pixels(written).min() > 250
        assert portrait()[100].tobytes() not in target.read_bytes()
        assert portrait()[100, :, ::-1].tobytes() not in target.read_bytes()

    @pytest.mark.parametrize("suffix", ["jpg", "bmp", "png"])
    @pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
    @pytest.mark.parametrize("shape", [RGB, RGBA])
    def test_without_transparency_there_is_no_warning(
        self, tmp_path: Path, suffix: str, dtype: type, shape: tuple[int, ...]
    ) -> None:
        array = noise(*shape, dtype=dtype)
        array[..., 3:] = np.iinfo(dtype).max
        (tmp_path / "a.png").write_bytes(png_file(array))
        target = tmp_path / f"b.{suffix}"
        with (
            ImageReader(tmp_path / "a.png") as reader,
            ImageWriter(target, reader, Settings()) as writer,
        ):
            for frame in reader:
                writer.write(RedactedFrame(frame))
        assert writer.warnings == ()
        if suffix == "bmp":
            expected = upper_8_bits(array[..., :3])
            assert np.array_equal(pixels(read_frames(target)[0]), expected)

    @pytest.mark.parametrize("suffix", ["jpg", "bmp"])
    @pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
    def test_one_pixel_that_is_hardly_transparent_is_warned_about(
        self, tmp_path: Path, suffix: str, dtype: type
    ) -> None:
        array = noise(*RGBA, dtype=dtype)
        array[..., 3] = np.iinfo(dtype).max
        array[3, 4, 3] -= 1
        (tmp_path / "a.png").write_bytes(png_file(array))
        with (
            ImageReader(tmp_path / "a.png") as reader,
            ImageWriter(tmp_path / f"b.{suffix}", reader, Settings()) as writer,
        ):
            for frame in reader:
                writer.write(RedactedFrame(frame))
        (warning,) = writer.warnings
        assert "without transparency, on white" in warning

    @pytest.mark.parametrize("suffix", ["bmp", "png"])
    def test_a_bmp_that_does_not_use_its_alpha_is_not_written_white(
        self, tmp_path: Path, suffix: str
    ) -> None:
        array = noise(*RGBA)
        array[..., 3] = 0
        (tmp_path / "a.bmp").write_bytes(bmp_file(array))
        target = tmp_path / f"b.{suffix}"
        with (
            ImageReader(tmp_path / "a.bmp") as reader,
            ImageWriter(target, reader, Settings()) as writer,
        ):
            for frame in reader:
                hide_spot(frame)
                writer.write(RedactedFrame(frame))
        assert writer.warnings == ()
        expected = with_black_spot(array[..., :3], has_alpha=False)
        assert np.array_equal(pixels(read_frames(target)[0]), expected)

    @pytest.mark.parametrize("suffix", ["jpg", "bmp", "heic"])
    def test_an_animation_is_not_cut_to_one_image(self, tmp_path: Path, suffix: str) -> None:
        shown = [Image.fromarray(noise(20, 30, 3, seed=i)) for i in range(2)]
        shown[0].save(tmp_path / "a.gif", save_all=True, append_images=shown[1:])
        with pytest.raises(SinkError, match="can hold only one image, and the input has 2"):
            rewrite(tmp_path / "a.gif", tmp_path / f"b.{suffix}")
        assert not (tmp_path / f"b.{suffix}").exists()

    def test_the_content_not_the_name_decides_the_format_of_an_input(self, tmp_path: Path) -> None:
        source = save_image(portrait(), tmp_path / "a.png").rename(tmp_path / "a.jpg")
        target = rewrite(source, tmp_path / "b.jpg")
        assert target.read_bytes().startswith(b"\xff\xd8")

    def test_pages_of_several_sizes_do_not_make_an_animation(self, tmp_path: Path) -> None:
        pages = [Image.fromarray(noise(20, 30 + i, 3)) for i in range(2)]
        pages[0].save(tmp_path / "a.tif", save_all=True, append_images=pages[1:])
        with pytest.raises(SinkError, match="pages differ in size"):
            rewrite(tmp_path / "a.tif", tmp_path / "b.gif")
        assert [path.name for path in tmp_path.iterdir()] == ["a.tif"]

    def test_deep_pages_become_a_deep_animation(self, tmp_path: Path) -> None:
        pages = noise(2, 20, 30, 3, dtype=np.uint16)
        tifffile.imwrite(tmp_path / "a.tif", pages, photometric="rgb")
        written = read_frames(rewrite(tmp_path / "a.tif", tmp_path / "b.png"))
        for frame, page in zip(written, pages, strict=True):
            assert np.array_equal(pixels(frame), page)
